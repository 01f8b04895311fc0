/* users.h - people who may log in, in system.db.
 *
 * Rows only: what a password is, and whether it is right, is decided above. Changes take the system lock. */
#ifndef EVDB_DISK_USERS_H
#define EVDB_DISK_USERS_H
#include "disk/system.h"
#include <evdb/user.h>

enum { USER_HASH_BYTES = 48 };

typedef struct user_row {
    char name[EVDB_USER_NAME_MAX + 1];
    unsigned char hash[USER_HASH_BYTES];
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES];
    int64_t generation; /* of the password, a random number: what came of any other is void */
    int64_t created_ms;
} user_row;

evdb_status users_add(system_db *s, const user_row *row, evdb_error *err); /* EXISTS, LIMIT */
/* Hash and generation from row; codes and refresh tokens for the user go. NOT_FOUND. */
evdb_status users_change_secret(system_db *s, const user_row *row, evdb_error *err);
evdb_status users_remove(system_db *s, const char *name, evdb_error *err); /* likewise */
evdb_status users_find(system_db *s, const char *name, user_row *out, bool *found, evdb_error *err);
typedef evdb_status users_each_fn(void *context, const user_row *row, evdb_error *err);
evdb_status users_each(system_db *s, users_each_fn *each, void *context, evdb_error *err); /* by name */

/* I7: each problem with users and codes goes to problem(). CORRUPT or IO when they cannot be read at all. */
evdb_status users_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

#endif
