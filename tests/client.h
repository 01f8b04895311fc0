/* client.h - a client of a database, as tests of evdb/auth.h want it: with a generated secret, which costs nothing. */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H
#include <evdb/auth.h>
#include <stdbool.h>

enum {
    EVERY_SCOPE = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN,
    EVERY_GRANT = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN
};

typedef struct client {
    const char *id; /* borrowed */
    char secret[EVDB_SECRET_BYTES];
} client;

/* Registers it with every scope and grant. */
client client_new(evdb *db, const char *id);
/* What it gets for its secret. */
evdb_token client_login(evdb *db, const client *c);
/* What it gets for a refresh token. */
evdb_token client_refresh(evdb *db, const client *c, const char *refresh);

/* Is the access token good? False only for EVDB_DENIED. */
bool client_token_good(evdb *db, const char *access);
/* The refresh token is EVDB_GONE. Not for tokens that were used: asking revokes what came of them. */
void client_refresh_gone(evdb *db, const client *c, const char *refresh);

#endif
