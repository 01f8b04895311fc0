/* slots.h - a table of fixed size for what is counted of strangers: clients, addresses, both.
 *
 * Strangers choose the keys, so neither may they make the table grow nor choose who shares a place with whom: keys are hashed
 * with a secret seed (SipHash-2-4: Aumasson, Bernstein, 2012), and of an item only the hash is kept. An item may lie in SLOTS_WAYS places; when they are
 * taken the lightest goes, as the owner weighs. Not thread-safe. */
#ifndef LIMIT_SLOTS_H
#define LIMIT_SLOTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOTS_SEED_BYTES = 16, SLOTS_WAYS = 8, SLOTS_KEY_MAX = 320 };

/* First member of every item; 0 = the place is free. */
typedef uint64_t slot_tag;

typedef struct slots {
    unsigned char *items;
    size_t item_size, sets;
    uint64_t (*weight)(const void *item, int64_t now); /* 0 = it can go without loss */
} slots;

/* count: a power of two. False without memory. */
bool slots_open(slots *s, size_t count, size_t item_size, uint64_t (*weight)(const void *item, int64_t now));
void slots_close(slots *s);

/* The hash of a key, never 0; kinds of keys do not meet. Longer ones than SLOTS_KEY_MAX are cut. */
slot_tag slot_hash(const unsigned char seed[SLOTS_SEED_BYTES], unsigned char kind, const void *key, size_t size);

/* The item, or NULL. */
void *slots_find(const slots *s, slot_tag tag);
/* The item, made of zeros when there is none. `evicted` (an item, or NULL) receives the one that went for it, tag 0 = none did. */
void *slots_take(slots *s, slot_tag tag, int64_t now, void *evicted);
#endif
