/* secret.h - secrets and what is kept of them: never the secret itself.
 *
 * A generated secret has 256 random bits, so a keyed BLAKE2b of it is as good as the secret is. A secret chosen by a person is
 * kept as Argon2id (RFC 9106), whose 64 MB and tens of milliseconds are the point; two are computed at a time, and a
 * good answer is remembered in memory as a keyed hash, so that a client that asks for a token each second pays once. */
#ifndef EVDB_AUTH_SECRET_H
#define EVDB_AUTH_SECRET_H
#include "platform/platform.h"
#include <evdb/error.h>
#include <stdbool.h>

enum {
    SECRET_RANDOM_BYTES = 32,
    SECRET_KEY_BYTES = 32,
    SECRET_HASH_BYTES = 48,  /* of a generated one the first 32 count */
    SECRET_AT_ONCE = 2,      /* Argon2id computations */
    SECRET_WAITING = 1,      /* that wait for their turn to be compared; more are refused, so that who guesses stops no more threads */
    SECRET_REMEMBERED = 64   /* good answers */
};

typedef enum secret_kind { SECRET_GENERATED = 0, SECRET_CHOSEN = 1 } secret_kind;

/* What a database keeps in memory for this. All functions are thread-safe. */
typedef struct secrets secrets;
evdb_status secrets_create(const platform *p, secrets **out, evdb_error *err);
void secrets_free(secrets *s);

/* The key of the database, which tokens and generated secrets are hashed with. Until it is set nothing below may be called. */
bool secrets_ready(const secrets *s);
void secrets_set_key(secrets *s, const unsigned char key[SECRET_KEY_BYTES]);

/* BLAKE2b of bytes under a key of that purpose's own. */
typedef enum secret_purpose {
    SECRET_FOR_CLIENTS = 1, SECRET_FOR_ACCESS = 2, SECRET_FOR_REFRESH = 3, SECRET_FOR_CODES = 4, SECRET_FOR_API_KEYS = 5
} secret_purpose;
void secret_mac(const secrets *s, secret_purpose purpose, const void *bytes, size_t size, unsigned char out[32]);

evdb_status secret_hash(secrets *s, secret_kind kind, const char *secret, unsigned char out[SECRET_HASH_BYTES], evdb_error *err);
/* EVDB_BUSY when too many are looked at; never for what is remembered. */
evdb_status secret_matches(secrets *s, secret_kind kind, const char *secret, const unsigned char hash[SECRET_HASH_BYTES],
                           bool *out, evdb_error *err);

#endif
