/* jwt.h - access tokens as signed claims: JWT (RFC 7519) of the profile RFC 9068, in a compact JWS (auth/jws.h).
 *
 *   header  {"typ":"at+jwt","alg":"EdDSA","kid":...}, these three and no other
 *   claims  iss, sub, client_id, aud (one text, or several as an array), scope, iat, exp, jti, nbf where there is one,
 *           evdb_generation, the client's secret that the token was asked for with, and evdb_family, the log-in that it came
 *           from, where there is one
 *
 * RFC 8725 is why all of this is strict.
 * Times are whole seconds there, as other programs that read such tokens expect. */
#ifndef EVDB_AUTH_JWT_H
#define EVDB_AUTH_JWT_H
#include "auth/jws.h"
#include <evdb/auth.h>
#include <stdint.h>

enum {
    JWT_ID_BYTES = 16,
    JWT_ID_TEXT = 23,            /* jti as text, with NUL */
    JWT_BYTES = EVDB_TOKEN_BYTES /* of a whole token, with NUL */
};

typedef struct jwt_claims {
    char issuer[EVDB_ISSUER_MAX + 1], subject[EVDB_CLIENT_ID_MAX + 1], client[EVDB_CLIENT_ID_MAX + 1], scope[EVDB_SCOPES_BYTES];
    char audience[EVDB_AUDIENCE_MAX + 1]; /* one or several, separated by a space */
    char kid[JWS_KID_BYTES];              /* of the key that signed it: told when it is read */
    unsigned char id[JWT_ID_BYTES];
    unsigned char family[JWT_ID_BYTES];               /* zeros = of none */
    int64_t issued_ms, not_before_ms, expires_ms;     /* Unix time; not_before_ms 0 = from the beginning */
    int64_t generation;
    /* What scope says, for whoever knows: nothing here does. */
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES];
} jwt_claims;

/* EVDB_LIMIT when the claims make more than JWT_BYTES. */
evdb_status jwt_write(const char *kid, const unsigned char secret_key[JWS_SECRET_BYTES], const jwt_claims *claims, char out[JWT_BYTES],
                      evdb_error *err);

/* The public key of that name, if tokens of it may be good. */
typedef bool jwt_key_fn(void *context, const char *kid, unsigned char public_key[JWS_PUBLIC_BYTES]);
/* EVDB_DENIED, with the reason, for what is no such token or is signed by no such key; says nothing of the clock. */
evdb_status jwt_read(const char *text, jwt_key_fn *key, void *context, jwt_claims *out, evdb_error *err);

#endif
