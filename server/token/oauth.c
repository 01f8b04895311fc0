/* oauth.c - POST /oauth/token (RFC 6749, OAuth 2.1): client_credentials and refresh_token. The tokens are the library's. */
#include "token/client_auth.h"
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What a request says; every text is malloc'd or NULL. */
typedef struct asked {
    char *grant, *scope, *refresh;
    client_auth who;
} asked;

static void forget(asked *a)
{
    client_auth_free(&a->who);
    free(a->grant), free(a->scope), free(a->refresh);
}

static void answer(http_response *response, int status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    response->status = status;
    if (text) http_body_take(response, "application/json", text, strlen(text));
    http_header_add(response, "Cache-Control", "no-store");
    http_header_add(response, "Pragma", "no-cache");
}

static void refuse(http_response *response, int status, const char *code, const char *description)
{
    answer(response, status, json_pack("{s:s, s:s}", "error", code, "error_description", description));
}

/* Fills *a from header and form; the error code of what is wrong, or NULL. */
static const char *read_request(const http_request *request, asked *a, const char **why)
{
    static const char *const names[] = { "grant_type", "scope", "refresh_token" };
    char *values[3];
    bool repeated = false;
    for (size_t i = 0; i < 3; i++) {
        bool twice = false;
        values[i] = http_parameter(request->body, names[i], &twice);
        repeated |= twice;
    }
    *a = (asked){ .grant = values[0], .scope = values[1], .refresh = values[2] };
    if (repeated) *why = "a parameter is given twice";
    else if (!a->grant) *why = "grant_type is missing";
    return *why ? "invalid_request" : client_auth_read(request, &a->who, why);
}

static void send_token(const evdb_token *token, int64_t lifetime_ms, http_response *response)
{
    char scopes[EVDB_SCOPES_BYTES];
    json_t *body = json_pack("{s:s, s:s, s:I, s:s}", "access_token", token->access, "token_type", "Bearer", "expires_in",
                             (json_int_t)(lifetime_ms / 1000), "scope", evdb_auth_scopes_join(token->scopes, token->stores, scopes));
    if (body && *token->refresh) json_object_set_new(body, "refresh_token", json_string(token->refresh));
    answer(response, 200, body);
}

/* What the library's answer is called in RFC 6749, 5.2. It has no word for "too often": servers say what its 4.1.2.1 has. */
static void refuse_for(const evdb_error *err, http_response *response)
{
    switch (err->status) {
    case EVDB_THROTTLED:
        refuse(response, 429, "temporarily_unavailable", err->message);
        retry_after(response, err->retry_s);
        break;
    case EVDB_DENIED:
        refuse(response, 401, "invalid_client", err->message);
        http_header_add(response, "WWW-Authenticate", "Basic realm=\"evdb\"");
        break;
    case EVDB_INVALID: refuse(response, 400, "invalid_scope", err->message); break;
    case EVDB_GONE: refuse(response, 400, "invalid_grant", err->message); break;
    case EVDB_UNSUPPORTED: refuse(response, 400, "unauthorized_client", err->message); break;
    default: problem_send(response, err);
    }
}

static evdb_status ask(const service *s, asked *a, bool refresh, bool made_only, evdb_token *out, evdb_error *err)
{
    evdb_token_options options = EVDB_TOKEN_OPTIONS;
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc = EVDB_OK;
    options.stores = stores;
    *stores = 0;
    options.lifetime_ms = s->token_lifetime_ms;
    options.refresh_lifetime_ms = s->refresh_lifetime_ms;
    options.format = s->token_format;
    options.key_lifetime_ms = s->signing_key_lifetime_ms;
    options.made_only = made_only;
    rc = client_auth_check(s, &a->who, err);
    options.authenticated = a->who.known;
    if (rc == EVDB_OK && a->scope && *a->scope) rc = evdb_auth_scopes_split(a->scope, &options.scopes, stores, err);
    if (rc != EVDB_OK) return rc;
    return refresh ? evdb_auth_token_refresh(s->db, a->who.client, a->who.secret, a->refresh, &options, out, err)
                   : evdb_auth_token_issue(s->db, a->who.client, a->who.secret, &options, out, err);
}

/* Who has to wait may still come with a made secret, which nobody guesses; anything else is answered alike then. */
static evdb_status ask_throttled(const service *s, const http_request *request, asked *a, bool refresh, evdb_token *out,
                                 evdb_error *err)
{
    uint32_t wait = throttle_ask(s->throttle, request->peer, a->who.client);
    evdb_status rc = ask(s, a, refresh, wait != 0, out, err);
    if (wait && (rc == EVDB_DENIED || rc == EVDB_THROTTLED)) rc = op_throttled(err, wait, "too many secrets were wrong: wait");
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED) access_refused(s, request, a->who.client, rc);
    else if (rc == EVDB_OK) throttle_succeeded(s->throttle, request->peer, a->who.client);
    return rc;
}

static void grant(const service *s, const http_request *request, asked *a, http_response *response)
{
    evdb_token token;
    evdb_error err;
    bool refresh = strcmp(a->grant, "refresh_token") == 0;
    if (!refresh && strcmp(a->grant, "client_credentials") != 0)
        refuse(response, 400, "unsupported_grant_type", "client_credentials and refresh_token are supported");
    else if (refresh && !a->refresh) refuse(response, 400, "invalid_request", "refresh_token is missing");
    else if (ask_throttled(s, request, a, refresh, &token, &err) != EVDB_OK) refuse_for(&err, response);
    else {
        send_token(&token, s->token_lifetime_ms, response);
        sodium_memzero(&token, sizeof token);
    }
}

void oauth_handle(const service *s, const http_request *request, http_response *response)
{
    asked a = { 0 };
    const char *why = NULL, *code;
    if (strcmp(request->path, "/oauth/token") != 0) {
        problem_status(response, 404, "not found", "the token endpoint is /oauth/token");
        return;
    }
    if (strcmp(request->method, "POST") != 0) {
        problem_status(response, 405, "method not allowed", "tokens are asked for with POST");
        http_header_add(response, "Allow", "POST");
        return;
    }
    if (!media_is(request, "application/x-www-form-urlencoded")) {
        refuse(response, 400, "invalid_request", "the body must be application/x-www-form-urlencoded");
        return;
    }
    code = read_request(request, &a, &why);
    if (code) {
        bool client = strcmp(code, "invalid_client") == 0;
        refuse(response, client ? 401 : 400, code, why);
        if (client) http_header_add(response, "WWW-Authenticate", "Basic realm=\"evdb\"");
    } else grant(s, request, &a, response);
    if (response->status >= 400 && response->status < 500) audit_refused(s, request, a.who.client, "oauth", a.grant ? a.grant : "no grant");
    forget(&a);
}
