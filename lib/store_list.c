/* store_list.c - the list of all stores, of evdb/store.h. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "store_private.h"
#include <evdb/store.h>
#include <stdio.h>
#include <string.h>

typedef struct listing {
    evdb *db;
    evdb_store_info **at;
    size_t count, capacity;
} listing;

/* Only notes the names: stores are opened later, when system.db is not busy. */
static evdb_status note_store(void *context, const char *uuid, const char *name, evdb_error *err)
{
    listing *l = context;
    const evdb_allocator *mem = &l->db->platform.mem;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 16;
        evdb_store_info **at = mem_resize(mem, l->at, capacity, sizeof(*at));
        if (!at) return error_no_memory(err, capacity * sizeof(*at), "the list of stores");
        l->at = at;
        l->capacity = capacity;
    }
    evdb_store_info *info = mem_owned(mem, sizeof(*info));
    if (!info) return error_no_memory(err, sizeof(*info), "the list of stores");
    snprintf(info->uuid, sizeof(info->uuid), "%s", uuid ? uuid : "");
    snprintf(info->name, sizeof(info->name), "%s", name ? name : "");
    l->at[l->count++] = info;
    return EVDB_OK;
}

/* Replaces the bare name by the whole description, or by NULL when the store was dropped meanwhile. A store that is damaged
 * keeps the bare one; being out of memory is no property of a store. */
static evdb_status fill_in(evdb *db, evdb_store_info **info, evdb_error *err)
{
    evdb_store_info *whole;
    engine *e;
    evdb_error why;
    evdb_status rc = engine_open(db, (*info)->uuid, &e, &why);
    if (rc == EVDB_OK) {
        rc = store_describe(e, &whole, &why);
        engine_release(e);
    }
    if (rc == EVDB_OK || rc == EVDB_NOT_FOUND) {
        mem_owned_free(*info);
        *info = rc == EVDB_OK ? whole : NULL;
    }
    if (rc == EVDB_NO_MEMORY && err) *err = why;
    return rc == EVDB_NO_MEMORY ? rc : EVDB_OK;
}

evdb_status evdb_store_list(evdb *db, evdb_store_info ***out, size_t *count, evdb_error *err)
{
    listing l = { .db = db };
    evdb_store_info **list = NULL;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(system_stores(db->system, note_store, &l, err));
    list = mem_owned(&db->platform.mem, (l.count ? l.count : 1) * sizeof(*list));
    if (!list) TRY(error_no_memory(err, l.count * sizeof(*list), "the list of stores"));
    for (size_t i = 0; i < l.count; i++) TRY(fill_in(db, &l.at[i], err));
    *count = 0;
    for (size_t i = 0; i < l.count; i++)
        if (l.at[i]) list[(*count)++] = l.at[i];
    *out = list;
    l.count = 0;
    list = NULL;
out:
    mem_owned_free(list);
    for (size_t i = 0; i < l.count; i++) mem_owned_free(l.at[i]);
    mem_free(&db->platform.mem, l.at);
    return rc;
}

void evdb_store_list_free(evdb_store_info **list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) mem_owned_free(list[i]);
    mem_owned_free(list);
}
