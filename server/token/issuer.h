/* issuer.h - access tokens of an OpenID Connect issuer, in the place of our own: JWTs signed by keys that it publishes.
 *
 * Who such a token speaks for is called HOST:NAME, after the issuer's host and a claim: ids of our clients have no ':', so neither can be
 * taken for the other. A NAME that is too long, or has letters that ids have not, becomes ":" and its BLAKE2b in base64url. */
#ifndef TOKEN_ISSUER_H
#define TOKEN_ISSUER_H
#include "token/keyring.h"

typedef struct issuer issuer;

/* Texts are borrowed. */
typedef struct issuer_options {
    keyring_options keys;
    const char *audience;     /* `aud` must have it */
    const char *scope_claim;  /* a text of words, or an array of them */
    const char *scope_prefix; /* which words must begin with to be a scope of ours; "" = none */
    const char *name_claim;
    int64_t (*now_ms)(void);  /* Unix time; NULL = the system's */
} issuer_options;

/* Begins to fetch the issuer's keys. */
evdb_status issuer_open(const issuer_options *options, issuer **out, evdb_error *err);
void issuer_close(issuer *i); /* NULL is fine */

/* An issuer *: who the token speaks for. EVDB_NOT_FOUND when it is no token of this issuer, EVDB_DENIED when it is, and no good; EVDB_BUSY
 * when that cannot be said, since its keys are not known. Thread-safe. */
evdb_status issuer_identify(void *context, const char *token, evdb_principal *out, evdb_error *err);

#endif
