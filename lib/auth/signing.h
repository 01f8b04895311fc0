/* signing.h - the keys that access tokens are signed with, in locked memory.
 *
 * There is one active key, which signs; one that will be next, published already, so that whoever keeps the list of keys has it
 * by the time it signs; and retiring ones, for as long as a token that they signed may live. Rows of system.db say which
 * (disk/signing_rows.h); they are read anew when system.db has changed. */
#ifndef EVDB_AUTH_SIGNING_H
#define EVDB_AUTH_SIGNING_H
#include "auth/jwt.h"
#include "platform/platform.h"

/* Whoever read the keys just before they were rotated still signs with the one that now retires: it is kept that much longer. */
enum { SIGNING_KEYS_MAX = 64, SIGNING_SLACK_MS = 60000 };

typedef enum signing_state { SIGNING_NEXT = 0, SIGNING_ACTIVE = 1, SIGNING_RETIRING = 2 } signing_state;

typedef struct signing_key {
    char kid[JWS_KID_BYTES];
    unsigned char public_key[JWS_PUBLIC_BYTES];
    signing_state state;
    int64_t created_ms, changed_ms; /* since when it is in this state */
    int64_t lifetime_ms;            /* the longest of a token that it signed */
} signing_key;

/* Thread-safe, but for the three of reading, which one thread at a time may do. */
typedef struct signing_keys signing_keys;
evdb_status signing_create(const platform *p, signing_keys **out, evdb_error *err);
void signing_free(signing_keys *k);

/* The number that the keys were read with (disk/system_cache.h); 0 = they must be read. */
uint64_t signing_seen(signing_keys *k);
/* begin, a key each time, end: nobody sees what is between, and what did not come is gone. A seed that is not of key->kid is
 * EVDB_CORRUPT; public_key of what is given is not looked at. whole false: reading failed, and there is no key. */
void signing_reading(signing_keys *k);
evdb_status signing_take(signing_keys *k, const signing_key *key, const unsigned char seed[JWS_SEED_BYTES], evdb_error *err);
void signing_read(signing_keys *k, bool whole, uint64_t seen);

/* The key that signs; false when there is none. */
bool signing_active(signing_keys *k, signing_key *out);
/* Signs with the active key, whose kid was looked at before: EVDB_NOT_FOUND, and without a message, when it is another one by now. */
evdb_status signing_sign(signing_keys *k, const char *kid, const jwt_claims *claims, char out[JWT_BYTES], evdb_error *err);
/* The public key of an active key, or of a retiring one whose last token may still live at now_ms. */
bool signing_public(signing_keys *k, const char *kid, int64_t now_ms, unsigned char public_key[JWS_PUBLIC_BYTES]);
/* All that are to be published at now_ms: active, next, retiring, each by age. Returns how many. */
size_t signing_list(signing_keys *k, int64_t now_ms, signing_key out[SIGNING_KEYS_MAX]);
/* Until when tokens of a retiring key may live. */
int64_t signing_end(const signing_key *key);

#endif
