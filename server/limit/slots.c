/* slots.c - implements limit/slots.h. */
#include "limit/slots.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool slots_open(slots *s, size_t count, size_t item_size, uint64_t (*weight)(const void *item, int64_t now))
{
    *s = (slots){ .item_size = item_size, .sets = count / SLOTS_WAYS, .weight = weight };
    s->items = calloc(count, item_size); /* pages that nobody touches take no memory */
    return s->items != NULL;
}

void slots_close(slots *s)
{
    free(s->items);
    s->items = NULL;
}

slot_tag slot_hash(const unsigned char seed[SLOTS_SEED_BYTES], unsigned char kind, const void *key, size_t size)
{
    unsigned char text[1 + SLOTS_KEY_MAX], hash[crypto_shorthash_BYTES];
    slot_tag tag;
    if (size > SLOTS_KEY_MAX) size = SLOTS_KEY_MAX;
    text[0] = kind;
    memcpy(text + 1, key, size);
    crypto_shorthash(hash, text, 1 + size, seed);
    memcpy(&tag, hash, sizeof tag);
    return tag ? tag : 1;
}

static unsigned char *set_of(const slots *s, slot_tag tag)
{
    return s->items + (size_t)(tag >> 32) % s->sets * SLOTS_WAYS * s->item_size;
}

static slot_tag tag_of(const void *item)
{
    slot_tag tag;
    memcpy(&tag, item, sizeof tag);
    return tag;
}

void *slots_find(const slots *s, slot_tag tag)
{
    unsigned char *item = set_of(s, tag);
    for (int i = 0; i < SLOTS_WAYS; i++, item += s->item_size)
        if (tag_of(item) == tag) return item;
    return NULL;
}

/* The place in the set that is free, or whose item is the lightest. */
static unsigned char *lightest(const slots *s, slot_tag tag, int64_t now)
{
    unsigned char *item = set_of(s, tag), *best = item;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < SLOTS_WAYS && least; i++, item += s->item_size) {
        uint64_t weight = tag_of(item) ? s->weight(item, now) : 0;
        if (weight >= least) continue;
        least = weight;
        best = item;
    }
    return best;
}

void *slots_take(slots *s, slot_tag tag, int64_t now, void *evicted)
{
    unsigned char *item = slots_find(s, tag);
    if (evicted) memset(evicted, 0, s->item_size);
    if (item) return item;
    item = lightest(s, tag, now);
    if (evicted) memcpy(evicted, item, s->item_size);
    memset(item, 0, s->item_size);
    memcpy(item, &tag, sizeof tag);
    return item;
}
