/* keyring.h - the keys that an issuer publishes (OpenID Connect Discovery 1.0, RFC 7517), fetched by a thread of their own.
 *
 * Nobody who checks a token waits for the issuer. Keys are fetched at the start, every few minutes, and when a token names one that is not
 * known: soon, but at growing distances while that brings nothing, so that tokens with made-up names do not make us a burden to the issuer.
 * While it does not answer, the keys that there are stay good for a day. */
#ifndef TOKEN_KEYRING_H
#define TOKEN_KEYRING_H
#include "token/jose.h"

enum { KEYRING_URL_MAX = 2048 };

typedef struct keyring keyring;

/* Texts are borrowed. */
typedef struct keyring_options {
    const char *issuer; /* its URL, exactly as it says it itself */
    /* What is at a URL, of at most `most` bytes; *out is malloc'd. Of the keyring's thread. */
    evdb_status (*get)(void *context, const char *url, size_t most, char **out, size_t *size, evdb_error *err);
    void *context;
    /* For the log: a message, and what it is about. Of the keyring's thread; NULL = none. */
    void (*say)(bool warning, const char *message, const char *detail);
} keyring_options;

evdb_status keyring_open(const keyring_options *options, keyring **out, evdb_error *err);
/* Has one of the keys signed the token? EVDB_DENIED when not; EVDB_BUSY when none are known yet, or any more. */
evdb_status keyring_verify(keyring *k, const jose_token *token, evdb_error *err);
/* Changes when the keys do. */
uint64_t keyring_generation(keyring *k);
/* Waits for a fetch under way: stop what get() does before. NULL is fine. */
void keyring_close(keyring *k);

/* Where an issuer says what it is; "" when that would be too long. */
void keyring_discovery_url(const char *issuer, char out[KEYRING_URL_MAX]);
/* Where its keys are, from what it says there: EVDB_REMOTE when that is of another issuer, or makes no sense. */
evdb_status keyring_keys_url(const char *issuer, const char *text, size_t size, char out[KEYRING_URL_MAX], evdb_error *err);

#endif
