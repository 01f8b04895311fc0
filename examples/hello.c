/* hello.c - the smallest program: a database in memory, three records, the nearest two. */
#include <evdb.h>
#include <stdio.h>

static const struct {
    const char *id, *metadata;
    float vector[3];
} colours[] = {
    { "red", "{\"warm\":true}", { 1.0f, 0.1f, 0.0f } },
    { "orange", "{\"warm\":true}", { 0.9f, 0.5f, 0.1f } },
    { "blue", "{\"warm\":false}", { 0.0f, 0.2f, 1.0f } },
};

int main(void)
{
    evdb *db = NULL;
    evdb_store *store = NULL;
    evdb_result *result = NULL;
    evdb_error err;
    evdb_status rc;
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    options.k = 2;
    options.flags = EVDB_SEARCH_METADATA;

    if ((rc = evdb_open(":memory:", NULL, &db, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_store_create(db, "colours", NULL, &store, &err)) != EVDB_OK) goto out; /* cosine; 3 dimensions, from the first */
    for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++) {
        evdb_id id = { .text = colours[i].id };
        rc = evdb_record_insert(store, id, colours[i].vector, 3, colours[i].metadata, NULL, &err);
        if (rc != EVDB_OK) goto out;
    }
    if ((rc = evdb_search(store, (float[]){ 1, 0.4f, 0 }, 3, &options, &result, &err)) != EVDB_OK) goto out;
    for (size_t i = 0; i < result->count; i++)
        printf("%-6s  distance %.4f  score %.4f  %s\n", result->ids[i].text, (double)result->distances[i],
               (double)result->scores[i], result->metadata[i]);
out:
    if (rc != EVDB_OK) fprintf(stderr, "hello: %s: %s\n", evdb_status_name(rc), err.message);
    evdb_result_free(result);
    evdb_store_close(store);
    evdb_close(db);
    return rc != EVDB_OK;
}
