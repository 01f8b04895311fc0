/* alloc_auth.h - the calls of evdb/auth.h among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_AUTH_H
#define TESTS_FAULT_ALLOC_AUTH_H
#include "alloc_calls.h"

/* Registers the clients that the calls below are about. */
bool alloc_build_clients(evdb *db);

evdb_status alloc_client_add(alloc_scene *s, evdb_error *err);
evdb_status alloc_client_register(alloc_scene *s, evdb_error *err);
evdb_status alloc_client_find(alloc_scene *s, evdb_error *err);
evdb_status alloc_client_rotate(alloc_scene *s, evdb_error *err);
evdb_status alloc_client_remove(alloc_scene *s, evdb_error *err);
evdb_status alloc_client_list(alloc_scene *s, evdb_error *err);
evdb_status alloc_token_issue(alloc_scene *s, evdb_error *err);
evdb_status alloc_token_refresh(alloc_scene *s, evdb_error *err);
evdb_status alloc_quota(alloc_scene *s, evdb_error *err);
evdb_status alloc_token_check(alloc_scene *s, evdb_error *err);
evdb_status alloc_token_inspect(alloc_scene *s, evdb_error *err);
evdb_status alloc_token_revoke(alloc_scene *s, evdb_error *err);
evdb_status alloc_keys(alloc_scene *s, evdb_error *err);
evdb_status alloc_api_keys(alloc_scene *s, evdb_error *err);

#endif
