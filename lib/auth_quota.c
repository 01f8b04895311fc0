/* auth_quota.c - the limits of clients in evdb/auth.h, which are kept here and enforced by evdbd. */
#include "auth_private.h"
#include "base/error.h"
#include "base/try.h"
#include <evdb/auth.h>
#include <inttypes.h>
#include <string.h>

static evdb_status check(const char *name, int64_t limit, int64_t most, evdb_error *err)
{
    if (limit >= EVDB_QUOTA_NONE && limit <= most) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "a quota of %s is -1 to %" PRId64 ", not %" PRId64, name, most, limit);
}

/* A client of that id can be there; else it is not found, as any other that is not. */
static bool take_id(const char *id, client_row *row)
{
    size_t length = id ? strlen(id) : 0;
    if (length < 1 || length > EVDB_CLIENT_ID_MAX) return false;
    memcpy(row->id, id, length + 1);
    return true;
}

static evdb_status missing(const char *id, evdb_error *err)
{
    return error_set(err, EVDB_NOT_FOUND, "there is no client '%.80s'", id ? id : "");
}

evdb_status evdb_auth_quota_set(evdb *db, const char *client, const evdb_quota *quota, evdb_error *err)
{
    client_row row = { 0 };
    evdb_status rc;
    TRY(db_usable(db, err));
    if (!quota) TRY(error_set(err, EVDB_INVALID, "the quota is missing"));
    TRY(check("requests", quota->requests, EVDB_QUOTA_REQUESTS_MAX, err));
    TRY(check("records", quota->records, INT64_MAX, err));
    TRY(check("bytes", quota->bytes, INT64_MAX, err));
    if (!take_id(client, &row)) TRY(missing(client, err));
    row.quota = *quota;
    rc = clients_set_quota(db->system, &row, err);
out:
    return rc;
}

evdb_status evdb_auth_quota_get(evdb *db, const char *client, evdb_quota *out, evdb_error *err)
{
    client_row row = { 0 };
    bool found = false;
    evdb_status rc;
    TRY(db_usable(db, err));
    if (take_id(client, &row)) TRY(clients_find(db->system, client, &row, &found, err));
    if (!found) TRY(missing(client, err));
    *out = row.quota;
out:
    return rc;
}
