/* token.h - what opaque access tokens look like: claims under a MAC, nothing to look up. The others are in auth/jwt.h.
 *
 *   "evdb1." base64url( version, scopes, expiry ms, generation of the client's secret, 8 random bytes, client id, and if there are
 *                     scopes of stores or a subject that is not the client 0 and these, and then 0 and the subject, MAC )
 *
 * Refresh tokens are random and kept, hashed, in system.db. */
#ifndef EVDB_AUTH_TOKEN_H
#define EVDB_AUTH_TOKEN_H
#include "auth/secret.h"
#include <evdb/auth.h>

enum { TOKEN_ID_BYTES = 16 };

typedef struct token_claims {
    char client[EVDB_CLIENT_ID_MAX + 1];
    uint32_t scopes;
    int64_t expires_ms, generation;
    char stores[EVDB_STORE_SCOPES_BYTES];
    char subject[EVDB_CLIENT_ID_MAX + 1]; /* for whom the client acts; "" = itself */
    unsigned char id[TOKEN_ID_BYTES]; /* told when it is read: the beginning of its MAC */
} token_claims;

/* Text of random bytes, as secrets and refresh tokens are made of; EVDB_SECRET_BYTES. */
void token_random(const platform *p, char out[EVDB_SECRET_BYTES]);
void token_write(const platform *p, const secrets *s, const token_claims *claims, char out[EVDB_TOKEN_BYTES]);
/* Does the text look like one? */
bool token_is_opaque(const char *token);
/* False when it is not a token of ours; says nothing of its expiry. */
bool token_read(const secrets *s, const char *token, token_claims *out);

#endif
