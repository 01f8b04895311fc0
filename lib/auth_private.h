/* auth_private.h - what the two halves of evdb/auth.h share. */
#ifndef EVDB_AUTH_PRIVATE_H
#define EVDB_AUTH_PRIVATE_H
#include "auth/secret.h"
#include "disk/clients.h"
#include "disk/refresh.h"
#include "engine/engine.h"

/* The handle may be used, and the database's key is known. */
evdb_status auth_begin(evdb *db, evdb_error *err);

/* With the scopes that these include. */
uint32_t auth_scopes_whole(uint32_t scopes);
/* Is all that is asked for, in bits and for some stores, among what is held? */
bool auth_scopes_cover(uint32_t scopes, const char *stores, uint32_t asked, const char *asked_stores);
/* Takes a text of scopes of stores as evdb_auth_scopes_split() does, which may hold no others; NULL and "" are none. */
evdb_status auth_stores_take(const char *text, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err);

/* Redirect URIs, separated by blanks: absolute, without a fragment, and nowhere that others can listen. INVALID, LIMIT. */
evdb_status auth_redirects_check(const char *uris, evdb_error *err);

#endif
