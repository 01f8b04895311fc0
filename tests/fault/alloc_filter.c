/* alloc_filter.c - implements alloc_filter.h. */
#include "alloc_filter.h"
#include <string.h>

/* Searches for all that match: all records, or all but the one that was changed. */
static evdb_status find(alloc_scene *s, const char *filter, bool changed, evdb_error *err)
{
    evdb_search_options o = { .size = sizeof(o), .k = 2 * ALLOC_RECORDS, .filter = filter, .flags = EVDB_SEARCH_METADATA };
    float query[ALLOC_DIM] = { 1, 2, 3 };
    evdb_result *result;
    evdb_status rc = evdb_search(s->store, query, ALLOC_DIM, &o, &result, err);
    if (rc != EVDB_OK) return rc;
    bool right = result->count == ALLOC_RECORDS - 1 || (!changed && result->count == ALLOC_RECORDS);
    for (size_t i = 0; i < result->count; i++) right &= strcmp(result->metadata[i], "{\"a\":1}") == 0;
    evdb_result_free(result);
    return alloc_expect(right, err);
}

/* By a column, by reading records, and both once more behind a change. */
evdb_status alloc_filter(alloc_scene *s, evdb_error *err)
{
    static const char by_column[] = "{\"a\": {\"$in\": [1, 2]}}", by_record[] = "{\"a\": 1, \"none\": {\"$exists\": false}}";
    evdb_status rc = find(s, by_column, false, err);
    if (rc == EVDB_OK) rc = find(s, by_record, false, err);
    if (rc == EVDB_OK)
        rc = evdb_record_update(s->store, (evdb_id){ .text = "record-2" }, NULL, 0, "{\"a\": \"another\"}", 0, NULL, err);
    uint64_t count = 0;
    if (rc == EVDB_OK) rc = find(s, by_column, true, err);
    if (rc == EVDB_OK) rc = evdb_filter_count(s->store, by_column, &count, err);
    if (rc == EVDB_OK) rc = alloc_expect(count == ALLOC_RECORDS - 1, err);
    return rc == EVDB_OK ? find(s, by_record, true, err) : rc;
}

evdb_status alloc_filter_index(alloc_scene *s, evdb_error *err)
{
    evdb_status rc = evdb_index_build(s->store, 1, err);
    return rc == EVDB_OK ? find(s, "{\"a\": 1}", false, err) : rc;
}
