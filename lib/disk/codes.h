/* codes.h - authorization codes in system.db: keyed hashes, each good for one redemption.
 *
 * What comes of one is a family of refresh tokens (disk/refresh.h). Codes that were used are kept as long as anything of that family may
 * be good, so that a copy is recognised. Changes take the system lock. */
#ifndef EVDB_DISK_CODES_H
#define EVDB_DISK_CODES_H
#include "disk/refresh.h"
#include <evdb/user.h>

enum { CODE_CHALLENGE_BYTES = 44 };

typedef struct code_row {
    unsigned char hash[REFRESH_HASH_BYTES], family[REFRESH_FAMILY_BYTES];
    const char *client, *redirect; /* while it is looked at: borrowed */
    int64_t client_generation, user_generation; /* as they were found: DENIED when they are others by now */
    const char *user;
    char subject[EVDB_CLIENT_ID_MAX + 1], challenge[CODE_CHALLENGE_BYTES];
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES], audience[EVDB_AUDIENCE_MAX + 1];
    int64_t expires_ms;
} code_row;

/* Keeps a code, and forgets those that expired before now_ms, and those beyond EVDB_REFRESH_TOKENS_MAX of the client. */
evdb_status codes_add(system_db *s, const code_row *row, int64_t now_ms, evdb_error *err);

/* Uses `hash`, a code of out->client, which out->generation was authenticated for, up: *out then says what it stands for, and is a refresh
 * token to keep when `renews`. The code is remembered until used_until_ms. GONE when it is unknown, another client's or expired; one that
 * was used before takes its family along. What check() says of it is answered when it is not OK, and then it is not used up. It may ask
 * nothing of system.db. */
typedef evdb_status codes_check_fn(void *context, const code_row *code, evdb_error *err);
evdb_status codes_use(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], codes_check_fn *check, void *context, refresh_row *out,
                      bool renews, int64_t now_ms, int64_t used_until_ms, evdb_error *err);

#endif
