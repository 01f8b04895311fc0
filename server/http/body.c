/* body.c - implements http/body.h. */
#include "http/body.h"
#include "http/http.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 4096 };

size_t body_drain_max(size_t most)
{
    return most > SIZE_MAX / 2 ? SIZE_MAX : most * 2;
}

void body_begin(body *b, size_t announced, size_t most, atomic_size_t *total)
{
    *b = (body){ .announced = announced, .most = most, .total = total };
    if (announced > most) b->refusal = &refusal_body;
}

void body_free(body *b)
{
    if (b->capacity) atomic_fetch_sub(b->total, b->capacity);
    free(b->bytes);
    b->bytes = NULL;
    b->size = b->capacity = 0;
}

static void give_up(body *b, const refusal *why)
{
    body_free(b);
    b->refusal = why;
}

/* Room for need bytes. Grows with what has come, not with what was announced: announcing costs a client nothing. */
static bool reserve(body *b, size_t need)
{
    if (need <= b->capacity) return true;
    size_t room = b->capacity ? b->capacity * 2 : FIRST_BYTES, whole = b->announced + 1;
    if (room < need) room = need;
    if (b->announced && room > whole && whole >= need) room = whole;
    size_t more = room - b->capacity;
    if (atomic_fetch_add(b->total, more) + more > HTTP_BODIES_MAX) {
        atomic_fetch_sub(b->total, more);
        return false;
    }
    char *grown = realloc(b->bytes, room);
    if (!grown) {
        atomic_fetch_sub(b->total, more);
        return false;
    }
    b->bytes = grown;
    b->capacity = room;
    return true;
}

bool body_take(body *b, const char *bytes, size_t size)
{
    b->seen += size;
    if (!b->refusal && size > b->most - b->size) give_up(b, &refusal_body);
    if (b->refusal) return b->seen <= body_drain_max(b->most);
    if (!reserve(b, b->size + size + 1)) {
        give_up(b, &refusal_memory);
        return true;
    }
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
    b->bytes[b->size] = 0;
    return true;
}
