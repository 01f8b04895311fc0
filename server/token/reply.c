/* reply.c - implements token/reply.h. */
#include "token/reply.h"
#include "op/op_status.h"
#include <stdlib.h>
#include <string.h>

void reply_json(http_response *response, int status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    response->status = status;
    if (text) http_body_take(response, "application/json", text, strlen(text));
    http_header_add(response, "Cache-Control", "no-store");
    http_header_add(response, "Pragma", "no-cache");
}

/* Descriptions may quote what came from outside, and are of fewer letters than that: RFC 6749, 5.2. */
static void make_plain(const char *text, char *out, size_t room)
{
    size_t length = 0;
    for (; *text && length + 1 < room; text++) {
        char c = *text == '"' ? '\'' : *text;
        out[length++] = c < ' ' || c > '~' || c == '\\' ? '?' : c;
    }
    out[length] = 0;
}

void reply_error(http_response *response, int status, const char *code, const char *description)
{
    char plain[sizeof ((evdb_error *)0)->message];
    make_plain(description, plain, sizeof plain);
    reply_json(response, status, json_pack("{s:s, s:s}", "error", code, "error_description", plain));
}

void reply_unknown_client(http_response *response, const char *description)
{
    reply_error(response, 401, "invalid_client", description);
    http_header_add(response, "WWW-Authenticate", "Basic realm=\"evdb\"");
}

void reply_failure(http_response *response, const evdb_error *err)
{
    op_wire wire = op_status(err->status);
    switch (err->status) {
    case EVDB_THROTTLED: /* RFC 6749, 5.2 has no word for "too often": servers say what its 4.1.2.1 has */
        reply_error(response, 429, "temporarily_unavailable", err->message);
        retry_after(response, err->retry_s);
        break;
    case EVDB_DENIED: reply_unknown_client(response, err->message); break;
    case EVDB_INVALID: reply_error(response, 400, "invalid_scope", err->message); break;
    case EVDB_GONE: reply_error(response, 400, "invalid_grant", err->message); break;
    case EVDB_UNSUPPORTED: reply_error(response, 400, "unauthorized_client", err->message); break;
    default:
        reply_error(response, wire.http, wire.retryable ? "temporarily_unavailable" : "server_error", err->message);
        if (wire.retryable) retry_after(response, err->retry_s);
    }
}

const char *reply_known_client(const service *s, const char *client)
{
    evdb_client *found = NULL;
    if (!client || evdb_auth_client_find(s->db, client, &found, NULL) != EVDB_OK) return NULL;
    evdb_auth_client_list_free(found);
    return client;
}

bool reply_form_admitted(const http_request *request, http_response *response)
{
    if (strcmp(request->method, "POST") != 0) {
        reply_error(response, 405, "invalid_request", "this is asked with POST");
        http_header_add(response, "Allow", "POST");
    } else if (!media_is(request, "application/x-www-form-urlencoded"))
        reply_error(response, 400, "invalid_request", "the body must be application/x-www-form-urlencoded");
    else if (!http_form_good(request->body, request->body_size)) /* what cannot be read must not pass for what is not there */
        reply_error(response, 400, "invalid_request", "the body is not well-formed");
    else return true;
    return false;
}

/* Who has to wait may still come with a made secret, which nobody guesses. */
static evdb_status check(const service *s, const http_request *request, client_auth *who, evdb_error *err)
{
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    uint32_t wait = throttle_ask(s->throttle, request->peer, who->client);
    evdb_status rc = client_auth_check(s, who, err);
    o.authenticated = who->known;
    o.made_only = wait != 0;
    if (rc == EVDB_OK) rc = evdb_auth_client_check(s->db, who->client, who->secret, &o, err);
    if (wait && (rc == EVDB_DENIED || rc == EVDB_THROTTLED)) rc = op_throttled(err, wait, "too many secrets were wrong: wait");
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED) access_refused(s, request, who->client, rc);
    else if (rc == EVDB_OK) throttle_succeeded(s->throttle, request->peer, who->client);
    return rc;
}

bool reply_identify(const service *s, const http_request *request, client_auth *who, http_response *response)
{
    evdb_error err;
    const char *why = NULL, *code = client_auth_read(request, who, &why);
    if (code && strcmp(code, "invalid_client") == 0) reply_unknown_client(response, why);
    else if (code) reply_error(response, 400, code, why);
    evdb_status rc = code ? EVDB_OK : check(s, request, who, &err);
    if (rc != EVDB_OK) reply_failure(response, &err);
    if (code || rc != EVDB_OK) audit_refused(s, request, reply_known_client(s, who->client), "oauth", request->path);
    return !code && rc == EVDB_OK;
}
