/* oauth.c - POST /oauth/token (RFC 6749, OAuth 2.1): client_credentials, authorization_code and refresh_token. The tokens are the
 * library's. */
#include "proto/address.h"
#include "token/endpoints.h"
#include "token/reply.h"
#include "token/target.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What a request says; every text is malloc'd or NULL. */
typedef struct asked {
    char *grant, *scope, *refresh, *code, *redirect, *verifier;
    char audience[EVDB_AUDIENCE_MAX + 1]; /* "" = none is asked for */
    client_auth who;
} asked;

static void forget(asked *a)
{
    client_auth_free(&a->who);
    free(a->grant), free(a->scope), free(a->refresh), free(a->code), free(a->redirect), free(a->verifier);
}

/* Fills *a from header and form; the error code of what is wrong, or NULL. */
static const char *read_request(const service *s, const http_request *request, asked *a, const char **why)
{
    static const char *const names[] = { "grant_type", "scope", "refresh_token", "code", "redirect_uri", "code_verifier" };
    char **const values[] = { &a->grant, &a->scope, &a->refresh, &a->code, &a->redirect, &a->verifier };
    bool repeated = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool twice = false;
        *values[i] = http_parameter(request->body, names[i], &twice);
        repeated |= twice;
    }
    if (repeated) *why = "a parameter is given twice";
    else if (!a->grant) *why = "grant_type is missing";
    if (*why) return "invalid_request";
    if ((*why = target_read(s, request->body, a->audience))) return "invalid_target";
    return client_auth_read(request, &a->who, why);
}

static void send_token(const evdb_token *token, int64_t lifetime_ms, http_response *response)
{
    char scopes[EVDB_SCOPES_BYTES];
    json_t *body = json_pack("{s:s, s:s, s:I, s:s}", "access_token", token->access, "token_type", "Bearer", "expires_in",
                             (json_int_t)(lifetime_ms / 1000), "scope", evdb_auth_scopes_join(token->scopes, token->stores, scopes));
    if (body && *token->refresh) json_object_set_new(body, "refresh_token", json_string(token->refresh));
    reply_json(response, 200, body);
}

typedef enum kind { CREDENTIALS, REFRESH, CODE, KINDS } kind;
static const struct { const char *name, *needs; } kinds[KINDS] = {
    { "client_credentials", NULL }, { "refresh_token", "refresh_token is missing" }, { "authorization_code", "code, redirect_uri or code_verifier is missing" }
};

static evdb_status ask(const service *s, asked *a, kind grant, bool made_only, evdb_token *out, evdb_error *err)
{
    evdb_token_options options = EVDB_TOKEN_OPTIONS;
    char stores[EVDB_STORE_SCOPES_BYTES], issuer[ADDRESS_BYTES];
    options.stores = stores;
    *stores = 0;
    options.lifetime_ms = s->token_lifetime_ms;
    options.refresh_lifetime_ms = s->refresh_lifetime_ms;
    options.idle_lifetime_ms = s->refresh_idle_ms;
    options.format = s->token_format;
    options.key_lifetime_ms = s->signing_key_lifetime_ms;
    options.made_only = made_only;
    if (s->token_format == EVDB_TOKEN_JWT) { /* an opaque token is good for all of this server, and says nothing to others */
        options.issuer = address_issuer(s, issuer);
        options.audience = *a->audience ? a->audience : NULL;
    }
    evdb_status rc = client_auth_check(s, &a->who, err);
    options.authenticated = a->who.known;
    if (rc == EVDB_OK && grant != CODE && a->scope && *a->scope) rc = evdb_auth_scopes_split(a->scope, &options.scopes, stores, err);
    if (rc != EVDB_OK) return rc;
    const char *client = a->who.client, *secret = a->who.secret;
    switch (grant) {
    case REFRESH: return evdb_auth_token_refresh(s->db, client, secret, a->refresh, &options, out, err);
    case CODE: return evdb_auth_code_redeem(s->db, client, secret, a->code, a->redirect, a->verifier, &options, out, err);
    default: return evdb_auth_token_issue(s->db, client, secret, &options, out, err);
    }
}

static bool complete(const asked *a, kind grant)
{
    return grant == REFRESH ? a->refresh != NULL : grant != CODE || (a->code && a->redirect && a->verifier);
}

/* Who has to wait may still come with a made secret, which nobody guesses; anything else is answered alike then. */
static evdb_status ask_throttled(const service *s, const http_request *request, asked *a, kind which, evdb_token *out,
                                 evdb_error *err)
{
    uint32_t wait = throttle_ask(s->throttle, request->peer, a->who.client);
    evdb_status rc = ask(s, a, which, wait != 0, out, err);
    if (wait && (rc == EVDB_DENIED || rc == EVDB_THROTTLED)) rc = op_throttled(err, wait, "too many secrets were wrong: wait");
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED) access_refused(s, request, a->who.client, rc);
    else if (rc == EVDB_OK) throttle_succeeded(s->throttle, request->peer, a->who.client);
    return rc;
}

static void grant(const service *s, const http_request *request, asked *a, http_response *response)
{
    evdb_token token;
    evdb_error err;
    kind which = CREDENTIALS;
    while (which < KINDS && strcmp(a->grant, kinds[which].name) != 0) which++;
    if (which == KINDS) reply_error(response, 400, "unsupported_grant_type", "client_credentials, authorization_code and refresh_token are supported");
    else if (!complete(a, which)) reply_error(response, 400, "invalid_request", kinds[which].needs);
    else if (ask_throttled(s, request, a, which, &token, &err) == EVDB_OK) {
        send_token(&token, s->token_lifetime_ms, response);
        sodium_memzero(&token, sizeof token);
    } else if (err.status == EVDB_INVALID && *a->audience && (which == CODE || strstr(err.message, "audience")))
        reply_error(response, 400, "invalid_target", err.message);
    else reply_failure(response, &err);
}

/* As the audit log may have it: what else comes as a grant may be anything, a secret too. */
static const char *known_grant(const asked *a)
{
    for (kind k = CREDENTIALS; a->grant && k < KINDS; k++)
        if (strcmp(a->grant, kinds[k].name) == 0) return kinds[k].name;
    return a->grant ? "an unknown grant" : "no grant";
}

void token_handle(const service *s, const http_request *request, http_response *response)
{
    asked a = { .grant = NULL };
    const char *why = NULL, *code;
    if (!reply_form_admitted(request, response)) return;
    code = read_request(s, request, &a, &why);
    if (code && strcmp(code, "invalid_client") == 0) reply_unknown_client(response, why);
    else if (code) reply_error(response, 400, code, why);
    else grant(s, request, &a, response);
    if (response->status >= 400 && response->status < 500) audit_refused(s, request, reply_known_client(s, a.who.client), "oauth", known_grant(&a));
    forget(&a);
}
