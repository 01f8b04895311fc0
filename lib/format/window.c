/* window.c - implements format/window.h. */
#include "format/window.h"
#include "base/error.h"
#include "base/mem.h"
#include <string.h>

evdb_status window_open(window *in, const evdb_allocator *mem, const evdb_source *source, evdb_error *err)
{
    *in = (window){ .mem = mem, .source = source, .capacity = WINDOW_BYTES };
    in->at = mem_alloc(mem, in->capacity);
    return in->at ? EVDB_OK : error_no_memory(err, in->capacity, "reading");
}

void window_close(window *in)
{
    mem_free(in->mem, in->at);
    in->at = NULL;
}

/* Room behind `end`: by moving what is left to the front (where rows are aligned again), else by growing. */
static evdb_status make_room(window *in, evdb_error *err)
{
    if (in->begin == in->end) in->begin = in->end = 0;
    if (in->end < in->capacity) return EVDB_OK;
    if (in->begin) {
        memmove(in->at, in->at + in->begin, window_size(in));
        in->end -= in->begin;
        in->begin = 0;
        return EVDB_OK;
    }
    char *at = mem_resize(in->mem, in->at, in->capacity * 2, 1);
    if (!at) return error_no_memory(err, in->capacity * 2, "reading");
    in->at = at;
    in->capacity *= 2;
    return EVDB_OK;
}

evdb_status window_more(window *in, evdb_error *err)
{
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the input cannot be read" };
    size_t got = 0;
    if (in->ended) return EVDB_OK;
    evdb_status rc = make_room(in, err);
    if (rc != EVDB_OK) goto failed;

    size_t room = in->capacity - in->end;
    rc = in->source->read(in->source->context, in->at + in->end, room, &got, &why);
    if (rc == EVDB_OK && got > room)
        rc = error_set(&why, EVDB_INVALID, "the source's read() says it filled %zu bytes of %zu", got, room);
    if (rc != EVDB_OK) {
        why.status = rc;
        if (err) *err = why;
        goto failed;
    }
    in->end += got;
    in->ended = got == 0;
    return EVDB_OK;
failed:
    in->failed = true;
    return rc;
}

evdb_status window_need(window *in, size_t count, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    while (rc == EVDB_OK && window_size(in) < count && !in->ended) rc = window_more(in, err);
    return rc;
}

evdb_status window_at_end(window *in, bool *out, evdb_error *err)
{
    evdb_status rc = window_need(in, 1, err);
    if (rc == EVDB_OK) *out = window_size(in) == 0;
    return rc;
}
