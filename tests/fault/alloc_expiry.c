/* alloc_expiry.c - implements alloc_expiry.h. */
#include "alloc_expiry.h"

/* Nothing is left that expires: a thread that waits for it would take part. */
evdb_status alloc_expiry(alloc_scene *s, evdb_error *err)
{
    evdb_id id = { .text = "record-1" };
    evdb_record *record = NULL;
    evdb_status rc = evdb_store_set_ttl(s->store, 1000, err);
    if (rc == EVDB_OK) rc = evdb_store_set_ttl(s->store, 0, err);
    if (rc == EVDB_OK) rc = evdb_record_set_expiry(s->store, id, EVDB_NEVER, 0, NULL, err);
    if (rc == EVDB_OK) rc = evdb_record_get(s->store, id, &record, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(record->expires_ms == 0, err);
    evdb_record_free(record);
    return rc;
}

static evdb_status alloc_trashed(alloc_scene *s, const evdb_id *id, evdb_error *err)
{
    evdb_trash *trash = NULL;
    evdb_undelete what = EVDB_UNDELETE;
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    evdb_status rc = evdb_trash_list(s->store, 0, 0, &trash, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(trash->count == 1, err);
    evdb_trash_free(trash);
    what.ids = id;
    what.count = 1;
    if (rc == EVDB_OK) rc = evdb_trash_restore(s->store, &what, &report, err);
    if (rc == EVDB_OK) rc = evdb_record_delete(s->store, *id, 0, err);
    what.ids = NULL;
    if (rc == EVDB_OK) rc = evdb_trash_restore(s->store, &what, &report, err);
    if (rc == EVDB_OK) rc = alloc_expect(report.restored == 1, err);
    if (rc == EVDB_OK) rc = evdb_record_delete(s->store, *id, 0, err);
    return rc == EVDB_OK ? evdb_trash_empty(s->store, NULL, err) : rc;
}

/* Of a record of its own. The thread that empties the trash may take part. */
evdb_status alloc_trash(alloc_scene *s, evdb_error *err)
{
    const float vector[ALLOC_DIM] = { 1, 2, 3 };
    evdb_id id = { .text = "gone" };
    evdb_status rc = evdb_store_set_trash(s->store, EVDB_TRASH_DAY_MS, err);
    if (rc == EVDB_OK) rc = evdb_record_upsert(s->store, id, vector, ALLOC_DIM, NULL, NULL, err);
    if (rc == EVDB_OK) rc = evdb_record_delete(s->store, id, 0, err);
    if (rc == EVDB_OK) rc = alloc_trashed(s, &id, err);
    return rc == EVDB_OK ? evdb_store_set_trash(s->store, 0, err) : rc;
}

/* With a graph, which is saved anew, and a record of its own. */
evdb_status alloc_forget(alloc_scene *s, evdb_error *err)
{
    const float vector[ALLOC_DIM] = { 1, 2, 3 };
    evdb_id id = { .text = "gone" };
    uint64_t count = 0;
    evdb_status rc = evdb_record_upsert(s->store, id, vector, ALLOC_DIM, NULL, NULL, err);
    if (rc == EVDB_OK) rc = evdb_index_build(s->store, 1, err);
    if (rc == EVDB_OK) rc = evdb_store_forget(s->store, &id, 1, NULL, err);
    if (rc == EVDB_OK) rc = evdb_store_count(s->store, &count, err);
    return rc == EVDB_OK ? alloc_expect(count == ALLOC_RECORDS, err) : rc;
}
