/* trusted.c - implements limit/trusted.h. */
#include "limit/trusted.h"
#include <stdlib.h>

static const int64_t LAST_MS = INT64_C(7) * 86400000;

bool trusted_open(trusted *t)
{
    t->sets = calloc(TRUSTED_SETS, sizeof *t->sets);
    return t->sets != NULL;
}

void trusted_close(trusted *t)
{
    free(t->sets);
    t->sets = NULL;
}

static trusted_item *set_of(const trusted *t, slot_tag client)
{
    return t->sets[client % TRUSTED_SETS];
}

static trusted_item *find(const trusted *t, slot_tag client, slot_tag pair)
{
    trusted_item *set = set_of(t, client);
    for (int i = 0; i < TRUSTED_WAYS; i++)
        if (set[i].pair == pair) return &set[i];
    return NULL;
}

bool trusted_has(const trusted *t, slot_tag client, slot_tag pair, int64_t now)
{
    const trusted_item *item = find(t, client, pair);
    return item && now - item->since < LAST_MS;
}

/* A free place, else the oldest: of the client itself when it has as many as it may, else of all. */
static trusted_item *place_for(const trusted *t, slot_tag client)
{
    trusted_item *set = set_of(t, client), *oldest = NULL, *own = NULL;
    int count = 0;
    for (int i = 0; i < TRUSTED_WAYS; i++) {
        trusted_item *item = &set[i];
        if (!oldest || !item->pair || (oldest->pair && item->since < oldest->since)) oldest = item;
        if (!item->pair || item->client != client) continue;
        count++;
        if (!own || item->since < own->since) own = item;
    }
    return count >= TRUSTED_EACH ? own : oldest;
}

void trusted_add(trusted *t, slot_tag client, slot_tag pair, int64_t now)
{
    trusted_item *item = find(t, client, pair);
    if (!item) item = place_for(t, client);
    *item = (trusted_item){ .client = client, .pair = pair, .since = now };
}
