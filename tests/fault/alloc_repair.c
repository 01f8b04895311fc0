/* alloc_repair.c - implements alloc_repair.h. */
#include "alloc_repair.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 16384, RECORDS = 3, METADATA = 40000 };

static evdb_status make(alloc_scene *s, char uuid[37], evdb_error *err)
{
    static const float v[ALLOC_DIM] = { 1, 2, 3 };
    static char metadata[METADATA + 20];
    evdb_store *store = NULL;
    evdb_store_info *info = NULL;
    snprintf(metadata, sizeof(metadata), "{\"pad\":\"%0*d\"}", METADATA, 7);
    evdb_status rc = evdb_store_drop(s->db, "hurt", err); /* of an earlier try, perhaps */
    if (rc == EVDB_OK || rc == EVDB_NOT_FOUND) rc = evdb_store_create(s->db, "hurt", NULL, &store, err);
    for (int i = 0; i < RECORDS && rc == EVDB_OK; i++)
        rc = evdb_record_upsert(store, (evdb_id){ .number = i }, v, ALLOC_DIM, i ? "{}" : metadata, NULL, err);
    if (rc == EVDB_OK) rc = evdb_store_sync(store, err);
    if (rc == EVDB_OK) rc = evdb_store_describe(store, &info, err);
    if (rc == EVDB_OK) memcpy(uuid, info->uuid, sizeof(info->uuid));
    evdb_store_info_free(info);
    evdb_store_close(store);
    return rc;
}

static void damage(const alloc_scene *s, const char *uuid)
{
    char path[4200];
    snprintf(path, sizeof(path), "%s/stores/%s/rows.db", s->dir, uuid);
    FILE *f = fopen(path, "r+b");
    if (!f || fseek(f, 2 * PAGE - 500, SEEK_SET) != 0 || fputs("damage", f) == EOF || fclose(f) != 0) err(2, "%s", path);
}

evdb_status alloc_repair(alloc_scene *s, evdb_error *err)
{
    char uuid[37];
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_status rc = make(s, uuid, err);
    if (rc != EVDB_OK) return rc;
    damage(s, uuid);
    rc = evdb_store_repair(s->db, "hurt", NULL, &r, err);
    if (rc == EVDB_OK) rc = alloc_expect(r.repaired && r.records == RECORDS && !r.lost && !r.lost_unnamed, err);
    return rc;
}
