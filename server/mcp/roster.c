/* roster.c - implements mcp/roster.h. */
#include "mcp/roster.h"
#include <string.h>

void roster_forget(roster *r)
{
    evdb_store_list_free(r->stores, r->count);
    r->stores = NULL;
    r->count = 0;
    r->known = false;
}

static bool list(roster *r, pthread_mutex_t *lock, evdb_store_info ***stores, size_t *count)
{
    evdb_error err;
    pthread_mutex_unlock(lock);
    evdb_status rc = evdb_store_list(r->db, stores, count, &err);
    pthread_mutex_lock(lock);
    return rc == EVDB_OK;
}

static void take(roster *r, evdb_store_info **stores, size_t count)
{
    roster_forget(r);
    r->stores = stores;
    r->count = count;
    r->known = true;
}

/* Both are sorted by name: whatever is in one alone has come or gone, and so has what is another store by that name. */
static void compare(const roster *r, evdb_store_info *const *now, size_t count, void (*tell)(void *context, const char *name), void *context)
{
    for (size_t i = 0, k = 0; i < r->count || k < count;) {
        int order = i == r->count ? 1 : k == count ? -1 : strcmp(r->stores[i]->name, now[k]->name);
        if (order != 0 || strcmp(r->stores[i]->uuid, now[k]->uuid) != 0) tell(context, order <= 0 ? r->stores[i]->name : now[k]->name);
        if (order <= 0) i++;
        if (order >= 0) k++;
    }
}

void roster_look(roster *r, pthread_mutex_t *lock, void (*tell)(void *context, const char *name), void *context)
{
    evdb_store_info **now;
    size_t count;
    if (!list(r, lock, &now, &count)) return;
    if (r->known) compare(r, now, count, tell, context);
    take(r, now, count);
}

void roster_begin(roster *r, pthread_mutex_t *lock)
{
    evdb_store_info **now;
    size_t count;
    if (r->known || !list(r, lock, &now, &count)) return;
    if (r->known) evdb_store_list_free(now, count); /* another thread's look is as good */
    else take(r, now, count);
}
