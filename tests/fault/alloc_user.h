/* alloc_user.h - the calls of evdb/user.h, for the allocations that fail (alloc_calls.h). */
#ifndef TESTS_ALLOC_USER_H
#define TESTS_ALLOC_USER_H
#include "alloc_calls.h"

/* A user, and a client that may ask for codes. */
bool alloc_build_users(evdb *db);
evdb_status alloc_user_change(alloc_scene *s, evdb_error *err);
evdb_status alloc_user_check(alloc_scene *s, evdb_error *err);
evdb_status alloc_user_list(alloc_scene *s, evdb_error *err);
evdb_status alloc_code(alloc_scene *s, evdb_error *err);

#endif
