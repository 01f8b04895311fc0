/* refresh.h - refresh tokens in system.db: keyed hashes, each good for one trade.
 *
 * What came of one log-in is a family. Traded tokens are kept until they expire, so that a copy is recognised. Changes take the
 * system lock. */
#ifndef EVDB_DISK_REFRESH_H
#define EVDB_DISK_REFRESH_H
#include "disk/system.h"
#include <evdb/auth.h>

enum { REFRESH_HASH_BYTES = 32, REFRESH_FAMILY_BYTES = 16 };

typedef struct refresh_row {
    unsigned char hash[REFRESH_HASH_BYTES], family[REFRESH_FAMILY_BYTES];
    const char *client;
    int64_t generation; /* of the client's secret that was shown: DENIED when it has another one by now, or was removed */
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES];
    char subject[EVDB_CLIENT_ID_MAX + 1];  /* for whom the client acts */
    int64_t user_generation; /* of the user that the subject is, when the token was traded or its code used; 0 = it is no user */
    char audience[EVDB_AUDIENCE_MAX + 1]; /* what access tokens may be for at most, "" = anything */
    int64_t expires_ms;
    int64_t idle_ms; /* it must be traded by then, and those that it is traded for end with it; 0 = each has its own full time */
} refresh_row;

/* Keeps a token, and forgets those that expired before now_ms, and those beyond EVDB_REFRESH_TOKENS_MAX of the client. */
evdb_status refresh_add(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err);
/* Trades `hash`, a token of next->client, for *next, which takes over family, scopes, subject and audience, and its end where it has an idle_ms; else next->idle_ms is
 * not looked at. GONE when the token is
 * unknown, another client's, or expired; a token traded before takes its whole family along (disk/revoked.h). What check() says of the
 * token is answered when it is not OK, and then it is not traded. */
typedef evdb_status refresh_check_fn(void *context, const refresh_row *held, evdb_error *err);
evdb_status refresh_trade(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], refresh_check_fn *check, void *context,
                          refresh_row *next, int64_t now_ms, evdb_error *err);

/* Within a transaction: what refresh_add() does; DENIED when the client is another by now than row says; the end of a family. */
evdb_status refresh_check_unchanged(system_db *s, const refresh_row *row, evdb_error *err);
evdb_status refresh_put(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err);
/* Reads row->user_generation: another password that comes later ends what this transaction makes. */
evdb_status refresh_read_user(system_db *s, refresh_row *row, evdb_error *err);
evdb_status refresh_end_family(system_db *s, const unsigned char family[REFRESH_FAMILY_BYTES], const char *client, int64_t now_ms, evdb_error *err);

/* A token that may still be traded, and whose it is: *found. out->client and generation are not set. */
evdb_status refresh_find(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], int64_t now_ms, refresh_row *out,
                         char client[EVDB_CLIENT_ID_MAX + 1], bool *found, evdb_error *err);
/* Ends the family of a token: *found. client NULL = whosoever it is. */
evdb_status refresh_revoke(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], const char *client, int64_t now_ms, bool *found,
                           evdb_error *err);

#endif
