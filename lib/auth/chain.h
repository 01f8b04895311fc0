/* chain.h - entries chained by a keyed hash: each MAC is of an entry and of the MAC before it, so none can be changed, taken out, put in
 * or moved without the key. (After Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999, with one key that stays.) */
#ifndef EVDB_AUTH_CHAIN_H
#define EVDB_AUTH_CHAIN_H
#include "platform/platform.h"
#include <evdb/error.h>
#include <stdbool.h>

enum { CHAIN_KEY_BYTES = 32, CHAIN_MAC_BYTES = 32 };

/* What a database keeps in memory for this. All functions are thread-safe. */
typedef struct chain chain;
evdb_status chain_create(const platform *p, chain **out, evdb_error *err);
void chain_free(chain *c);

/* Until the key is set no MAC may be asked for. */
bool chain_ready(const chain *c);
void chain_set_key(chain *c, const unsigned char key[CHAIN_KEY_BYTES]);
/* BLAKE2b; before the first entry there are zeros. */
void chain_mac(const chain *c, const unsigned char before[CHAIN_MAC_BYTES], const void *bytes, size_t size,
               unsigned char out[CHAIN_MAC_BYTES]);

#endif
