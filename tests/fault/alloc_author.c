/* alloc_author.c - implements alloc_author.h. */
#include "alloc_author.h"
#include <string.h>

evdb_status alloc_merge(alloc_scene *s, evdb_error *err)
{
    evdb_id id = { .text = "record-7" };
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_merge(s->store, id, "{\"merged\": {\"a\": 1, \"b\": null}, \"gone\": null}", 0, &record, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(strstr(record->metadata, "\"merged\":{\"a\":1}") != NULL, err);
    evdb_record_free(record);
    return rc;
}
