/* alloc_auth.c - implements alloc_auth.h. */
#include "alloc_auth.h"
#include "client.h"
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 40 }; /* a list of them grows while it is made */

/* The same for every copy of the database that the model makes. */
static char secret[EVDB_SECRET_BYTES];
static evdb_token token;

bool alloc_build_clients(evdb *db)
{
    char id[20], unused[EVDB_SECRET_BYTES];
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(id, sizeof(id), "client-%d", i);
        if (evdb_auth_client_add(db, id, NULL, 0, EVERY_GRANT, i ? unused : secret, NULL) != EVDB_OK) return false;
    }
    return evdb_auth_token_issue(db, "client-0", secret, NULL, &token, NULL) == EVDB_OK;
}

evdb_status alloc_client_add(alloc_scene *s, evdb_error *err)
{
    char made[EVDB_SECRET_BYTES];
    evdb_status rc = evdb_auth_client_add(s->db, "new", NULL, 0, 0, made, err);
    return rc == EVDB_OK ? alloc_expect(strlen(made) == 43, err) : rc;
}

evdb_status alloc_client_register(alloc_scene *s, evdb_error *err)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE;
    o.stores = "read:docs";
    o.redirect_uris = "http://127.0.0.1/cb";
    return evdb_auth_client_register(s->db, "new", &o, NULL, err);
}

evdb_status alloc_client_find(alloc_scene *s, evdb_error *err)
{
    evdb_client *found;
    evdb_status rc = evdb_auth_client_find(s->db, "client-7", &found, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(strcmp(found->id, "client-7") == 0, err);
    evdb_auth_client_list_free(found);
    return rc;
}

evdb_status alloc_client_rotate(alloc_scene *s, evdb_error *err)
{
    char made[EVDB_SECRET_BYTES];
    evdb_status rc = evdb_auth_client_rotate(s->db, "client-1", NULL, made, err);
    return rc == EVDB_OK ? alloc_expect(strlen(made) == 43, err) : rc;
}

evdb_status alloc_client_remove(alloc_scene *s, evdb_error *err) { return evdb_auth_client_remove(s->db, "client-2", err); }

evdb_status alloc_client_list(alloc_scene *s, evdb_error *err)
{
    evdb_client *list;
    size_t count;
    evdb_status rc = evdb_auth_client_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count > CLIENTS && strcmp(list[CLIENTS - 1].id, "client-9") == 0, err);
    evdb_auth_client_list_free(list);
    return rc;
}

evdb_status alloc_token_issue(alloc_scene *s, evdb_error *err)
{
    evdb_token got;
    evdb_status rc = evdb_auth_token_issue(s->db, "client-0", secret, NULL, &got, err);
    return rc == EVDB_OK ? alloc_expect(got.scopes == EVDB_SCOPE_READ && strlen(got.refresh) == 43, err) : rc;
}

evdb_status alloc_token_refresh(alloc_scene *s, evdb_error *err)
{
    evdb_token got;
    evdb_status rc = evdb_auth_token_refresh(s->db, "client-0", secret, token.refresh, NULL, &got, err);
    return rc == EVDB_OK ? alloc_expect(strcmp(got.refresh, token.refresh) != 0, err) : rc;
}

evdb_status alloc_quota(alloc_scene *s, evdb_error *err)
{
    const evdb_quota given = { .records = 5 };
    evdb_quota got;
    evdb_status rc = evdb_auth_quota_set(s->db, "client-1", &given, err);
    if (rc == EVDB_OK) rc = evdb_auth_quota_get(s->db, "client-1", &got, err);
    return rc == EVDB_OK ? alloc_expect(got.records == 5 && got.requests == 0, err) : rc;
}

evdb_status alloc_token_check(alloc_scene *s, evdb_error *err)
{
    evdb_principal who;
    evdb_status rc = evdb_auth_token_check(s->db, token.access, NULL, &who, err);
    return rc == EVDB_OK ? alloc_expect(strcmp(who.client, "client-0") == 0, err) : rc;
}

evdb_status alloc_token_inspect(alloc_scene *s, evdb_error *err)
{
    evdb_token_info access, refresh;
    evdb_status rc = evdb_auth_token_inspect(s->db, token.access, &access, err);
    if (rc == EVDB_OK) rc = evdb_auth_token_inspect(s->db, token.refresh, &refresh, err);
    return rc == EVDB_OK ? alloc_expect(!access.refresh && refresh.refresh && strcmp(access.client, refresh.client) == 0, err) : rc;
}

/* Of the token's log-in, so that repeating it finds nothing: that is what was wanted. */
evdb_status alloc_token_revoke(alloc_scene *s, evdb_error *err)
{
    evdb_principal who;
    evdb_status rc = evdb_auth_token_revoke(s->db, NULL, token.refresh, err);
    if (rc != EVDB_OK && rc != EVDB_NOT_FOUND) return rc;
    rc = evdb_auth_token_check(s->db, token.access, NULL, &who, err);
    return rc == EVDB_DENIED ? EVDB_OK : rc == EVDB_OK ? alloc_expect(false, err) : rc;
}

evdb_status alloc_keys(alloc_scene *s, evdb_error *err)
{
    evdb_signing_key *list;
    size_t count;
    char *text;
    evdb_status rc = evdb_auth_keys_rotate(s->db, err);
    if (rc == EVDB_OK) rc = evdb_auth_keys_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    bool right = count >= 3 && list[0].state == EVDB_KEY_ACTIVE;
    evdb_auth_keys_list_free(list);
    rc = evdb_auth_jwks(s->db, &text, err);
    if (rc != EVDB_OK) return rc;
    right = right && strstr(text, "\"OKP\"");
    evdb_auth_jwks_free(text);
    return alloc_expect(right, err);
}

evdb_status alloc_api_keys(alloc_scene *s, evdb_error *err)
{
    char id[EVDB_API_KEY_ID_BYTES], key[EVDB_API_KEY_BYTES];
    evdb_api_key *list;
    evdb_principal who;
    size_t count;
    evdb_status rc = evdb_auth_api_key_add(s->db, NULL, id, key, err);
    if (rc == EVDB_OK) rc = evdb_auth_token_check(s->db, key, NULL, &who, err);
    if (rc == EVDB_OK) rc = evdb_auth_api_key_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    bool right = count >= 1 && strlen(who.client) == 20;
    evdb_auth_api_key_list_free(list);
    rc = evdb_auth_api_key_remove(s->db, id, err);
    return rc == EVDB_OK ? alloc_expect(right, err) : rc;
}
