/* jwt.h - access tokens as signed claims: JWT (RFC 7519) of the profile RFC 9068, in a compact JWS (auth/jws.h).
 *
 *   header  {"typ":"at+jwt","alg":"EdDSA","kid":...}, these three and no other
 *   claims  iss, sub, client_id, aud (one text, or several as an array), scope, iat, exp, jti, nbf where there is one, and
 *           evdb_generation, the client's secret that the token was asked for with (RFC 8725 is why all of this is strict)
 *
 * Times are whole seconds, as other programs that read such tokens expect. */
#ifndef EVDB_AUTH_JWT_H
#define EVDB_AUTH_JWT_H
#include "auth/jws.h"
#include <evdb/auth.h>
#include <stdint.h>

enum {
    JWT_ISSUER_MAX = 255,
    JWT_AUDIENCE_MAX = 511,
    JWT_SCOPE_MAX = 1023,
    JWT_SUBJECT_MAX = EVDB_CLIENT_ID_MAX,
    JWT_ID_BYTES = 16,
    JWT_ID_TEXT = 23, /* jti as text, with NUL */
    JWT_BYTES = 4096  /* of a whole token, with NUL */
};

typedef struct jwt_claims {
    char issuer[JWT_ISSUER_MAX + 1], subject[JWT_SUBJECT_MAX + 1], client[EVDB_CLIENT_ID_MAX + 1], scope[JWT_SCOPE_MAX + 1];
    char audience[JWT_AUDIENCE_MAX + 1]; /* one or several, separated by a space */
    char kid[JWS_KID_BYTES];            /* of the key that signed it: told when it is read */
    unsigned char id[JWT_ID_BYTES];
    int64_t issued_s, not_before_s, expires_s; /* Unix time; not_before_s 0 = from the beginning */
    int64_t generation;
} jwt_claims;

/* EVDB_LIMIT when the claims make more than JWT_BYTES. */
evdb_status jwt_write(const char *kid, const unsigned char secret_key[JWS_SECRET_BYTES], const jwt_claims *claims, char out[JWT_BYTES],
                      evdb_error *err);

/* The public key of that name, if tokens of it may be good. */
typedef bool jwt_key_fn(void *context, const char *kid, unsigned char public_key[JWS_PUBLIC_BYTES]);
/* EVDB_DENIED, with the reason, for what is no such token or is signed by no such key; says nothing of the clock. */
evdb_status jwt_read(const char *text, jwt_key_fn *key, void *context, jwt_claims *out, evdb_error *err);

#endif
