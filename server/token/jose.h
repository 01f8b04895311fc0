/* jose.h - signatures of others: JSON Web Signatures in compact form (RFC 7515), checked with JSON Web Keys (RFC 7517, 7518, 8037).
 *
 * Strict on purpose, since whatever comes here may be hostile. A key says which algorithm it is used with, never the token: the token's
 * `alg` has to name the same. There are ES256 (P-256), RS256 (2048 to 4096 bits) and EdDSA (Ed25519), and neither "none" nor MACs. Keys
 * that a token brings along (jwk, jku, x5u, x5c) are not looked at. */
#ifndef TOKEN_JOSE_H
#define TOKEN_JOSE_H
#include <evdb.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    JOSE_TOKEN_MAX = 16 << 10,     /* bytes of a token */
    JOSE_HEADER_MAX = 2048,        /* of its header, decoded */
    JOSE_SIGNATURE_MAX = 512,
    JOSE_KEYS_TEXT_MAX = 256 << 10, /* of a set of keys */
    JOSE_KEYS_MAX = 64,            /* keys that can be used, in a set */
    JOSE_KID_MAX = 256
};

/* Public keys; never changed, so threads may share them. */
typedef struct jose_keys jose_keys;

typedef enum jose_reading {
    JOSE_EVERY_KEY,  /* a key that cannot be used is an error: for keys that somebody registers */
    JOSE_USABLE_KEYS /* such keys are left out, as RFC 7517 (5) tells who reads what an issuer publishes */
} jose_reading;

/* A JWK set or one JWK, as JSON. EVDB_INVALID says what is wrong with it: no JSON, a member given twice, no key at all. */
evdb_status jose_keys_parse(const char *text, size_t size, jose_reading reading, jose_keys **out, evdb_error *err);
size_t jose_keys_count(const jose_keys *keys);
void jose_keys_free(jose_keys *keys); /* NULL is fine */

typedef struct jose_token {
    json_t *header, *claims;   /* objects; nothing of them is to be believed before jose_verify() */
    const char *algorithm, *kid; /* of the header; kid NULL = none */
    const char *text;          /* borrowed from jose_read() */
    size_t signed_size;        /* of the text, from its begin */
    unsigned char signature[JOSE_SIGNATURE_MAX];
    size_t signature_size;
} jose_token;

/* Takes a token apart: EVDB_DENIED for what is none. Nothing is kept of a failure. text must outlive *out. */
evdb_status jose_read(const char *text, jose_token *out, evdb_error *err);
void jose_token_free(jose_token *token);

/* Is the token signed by the key of that `kid`, or, when it names none, by the only one for its algorithm? EVDB_NOT_FOUND when there is
 * no such key, EVDB_DENIED when the signature, or the algorithm, is not the key's. */
evdb_status jose_verify(const jose_token *token, const jose_keys *keys, evdb_error *err);

#endif
