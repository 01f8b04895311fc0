/* reader.c - implements format/reader.h: what all formats share. */
#include "format/reader.h"
#include "base/error.h"
#include "base/mem.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

const reader_type *reader_type_of(evdb_format format)
{
    switch (format) {
    case EVDB_FORMAT_JSON: return &reader_json;
    case EVDB_FORMAT_JSONL: return &reader_jsonl;
    case EVDB_FORMAT_NPY: return &reader_npy;
    case EVDB_FORMAT_FVECS: return &reader_fvecs;
    case EVDB_FORMAT_BVECS: return &reader_bvecs;
    }
    return NULL;
}

evdb_status reader_open(const reader_type *type, const evdb_allocator *mem, const evdb_source *source, reader **out,
                        evdb_error *err)
{
    reader *r = mem_zero(mem, type->size);
    if (!r) return error_no_memory(err, type->size, "a reader");
    r->type = type;
    r->mem = mem;
    evdb_status rc = window_open(&r->in, mem, source, err);
    if (rc == EVDB_OK && type->open) rc = type->open(r, err);
    if (rc != EVDB_OK) reader_close(r);
    else *out = r;
    return rc;
}

void reader_close(reader *r)
{
    if (!r) return;
    if (r->type->close) r->type->close(r);
    window_close(&r->in);
    mem_free(r->mem, r);
}

evdb_status reader_next(reader *r, const reader_row **out, evdb_error *err)
{
    assert(!r->broken);
    evdb_status rc = r->ended ? EVDB_OK : r->type->next(r, err);
    if (rc == EVDB_OK) *out = r->ended ? NULL : &r->row;
    else if (rc != EVDB_INVALID || r->in.failed) r->broken = true; /* memory or the source, not the record */
    return rc;
}

static evdb_status complain(const reader *r, evdb_error *err, const char *format, va_list args)
{
    char text[sizeof(err->message)];
    vsnprintf(text, sizeof(text), format, args);
    return error_item(err, r->row.line, EVDB_INVALID, "%s %llu: %s", r->type->unit, (unsigned long long)r->row.line,
                      text);
}

evdb_status reader_bad(const reader *r, evdb_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evdb_status rc = complain(r, err, format, args);
    va_end(args);
    return rc;
}

evdb_status reader_break(reader *r, evdb_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evdb_status rc = complain(r, err, format, args);
    va_end(args);
    r->broken = true;
    return rc;
}
