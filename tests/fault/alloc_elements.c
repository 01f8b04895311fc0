/* alloc_elements.c - implements alloc_elements.h. */
#include "alloc_elements.h"
#include <string.h>

static const float vector[3] = { 0.5f, -2, 1 };

static bool is_vector(const evdb_record *r) { return r && r->dim == 3 && memcmp(r->vector, vector, sizeof(vector)) == 0; }

static evdb_status get(evdb_store *store, evdb_error *err)
{
    evdb_record *record;
    evdb_status rc = evdb_record_get(store, (evdb_id){ .number = 1 }, &record, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(is_vector(record), err);
    evdb_record_free(record);
    return rc;
}

static evdb_status walk(evdb_store *store, evdb_error *err)
{
    const evdb_record *record;
    evdb_cursor *cursor;
    evdb_status rc = evdb_cursor_open(store, NULL, &cursor, err);
    if (rc != EVDB_OK) return rc;
    rc = evdb_cursor_next(cursor, &record, err);
    if (rc == EVDB_OK) rc = alloc_expect(is_vector(record), err);
    evdb_cursor_close(cursor);
    return rc;
}

static evdb_status search(evdb_store *store, evdb_error *err)
{
    evdb_result *result;
    evdb_status rc = evdb_search(store, vector, 3, NULL, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->count == 1 && result->distances[0] < 1e-3f, err);
    evdb_result_free(result);
    return rc;
}

evdb_status alloc_elements(alloc_scene *s, evdb_error *err)
{
    evdb_store *store;
    evdb_status rc = evdb_store_open(s->db, "other", &store, err);
    if (rc != EVDB_OK) return rc;
    rc = evdb_record_upsert(store, (evdb_id){ .number = 1 }, vector, 3, NULL, NULL, err);
    if (rc == EVDB_OK) rc = get(store, err);
    if (rc == EVDB_OK) rc = walk(store, err);
    if (rc == EVDB_OK) rc = search(store, err);
    if (rc == EVDB_OK) rc = evdb_index_build(store, 1, err);
    if (rc == EVDB_OK) rc = search(store, err);
    evdb_store_close(store);
    return rc;
}
