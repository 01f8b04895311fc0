/* changes.c - following a store: whoever remembers a sequence number can ask what happened since. */
#include <evdb.h>
#include <stdio.h>

static evdb_status write_some(evdb_store *store, evdb_error *err)
{
    evdb_status rc;
    uint64_t version;
    evdb_id one = { .number = 1 }, two = { .number = 2 };
    if ((rc = evdb_record_insert(store, one, (float[]){ 1, 2 }, 2, NULL, &version, err)) != EVDB_OK) return rc;
    if ((rc = evdb_record_insert(store, two, (float[]){ 3, 4 }, 2, NULL, NULL, err)) != EVDB_OK) return rc;
    /* Only if nobody changed it since: the version is what insert said. */
    rc = evdb_record_update(store, one, NULL, 0, "{\"seen\":true}", version, NULL, err);
    return rc == EVDB_OK ? evdb_record_delete(store, two, 0, err) : rc;
}

/* Prints what happened behind *sequence and moves it on. */
static evdb_status follow(evdb_store *store, uint64_t *sequence, evdb_error *err)
{
    static const char *const kinds[] = { [EVDB_CHANGE_PUT] = "put", [EVDB_CHANGE_UPDATE] = "update", [EVDB_CHANGE_DELETE] = "delete" };
    evdb_changes *changes;
    evdb_status rc = evdb_changes_read(store, *sequence, 0, &changes, err);
    if (rc != EVDB_OK) return rc; /* EVDB_GONE would mean: too long ago, read everything with a cursor and start again */
    for (size_t i = 0; i < changes->count; i++)
        printf("%llu: %s %lld\n", (unsigned long long)changes->at[i].sequence, kinds[changes->at[i].kind],
               (long long)changes->at[i].id.number);
    *sequence = changes->last;
    evdb_changes_free(changes);
    return EVDB_OK;
}

int main(void)
{
    evdb *db = NULL;
    evdb_store *store = NULL;
    evdb_error err;
    evdb_status rc;
    uint64_t sequence = 0;

    if ((rc = evdb_open(":memory:", NULL, &db, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_store_create(db, "followed", NULL, &store, &err)) != EVDB_OK) goto out;
    if ((rc = write_some(store, &err)) != EVDB_OK) goto out;
    if ((rc = follow(store, &sequence, &err)) != EVDB_OK) goto out;
    if ((rc = follow(store, &sequence, &err)) != EVDB_OK) goto out; /* nothing new: prints nothing */
    printf("up to %llu\n", (unsigned long long)sequence);
out:
    if (rc != EVDB_OK) fprintf(stderr, "changes: %s: %s\n", evdb_status_name(rc), err.message);
    evdb_store_close(store);
    evdb_close(db);
    return rc != EVDB_OK;
}
