/* writer.c - implements format/writer.h: what all formats share. */
#include "format/writer.h"

const writer_type *writer_type_of(evdb_format format)
{
    switch (format) {
    case EVDB_FORMAT_JSON: return &writer_json;
    case EVDB_FORMAT_JSONL: return &writer_jsonl;
    case EVDB_FORMAT_NPY: return &writer_npy;
    case EVDB_FORMAT_FVECS: return &writer_fvecs;
    case EVDB_FORMAT_BVECS: return &writer_bvecs;
    }
    return NULL;
}

evdb_status writer_open(writer *w, const writer_type *type, const evdb_allocator *mem, const evdb_sink *sink,
                        const evdb_store_info *store, uint64_t expected, evdb_error *err)
{
    *w = (writer){ .type = type, .store = store, .expected = expected };
    output_init(&w->out, mem, sink);
    return type->begin ? type->begin(w, err) : EVDB_OK;
}

evdb_status writer_row(writer *w, const evdb_record *record, evdb_error *err)
{
    evdb_status rc = w->type->row(w, record, err);
    if (rc == EVDB_OK) rc = output_step(&w->out, err);
    if (rc == EVDB_OK) w->written++;
    return rc;
}

evdb_status writer_finish(writer *w, evdb_error *err)
{
    evdb_status rc = w->type->end ? w->type->end(w, err) : EVDB_OK;
    return rc == EVDB_OK ? output_flush(&w->out, err) : rc;
}

void writer_close(writer *w)
{
    if (w->out.sink) output_free(&w->out);
}
