/* introspect.c - POST /oauth/introspect (RFC 7662): what a token is. A client is told of its own; one that may do everything, of all. */
#include "token/endpoints.h"
#include "token/reply.h"
#include <stdlib.h>
#include <string.h>

static bool may_see(const service *s, const char *client, const evdb_token_info *info)
{
    evdb_client *c;
    evdb_error err;
    if (strcmp(client, info->client) == 0) return true;
    if (evdb_auth_client_find(s->db, client, &c, &err) != EVDB_OK) return false;
    bool admin = c->scopes & EVDB_SCOPE_ADMIN;
    evdb_auth_client_list_free(c);
    return admin;
}

static json_t *audiences(const char *words)
{
    json_t *list = json_array();
    for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ') json_array_append_new(list, json_stringn(at, strcspn(at, " ")));
    return list;
}

static json_t *describe(const evdb_token_info *info)
{
    static const size_t user = sizeof EVDB_SUBJECT_USER - 1;
    char scopes[EVDB_SCOPES_BYTES];
    json_t *body = json_pack("{s:b, s:s, s:s, s:s, s:I}", "active", 1, "client_id", info->client, "sub", info->subject, "scope",
                             evdb_auth_scopes_join(info->scopes, info->stores, scopes), "exp", (json_int_t)(info->expires_ms / 1000));
    if (!info->refresh) json_object_set_new(body, "token_type", json_string("Bearer"));
    if (strncmp(info->subject, EVDB_SUBJECT_USER, user) == 0) json_object_set_new(body, "username", json_string(info->subject + user));
    if (info->issued_ms) json_object_set_new(body, "iat", json_integer(info->issued_ms / 1000));
    if (*info->issuer) json_object_set_new(body, "iss", json_string(info->issuer));
    if (*info->audience) json_object_set_new(body, "aud", audiences(info->audience));
    if (*info->id) json_object_set_new(body, "jti", json_string(info->id));
    return body;
}

static void introspect(const service *s, const client_auth *who, const http_request *request, http_response *response)
{
    evdb_token_info info;
    evdb_error err;
    bool twice = false;
    char *token = http_parameter(request->body, "token", &twice);
    evdb_status rc = token ? evdb_auth_token_inspect(s->db, token, &info, &err) : EVDB_DENIED;
    if (!token || twice) reply_error(response, 400, "invalid_request", token ? "token is given twice" : "token is missing");
    else if (rc == EVDB_DENIED || (rc == EVDB_OK && !may_see(s, who->client, &info))) reply_json(response, 200, json_pack("{s:b}", "active", 0));
    else if (rc == EVDB_OK) reply_json(response, 200, describe(&info));
    else reply_failure(response, &err);
    free(token);
}

/* Known by its name alone, who asks could be anybody that tries tokens. */
static bool is_public(const client_auth *who) { return !who->secret && !who->assertion; }

void introspect_handle(const service *s, const http_request *request, http_response *response)
{
    client_auth who;
    if (!reply_form_admitted(request, response)) return;
    if (reply_identify(s, request, &who, response)) {
        if (is_public(&who)) reply_unknown_client(response, "a client must show who it is to ask what tokens are");
        else introspect(s, &who, request, response);
    }
    client_auth_free(&who);
}
