/* client.c - implements client.h. */
#include "client.h"
#include "expect.h"

client client_new(evdb *db, const char *id)
{
    client c = { .id = id };
    ok(evdb_auth_client_add(db, id, NULL, EVERY_SCOPE, EVERY_GRANT, c.secret, &why));
    return c;
}

evdb_token client_login(evdb *db, const client *c)
{
    evdb_token token;
    ok(evdb_auth_token_issue(db, c->id, c->secret, NULL, &token, &why));
    return token;
}

evdb_token client_refresh(evdb *db, const client *c, const char *refresh)
{
    evdb_token token;
    ok(evdb_auth_token_refresh(db, c->id, c->secret, refresh, NULL, &token, &why));
    return token;
}

bool client_token_good(evdb *db, const char *access)
{
    evdb_principal who;
    evdb_status rc = evdb_auth_token_check(db, access, NULL, &who, &why);
    if (rc != EVDB_OK && rc != EVDB_DENIED) fail_msg("%s: %s", evdb_status_name(rc), why.message);
    return rc == EVDB_OK;
}

void client_refresh_gone(evdb *db, const client *c, const char *refresh)
{
    evdb_token token;
    refused(EVDB_GONE, evdb_auth_token_refresh(db, c->id, c->secret, refresh, NULL, &token, &why));
}
