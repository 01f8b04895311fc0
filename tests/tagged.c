/* tagged.c - implements tagged.h. */
#include "tagged.h"
#include "expect.h"
#include <stdio.h>

evdb_status tagged_write(evdb_store *store, uint32_t rows, uint32_t tag, evdb_error *err)
{
    float vectors[TAGGED_ROWS_MAX][TAGGED_DIM];
    int64_t ids[TAGGED_ROWS_MAX];
    const char *metadata[TAGGED_ROWS_MAX];
    char text[32];
    evdb_batch b = EVDB_BATCH;
    snprintf(text, sizeof(text), "{\"tag\":%u}", tag);
    for (uint32_t i = 0; i < rows; i++) {
        ids[i] = i;
        metadata[i] = text;
        for (uint32_t j = 0; j < TAGGED_DIM; j++) vectors[i][j] = (float)(tag % 1000 + i + j);
    }
    b.kind = EVDB_UPSERT;
    b.count = rows;
    b.numbers = ids;
    b.vectors = vectors;
    b.dim = TAGGED_DIM;
    b.metadata = metadata;
    return evdb_batch_write(store, &b, NULL, err);
}

void tagged_expect(evdb *db, const char *name, uint32_t rows)
{
    evdb_store *store;
    evdb_cursor *cursor;
    const evdb_record *record;
    char first[64] = "";
    uint32_t count = 0;
    ok(evdb_store_open(db, name, &store, &why));
    ok(evdb_cursor_open(store, NULL, &cursor, &why));
    for (;; count++) {
        ok(evdb_cursor_next(cursor, &record, &why));
        if (!record) break;
        if (!count) snprintf(first, sizeof(first), "%s", record->metadata);
        assert_string_equal(record->metadata, first);
    }
    assert_int_equal(count, rows);
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}
