/* transfer_present.c - implements transfer_present.h. */
#include "transfer_present.h"
#include "base/element.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/stored.h"
#include <string.h>

/* Encodes the row's vector as the record's is, and compares bytes: what an element type or a codec rounds away is no difference. */
static evdb_status same_vector(engine *e, rows_reader *rd, const rows_record *record, const reader_row *row, bool *same, evdb_error *err)
{
    stored_room room = { 0 };
    const void *bytes = row->vector;
    size_t size = element_bytes(e->dtype, row->dim);
    const codec_met *met = NULL;
    char *elements = NULL;
    evdb_status rc;
    *same = false;
    if (atomic_load(&e->dim) != row->dim) return EVDB_OK;
    TRY(codecs_get(e, rd, record->codec, row->dim, &met, err));
    if (met) {
        TRY(stored_encode(e, met->codec, row->vector, &room, &bytes, &size, NULL, err));
    } else if (e->dtype != EVDB_F32) {
        if (!(elements = mem_alloc(&e->db->platform.mem, size))) TRY(error_no_memory(err, size, "a vector"));
        element_encode(e->dtype, row->vector, row->dim, elements);
        bytes = elements;
    }
    *same = size == record->vector_bytes && memcmp(bytes, record->vector, size) == 0;
out:
    mem_free(&e->db->platform.mem, elements);
    stored_room_free(e, &room);
    return rc;
}

static bool same_metadata(const rows_record *record, const reader_row *row)
{
    const char *metadata = row->metadata ? row->metadata : "{}";
    size_t length = row->metadata ? row->metadata_length : strlen("{}");
    return record->metadata_length == length && memcmp(record->metadata, metadata, length) == 0;
}

evdb_status transfer_present(evdb_store *store, const evdb_id *id, const reader_row *row, presence *out, evdb_error *err)
{
    engine *e = store->engine;
    rows_reader *rd = NULL;
    rows_record record;
    bool same;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(engine_learn(e, rd, err));
    rc = rows_get(rd, id, ROWS_VECTOR | ROWS_LIVE, &record, err);
    *out = PRESENT_NOT;
    if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    else if (rc == EVDB_OK) {
        TRY(same_vector(e, rd, &record, row, &same, err));
        *out = !same ? PRESENT_OTHER_VECTOR : same_metadata(&record, row) ? PRESENT_SAME : PRESENT_OTHER_METADATA;
    }
out:
    rows_read_end(rd);
    return rc;
}
