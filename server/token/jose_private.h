/* jose_private.h - a key that signatures are checked with, for the files that implement jose.h. */
#ifndef TOKEN_JOSE_PRIVATE_H
#define TOKEN_JOSE_PRIVATE_H
#include "token/jose.h"

enum { JOSE_RSA_MIN = 256, JOSE_RSA_MAX = 512, JOSE_EXPONENT_MAX = 8, JOSE_COORDINATE = 32, JOSE_ED25519_KEY = 32 }; /* bytes */

typedef enum jose_algorithm { JOSE_ES256, JOSE_RS256, JOSE_EDDSA } jose_algorithm;

typedef struct jose_key {
    jose_algorithm algorithm;
    bool named;
    char kid[JOSE_KID_MAX + 1];
    unsigned char n[JOSE_RSA_MAX], e[JOSE_EXPONENT_MAX]; /* RSA: without zeros in front */
    size_t n_size, e_size;
    unsigned char x[JOSE_COORDINATE], y[JOSE_COORDINATE]; /* P-256; Ed25519 has x alone */
} jose_key;

struct jose_keys {
    size_t count;
    jose_key at[JOSE_KEYS_MAX];
};

/* Is this how headers and keys name it? Ed25519 has two names: RFC 8037's, and that of RFC 9864, which means nothing else. */
bool jose_algorithm_is(jose_algorithm algorithm, const char *name);
/* Without padding, blanks, or bits that say nothing (RFC 7515, 2). *size is what was decoded, at most room. */
bool jose_base64url(const char *text, size_t text_size, void *out, size_t room, size_t *size);

/* The two places that know how a signature is checked (jose_signature.c). Is the key one that can be: a point of its curve, an odd
 * modulus? */
bool jose_key_sound(const jose_key *key);
bool jose_signature_good(const jose_key *key, const void *data, size_t size, const unsigned char *signature, size_t signature_size);

#endif
