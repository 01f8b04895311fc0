/* token_cache.h - what tokens said whose signature was good, so that a client that sends one with each request has it computed
 * once.
 *
 * A token is found by a hash of it under a key that no other process has, so nobody can make one that is taken for another, and the
 * table holds no token. What is remembered never goes stale, for a text says one thing only: whether it is still to be believed
 * (clock, revocation) is asked anew, or known to be unchanged since `seen` (disk/system_cache.h). */
#ifndef EVDB_AUTH_TOKEN_CACHE_H
#define EVDB_AUTH_TOKEN_CACHE_H
#include "auth/jwt.h"
#include "platform/platform.h"

enum { TOKEN_CACHE_SETS = 256, TOKEN_CACHE_WAYS = 4, TOKEN_HASH_BYTES = 32 };

/* All functions are thread-safe. */
typedef struct token_cache token_cache;
evdb_status token_cache_create(const platform *p, token_cache **out, evdb_error *err);
void token_cache_free(token_cache *c);

void token_cache_hash(const token_cache *c, const char *token, size_t length, unsigned char out[TOKEN_HASH_BYTES]);
/* *seen: what it was kept with. */
bool token_cache_find(token_cache *c, const unsigned char hash[TOKEN_HASH_BYTES], jwt_claims *out, uint64_t *seen);
/* Takes the place of the one of its set that was used longest ago. Without memory nothing is kept. */
void token_cache_keep(token_cache *c, const unsigned char hash[TOKEN_HASH_BYTES], const jwt_claims *claims, uint64_t seen);

#endif
