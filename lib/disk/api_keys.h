/* api_keys.h - API keys in system.db: rows only, as disk/clients.h has those of clients. Changes take the system lock. */
#ifndef EVDB_DISK_API_KEYS_H
#define EVDB_DISK_API_KEYS_H
#include "disk/system.h"
#include <evdb/auth.h>

enum { API_KEY_HASH_BYTES = 32 };

typedef struct api_key_row {
    evdb_api_key key;
    unsigned char hash[API_KEY_HASH_BYTES]; /* of its text */
} api_key_row;

evdb_status api_keys_add(system_db *s, const api_key_row *row, evdb_error *err);      /* LIMIT */
evdb_status api_keys_remove(system_db *s, const char *id, evdb_error *err);           /* NOT_FOUND */
typedef evdb_status api_keys_each_fn(void *context, const api_key_row *row, evdb_error *err);
/* By id; only that one, when `id` is not NULL. */
evdb_status api_keys_each(system_db *s, const char *id, api_keys_each_fn *each, void *context, evdb_error *err);

/* I7: each key that makes no sense goes to problem(). */
evdb_status api_keys_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

#endif
