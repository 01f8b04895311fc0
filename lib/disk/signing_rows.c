/* signing_rows.c - implements disk/signing_rows.h. */
#include "disk/signing_rows.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <evdb/auth.h>
#include <string.h>

#define COLUMNS "kid, seed, state, created_ms, changed_ms, lifetime_ms"

typedef struct each_key { signing_row_fn *each; void *context; } each_key;

static evdb_status hand_on(void *context, sqlite3_stmt *st, evdb_error *err)
{
    const each_key *e = context;
    signing_row row = { .state = sqlite3_column_int64(st, 2), .created_ms = sqlite3_column_int64(st, 3),
                        .changed_ms = sqlite3_column_int64(st, 4), .lifetime_ms = sqlite3_column_int64(st, 5) };
    const char *kid = (const char *)sqlite3_column_text(st, 0);
    if (!kid) return error_no_memory(err, SIGNING_ROW_KID_BYTES, "a signing key"); /* the column is NOT NULL */
    size_t length = (size_t)sqlite3_column_bytes(st, 0);
    if (length != SIGNING_ROW_KID_BYTES - 1 || strlen(kid) != length || sqlite3_column_bytes(st, 1) != SIGNING_ROW_SEED_BYTES ||
        row.state < SIGNING_ROW_NEXT || row.state > SIGNING_ROW_RETIRING || row.lifetime_ms < 0 || row.lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS)
        return error_set(err, EVDB_CORRUPT, "system.db: the signing key '%.50s' makes no sense", kid);
    memcpy(row.kid, kid, length + 1);
    memcpy(row.seed, sqlite3_column_blob(st, 1), sizeof(row.seed));
    evdb_status rc = e->each(e->context, &row, err);
    explicit_bzero(row.seed, sizeof(row.seed));
    return rc;
}

evdb_status signing_rows_each(system_db *s, signing_row_fn *each, void *context, evdb_error *err)
{
    return system_query(s, "SELECT " COLUMNS " FROM signing ORDER BY created_ms, kid", NULL, 0, hand_on, &(each_key){ each, context }, err);
}

static evdb_status insert(system_db *s, const signing_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->kid), SYSTEM_BYTES(row->seed, sizeof(row->seed)), SYSTEM_NUMBER(row->state),
                                    SYSTEM_NUMBER(row->created_ms), SYSTEM_NUMBER(row->changed_ms), SYSTEM_NUMBER(row->lifetime_ms) };
    return system_query(s, "INSERT INTO signing(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6)", values, 6, NULL, NULL, err);
}

/* In a transaction. */
static evdb_status rotate(system_db *s, const char *active, const signing_row fresh[2], int64_t now_ms, int64_t ended_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(active), SYSTEM_NUMBER(now_ms) }, ended[] = { SYSTEM_NUMBER(ended_ms) };
    int64_t other = 0, count = 0, promoted = 0;
    evdb_status rc;
    TRY(system_integer(s, "SELECT (SELECT count(*) FROM signing WHERE state=1 AND kid<>?1) + (?1<>'' AND NOT EXISTS"
                       "(SELECT 1 FROM signing WHERE state=1 AND kid=?1))", values, 1, &other, err));
    if (other) return EVDB_OK;
    TRY(system_query(s, "DELETE FROM signing WHERE state=2 AND changed_ms+lifetime_ms<=?1", ended, 1, NULL, NULL, err));
    TRY(system_integer(s, "SELECT count(*) FROM signing", NULL, 0, &count, err));
    if (count + 2 > SIGNING_ROWS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "there are %lld signing keys: the oldest must expire before another one is made", (long long)count));
    TRY(system_query(s, "UPDATE signing SET state=2, changed_ms=?2 WHERE state=1 AND kid=?1", values, 2, NULL, NULL, err));
    TRY(system_integer(s, "UPDATE signing SET state=1, changed_ms=?2 WHERE kid=(SELECT kid FROM signing WHERE state=0"
                       " ORDER BY created_ms LIMIT 1) RETURNING 1", values, 2, &promoted, err));
    if (!promoted) TRY(insert(s, &fresh[0], err));
    TRY(insert(s, &fresh[1], err));
out:
    return rc;
}

evdb_status signing_rows_rotate(system_db *s, const char *active, const signing_row fresh[2], int64_t now_ms, int64_t ended_ms,
                                evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, rotate(s, active, fresh, now_ms, ended_ms, err), true, err);
    system_unlock(s);
    return rc;
}

evdb_status signing_rows_stretch(system_db *s, const char *kid, int64_t lifetime_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(kid), SYSTEM_NUMBER(lifetime_ms) };
    int64_t done = 0;
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_integer(s, "UPDATE signing SET lifetime_ms=max(lifetime_ms,?2) WHERE kid=?1 AND state=1 RETURNING 1", values, 2, &done,
                        err);
    system_unlock(s);
    return rc == EVDB_OK && !done ? error_set(err, EVDB_NOT_FOUND, "'%s' is not the active signing key", kid) : rc;
}
