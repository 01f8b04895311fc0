/* alloc_user.c - implements alloc_user.h. */
#include "alloc_user.h"
#include <evdb/user.h>
#include <string.h>

#define REDIRECT "http://127.0.0.1:4711/cb"
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

bool alloc_build_users(evdb *db)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE | EVDB_GRANT_REFRESH_TOKEN;
    o.redirect_uris = "http://127.0.0.1/cb";
    return evdb_auth_client_register(db, "public", &o, NULL, NULL) == EVDB_OK &&
           evdb_auth_user_add(db, "alice", "password a", EVDB_SCOPE_ADMIN, "read:docs", NULL) == EVDB_OK;
}

/* Added or changed, and removed. A step that was done before the one that failed is no error when it is asked for again. */
evdb_status alloc_user_change(alloc_scene *s, evdb_error *err)
{
    evdb_status rc = evdb_auth_user_add(s->db, "bob", "password b", 0, NULL, err);
    if (rc == EVDB_OK || rc == EVDB_EXISTS) rc = evdb_auth_user_change_password(s->db, "bob", "password c", err);
    return rc == EVDB_OK ? evdb_auth_user_remove(s->db, "bob", err) : rc;
}

evdb_status alloc_user_check(alloc_scene *s, evdb_error *err)
{
    evdb_user who;
    evdb_status rc = evdb_auth_user_check(s->db, "alice", "password a", &who, err);
    return rc == EVDB_OK ? alloc_expect(strcmp(who.stores, "read:docs") == 0, err) : rc;
}

evdb_status alloc_user_list(alloc_scene *s, evdb_error *err)
{
    evdb_user *list;
    size_t count;
    evdb_status rc = evdb_auth_user_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count >= 1 && strcmp(list[0].name, "alice") == 0, err);
    evdb_auth_user_list_free(list);
    return rc;
}

evdb_status alloc_code(alloc_scene *s, evdb_error *err)
{
    evdb_code_options o = EVDB_CODE_OPTIONS;
    evdb_token_options tokens = EVDB_TOKEN_OPTIONS;
    char code[EVDB_SECRET_BYTES], stores[EVDB_STORE_SCOPES_BYTES];
    evdb_token got;
    evdb_principal who;
    uint32_t scopes;
    o.client = "public";
    o.user = "alice";
    o.redirect_uri = REDIRECT;
    o.challenge = CHALLENGE;
    tokens.authenticated = 1;
    evdb_status rc = evdb_auth_client_check(s->db, "public", NULL, &tokens, err);
    if (rc == EVDB_OK) rc = evdb_auth_code_scopes(s->db, &o, &scopes, stores, err);
    if (rc == EVDB_OK) rc = evdb_auth_code_issue(s->db, &o, code, err);
    if (rc == EVDB_OK) rc = evdb_auth_code_redeem(s->db, "public", NULL, code, REDIRECT, VERIFIER, &tokens, &got, err);
    if (rc == EVDB_OK) rc = evdb_auth_token_check(s->db, got.access, NULL, &who, err);
    return rc == EVDB_OK ? alloc_expect(strcmp(who.subject, "user:alice") == 0, err) : rc;
}
