/* throttle.h - slows down those who guess secrets, and nobody else.
 *
 *   wait = throttle_ask(t, address, client)   before a secret is looked at; not 0: answer 429 with Retry-After, look at nothing
 *   throttle_failed(t, address, client)       it was wrong
 *   throttle_succeeded(t, address, client)    it was right
 *
 * Failures are counted for a client at an address, for an address, and for a client. The first ones are free; then each (of an
 * address every 4th, of a client every 8th) doubles the time until the next attempt is looked at, up to delay_max_ms. Nobody waits in here: attempts that come too early are
 * refused at once, and neither count nor make the wait longer. What is counted leaks away: without failures all is forgotten
 * after 15 times delay_max_ms.
 *
 * Nobody can lock out somebody else:
 * - A client that has succeeded at an address in the last week is let through there, whatever else that address, or the world,
 *   does: only failures of this very client at this very address count.
 * - A client that is attacked from everywhere is braked elsewhere: each address gets a turn once in a period that grows with the
 *   attack up to delay_max_ms. When its turn is follows from a hash, so no crowd can push in, and one that has not failed
 *   itself waits no longer than that.
 * - Who shares an address (behind a proxy, say) with somebody who guesses at his own client waits with him. What nobody can guess (256
 *   bits: made secrets, keys, tokens) needs no protection, so look at that first, whatever throttle_ask() says, and refuse only
 *   the wrong ones with 429: then no right one is ever refused.
 *
 * An IPv6 address stands for its /64. Memory is fixed, each call takes constant time; what an attacker could push out of the
 * tables are those who have failed less than he, and who comes in their place takes over what they had of failures that are free. Counts live in memory: a restart forgets
 * them. The attempts that are under way at once (as many as there are threads) may all come before the first of them has failed. */
#ifndef LIMIT_THROTTLE_H
#define LIMIT_THROTTLE_H
#include "limit/slots.h"

typedef struct throttle throttle;

typedef struct throttle_options {
    uint32_t failures;     /* of a client at an address that are free; of an address five times, of a client ten times as many */
    uint32_t delay_max_ms; /* 1000 at least */
    unsigned char seed[SLOTS_SEED_BYTES]; /* random, secret */
    int64_t (*now_ms)(void *context);     /* monotonic; NULL = the system's */
    void *context;
} throttle_options;

/* NULL without memory. */
throttle *throttle_create(const throttle_options *options);
void throttle_free(throttle *t); /* NULL allowed */

/* All are thread-safe, and with t = NULL do nothing and ask nobody to wait.
 *
 * address: as text, of IPv4 or IPv6; anything else is one address. client: whom the secret would be of, whether there is such a
 * one or not; NULL for tokens, which name nobody: of these there are ten times as many free failures for an address, and they are
 * counted apart.
 *
 * throttle_ask(): milliseconds to wait, 0 = go on. */
uint32_t throttle_ask(throttle *t, const char *address, const char *client);
void throttle_failed(throttle *t, const char *address, const char *client);
void throttle_succeeded(throttle *t, const char *address, const char *client);
#endif
