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

#endif
