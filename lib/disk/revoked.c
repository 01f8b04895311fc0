/* revoked.c - implements disk/revoked.h. */
#include "disk/revoked.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <evdb/auth.h>

static evdb_status forget_expired(system_db *s, int64_t now_ms, evdb_error *err)
{
    const system_value now[] = { SYSTEM_NUMBER(now_ms) };
    return system_query(s, "DELETE FROM revoked WHERE expires_ms<?1", now, 1, NULL, NULL, err);
}

/* In a transaction. */
static evdb_status add(system_db *s, const unsigned char *id, const char *client, int64_t expires_ms, int64_t now_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(id, REVOKED_ID_BYTES), SYSTEM_TEXT(client), SYSTEM_NUMBER(expires_ms) };
    const system_value owner[] = { SYSTEM_TEXT(client) };
    int64_t count = 0;
    evdb_status rc;
    TRY(forget_expired(s, now_ms, err));
    TRY(system_integer(s, "SELECT count(*) FROM revoked WHERE client=?1", owner, 1, &count, err));
    if (count >= EVDB_REVOKED_MAX) /* who makes tokens to revoke them all day must not fill the disk */
        TRY(error_set(err, EVDB_LIMIT, "client '%s' has %u revoked tokens that have not expired: a new secret ends them all", client,
                      EVDB_REVOKED_MAX));
    TRY(system_query(s, "INSERT INTO revoked(jti, client, expires_ms) VALUES(?1,?2,?3) ON CONFLICT(jti)"
                     " DO UPDATE SET expires_ms=max(expires_ms,excluded.expires_ms)", values, 3, NULL, NULL, err));
out:
    return rc;
}

evdb_status revoked_add(system_db *s, const unsigned char id[REVOKED_ID_BYTES], const char *client, int64_t expires_ms, int64_t now_ms,
                        evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, add(s, id, client, expires_ms, now_ms, err), true, err);
    system_unlock(s);
    return rc;
}

evdb_status revoked_find(system_db *s, const unsigned char id[REVOKED_ID_BYTES], const unsigned char family[REVOKED_ID_BYTES], bool *found,
                         evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(id, REVOKED_ID_BYTES), SYSTEM_BYTES(family, REVOKED_ID_BYTES) };
    int64_t there = 0;
    evdb_status rc = system_integer(s, "SELECT 1 FROM revoked WHERE jti IN (?1,?2)", values, 2, &there, err);
    *found = there != 0;
    return rc;
}

evdb_status revoked_add_family(system_db *s, const unsigned char family[REVOKED_ID_BYTES], const char *client, int64_t now_ms,
                               evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(family, REVOKED_ID_BYTES), SYSTEM_TEXT(client), SYSTEM_NUMBER(now_ms) };
    const system_value surplus[] = { SYSTEM_TEXT(client), SYSTEM_NUMBER(EVDB_REVOKED_MAX - 1) };
    evdb_status rc;
    TRY(forget_expired(s, now_ms, err));
    TRY(system_query(s, "DELETE FROM revoked WHERE jti IN (SELECT jti FROM revoked WHERE client=?1 ORDER BY expires_ms DESC LIMIT -1"
                     " OFFSET ?2)", surplus, 2, NULL, NULL, err));
    TRY(system_query(s, "INSERT OR REPLACE INTO revoked(jti, client, expires_ms) SELECT ?1, ?2, ?3+(SELECT max(lifetime_ms)"
                     " FROM signing) WHERE EXISTS(SELECT 1 FROM signing)", values, 3, NULL, NULL, err));
out:
    return rc;
}
