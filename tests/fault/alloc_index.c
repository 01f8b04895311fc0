/* alloc_index.c - implements alloc_index.h. */
#include "alloc_index.h"

static evdb_status linked(alloc_scene *s, uint64_t count, evdb_error *err)
{
    evdb_index_status status = EVDB_INDEX_STATUS;
    evdb_status rc = evdb_index_get_status(s->store, &status, err);
    return rc == EVDB_OK ? alloc_expect(status.linked == count && status.total == ALLOC_RECORDS, err) : rc;
}

evdb_status alloc_index_control(alloc_scene *s, evdb_error *err)
{
    evdb_status rc = evdb_index_rebuild(s->store, 1, err);
    if (rc == EVDB_OK) rc = linked(s, ALLOC_RECORDS, err);
    if (rc == EVDB_OK) rc = evdb_index_pause(s->store, err);
    if (rc == EVDB_OK) rc = evdb_index_resume(s->store, err);
    if (rc == EVDB_OK) rc = evdb_index_cancel(s->store, err);
    if (rc == EVDB_OK) rc = evdb_index_drop(s->store, err);
    if (rc == EVDB_OK) rc = linked(s, 0, err);
    if (rc == EVDB_OK) rc = evdb_index_create(s->store, err);
    if (rc == EVDB_OK) rc = evdb_index_build(s->store, 1, err); /* waits for the thread, which may have been refused memory */
    return rc == EVDB_OK ? linked(s, ALLOC_RECORDS, err) : rc;
}
