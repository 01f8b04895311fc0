/* clients.h - who may log in, in system.db: clients, and the database's own key.
 *
 * Rows only: what a secret or a token is, and whether it is right, is decided above. Changes take the system lock. */
#ifndef EVDB_DISK_CLIENTS_H
#define EVDB_DISK_CLIENTS_H
#include "disk/system.h"
#include <evdb/auth.h>

enum { CLIENT_HASH_BYTES = 48, CLIENTS_KEY_BYTES = 32 };

typedef struct client_row {
    char id[EVDB_CLIENT_ID_MAX + 1];
    uint32_t kind, scopes, grants, method; /* kind: auth/secret.h's, 0 or 1 */
    char stores[EVDB_STORE_SCOPES_BYTES];
    unsigned char hash[CLIENT_HASH_BYTES];
    int64_t generation; /* of its secret, a random number: tokens of any other are void */
    int64_t created_ms;
    evdb_quota quota; /* read, and written by clients_set_quota() alone */
} client_row;

/* What is seldom asked for; borrowed. */
typedef struct client_texts { const char *title, *redirects, *jwks; } client_texts;

evdb_status clients_find(system_db *s, const char *id, client_row *out, bool *found, evdb_error *err);
evdb_status clients_add(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err); /* EXISTS, LIMIT */
/* Kind, hash and generation from row; its refresh tokens go. NOT_FOUND. */
evdb_status clients_change_secret(system_db *s, const client_row *row, evdb_error *err);
evdb_status clients_remove(system_db *s, const char *id, evdb_error *err); /* NOT_FOUND */
evdb_status clients_set_quota(system_db *s, const client_row *row, evdb_error *err); /* id and quota from row. NOT_FOUND */
typedef evdb_status clients_each_fn(void *context, const client_row *row, const client_texts *texts, evdb_error *err);
/* By id; only that one, when `id` is not NULL. */
evdb_status clients_each(system_db *s, const char *id, clients_each_fn *each, void *context, evdb_error *err);

/* The database's key: `fresh` when it has none yet, and then system.db's owner alone may read it from now on. */
evdb_status clients_key(system_db *s, const unsigned char fresh[CLIENTS_KEY_BYTES], unsigned char out[CLIENTS_KEY_BYTES],
                        evdb_error *err);

/* I7: each problem with clients, refresh tokens and keys goes to problem(). CORRUPT or IO when they cannot be read at all. */
evdb_status clients_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

#endif
