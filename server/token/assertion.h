/* assertion.h - a client that says who it is by a token it signed: private_key_jwt (RFC 7523, OpenID Connect Core 9). */
#ifndef TOKEN_ASSERTION_H
#define TOKEN_ASSERTION_H
#include "token/jose.h"
#include "token/replay.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* What is said of an assertion that is not of the client, whether there is one of that id or not. */
#define ASSERTION_UNKNOWN "the client is unknown, or does not show who it is as it was registered to"

enum {
    ASSERTION_LIFETIME_MAX_MS = 10 * 60 * 1000, /* from iat, whatever exp says; without iat from now */
    ASSERTION_ID_MAX = 256                      /* bytes of a jti */
};

typedef struct assertion_terms {
    const char *client;      /* who it must be */
    const char *jwks;        /* the client's public keys, as JSON */
    const char *const *audiences; /* `aud` must have one of them; ends with NULL */
    int64_t now_ms;
} assertion_terms;

/* The client that an assertion says it is of, before anything is known of it: for finding its keys. NULL when its iss and sub are not the
 * same text. Of the token. */
const char *assertion_client(const jose_token *token);

/* Is it signed by that client, for us, for a short time, and for the first time? What says that it is older than the memory of what was
 * used may have been used before. EVDB_DENIED says why not; EVDB_THROTTLED as of replay_note(). */
evdb_status assertion_check(const jose_token *token, const assertion_terms *terms, replay *seen, evdb_error *err);

#endif
