/* system_cache.c - implements disk/system_cache.h. */
#include "disk/system_cache.h"
#include "platform/map.h"
#include <string.h>

int system_cache_open(system_cache *c, const platform *p, const char *path)
{
    pthread_mutexattr_t short_waits; /* it is held for moments: whoever finds it taken looks again before it sleeps */
    int failed = map_shared(p, path, SYSTEM_HINT_BYTES, (void **)&c->hint);
    if (failed) return failed;
    pthread_mutexattr_init(&short_waits);
    pthread_mutexattr_settype(&short_waits, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&c->lock, &short_waits);
    pthread_mutexattr_destroy(&short_waits);
    return 0;
}

void system_cache_close(system_cache *c)
{
    if (!c->hint) return;
    pthread_mutex_destroy(&c->lock);
    map_drop(c->hint, SYSTEM_HINT_BYTES);
    c->hint = NULL;
}

void system_cache_begin(system_cache *c) { atomic_fetch_add(&c->hint->begun, 1); }

void system_cache_done(system_cache *c) { atomic_store(&c->hint->done, atomic_load(&c->hint->begun)); }

uint64_t system_cache_seen(const system_cache *c)
{
    uint64_t begun = atomic_load(&c->hint->begun);
    return begun == atomic_load(&c->hint->done) ? begun + 1 : 0; /* + 1: a new file is all zeros */
}

static size_t slot_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *key; key++) hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return (size_t)(hash >> 32) % SYSTEM_CACHE_SLOTS;
}

bool system_cache_store(system_cache *c, const char *name, char uuid[37])
{
    uint64_t seen = system_cache_seen(c);
    const cached_store *slot = &c->by_name[slot_of(name)];
    pthread_mutex_lock(&c->lock);
    bool hit = seen && slot->seen == seen && strcmp(slot->name, name) == 0;
    if (hit) memcpy(uuid, slot->uuid, sizeof(slot->uuid));
    pthread_mutex_unlock(&c->lock);
    return hit;
}

bool system_cache_name(system_cache *c, const char *uuid, char name[EVDB_STORE_NAME_MAX + 1])
{
    uint64_t seen = system_cache_seen(c);
    const cached_store *slot = &c->by_uuid[slot_of(uuid)];
    pthread_mutex_lock(&c->lock);
    bool hit = seen && slot->seen == seen && strcmp(slot->uuid, uuid) == 0;
    if (hit) memcpy(name, slot->name, sizeof(slot->name));
    pthread_mutex_unlock(&c->lock);
    return hit;
}

void system_cache_keep_store(system_cache *c, uint64_t seen, const char *name, const char *uuid)
{
    cached_store entry = { .seen = seen };
    if (!seen || seen != system_cache_seen(c) || strlen(name) >= sizeof(entry.name) || strlen(uuid) >= sizeof(entry.uuid)) return;
    memcpy(entry.name, name, strlen(name) + 1);
    memcpy(entry.uuid, uuid, strlen(uuid) + 1);
    pthread_mutex_lock(&c->lock);
    c->by_name[slot_of(name)] = c->by_uuid[slot_of(uuid)] = entry;
    pthread_mutex_unlock(&c->lock);
}

bool system_cache_client(system_cache *c, const char *id, client_row *out)
{
    uint64_t seen = system_cache_seen(c);
    cached_client *slot = &c->clients[slot_of(id)];
    pthread_mutex_lock(&c->lock);
    bool hit = seen && slot->seen == seen && strcmp(slot->row.id, id) == 0;
    if (hit) *out = slot->row;
    pthread_mutex_unlock(&c->lock);
    return hit;
}

void system_cache_keep_client(system_cache *c, uint64_t seen, const client_row *row)
{
    cached_client *slot = &c->clients[slot_of(row->id)];
    if (!seen || seen != system_cache_seen(c)) return;
    pthread_mutex_lock(&c->lock);
    slot->seen = seen;
    slot->row = *row;
    pthread_mutex_unlock(&c->lock);
}
