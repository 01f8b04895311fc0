/* alloc_author.c - implements alloc_author.h. */
#include "alloc_author.h"
#include <string.h>

evdb_status alloc_merge(alloc_scene *s, evdb_error *err)
{
    evdb_id id = { .text = "record-7" };
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_merge(s->store, id, "{\"merged\": {\"a\": 1, \"b\": null}, \"gone\": null}", "somebody", 0, &record, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(strstr(record->metadata, "\"merged\":{\"a\":1}") != NULL, err);
    evdb_record_free(record);
    return rc;
}

/* Writes, reads, and a search that tells of it; off again at the end. */
evdb_status alloc_authors(alloc_scene *s, evdb_error *err)
{
    const float vector[ALLOC_DIM] = { 1, 2, 3 };
    const evdb_id id = { .text = "signed" };
    const char *const authors[] = { "ann" };
    evdb_search_options o = { .size = sizeof(o), .k = 1, .flags = EVDB_SEARCH_METADATA };
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_UPSERT, .count = 1, .ids = &id, .vectors = vector, .dim = ALLOC_DIM, .author = "bob",
                     .authors = authors };
    evdb_record *record = NULL;
    evdb_result *result = NULL;
    evdb_ticket *ticket = NULL;
    evdb_status rc = evdb_store_set_authors(s->store, 1, err);
    if (rc == EVDB_OK) rc = evdb_batch_submit(s->store, &b, &ticket, err);
    if (rc == EVDB_OK) rc = evdb_ticket_wait(ticket, NULL, err);
    evdb_ticket_free(ticket);
    if (rc == EVDB_OK) rc = evdb_record_get(s->store, id, &record, err);
    if (rc == EVDB_OK) rc = alloc_expect(record->author && strcmp(record->author, "ann") == 0, err);
    evdb_record_free(record);
    if (rc == EVDB_OK) rc = evdb_search(s->store, vector, ALLOC_DIM, &o, &result, err);
    if (rc == EVDB_OK) rc = alloc_expect(result->authors && strcmp(result->authors[0], "ann") == 0, err);
    evdb_result_free(result);
    if (rc == EVDB_OK) rc = evdb_store_set_authors(s->store, 0, err);
    return rc == EVDB_OK ? evdb_record_delete(s->store, id, 0, err) : rc;
}
