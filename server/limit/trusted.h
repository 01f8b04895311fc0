/* trusted.h - where clients have succeeded lately: a table of fixed size.
 *
 * A client has at most TRUSTED_EACH addresses in it, so that one with many addresses pushes out its own and nobody else's. */
#ifndef LIMIT_TRUSTED_H
#define LIMIT_TRUSTED_H
#include "limit/slots.h"
#include <stdbool.h>

enum { TRUSTED_SETS = 256, TRUSTED_WAYS = 64, TRUSTED_EACH = 16 };

typedef struct trusted_item {
    slot_tag client, pair; /* pair: the client at the address; 0 = free */
    int64_t since;
} trusted_item;

typedef struct trusted { trusted_item (*sets)[TRUSTED_WAYS]; } trusted;

bool trusted_open(trusted *t);
void trusted_close(trusted *t);
bool trusted_has(const trusted *t, slot_tag client, slot_tag pair, int64_t now);
void trusted_add(trusted *t, slot_tag client, slot_tag pair, int64_t now);
#endif
