/* access.c - who asks: from a token to a principal, and what those are told whom that does not help. Whether somebody may is said
 * by op_allow(). */
#include "proto/address.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Our own tokens first: they wait for nobody else's keys. */
static evdb_status check_token(const service *s, const char *audience, const char *token, evdb_principal *out, evdb_error *err)
{
    evdb_check_options ours = EVDB_CHECK_OPTIONS;
    ours.issuer = s->issuer; /* without that setting it changes with the port, and the key is ours in any case */
    ours.whole = 1;
    ours.audience = audience;
    evdb_error theirs;
    evdb_status rc = evdb_auth_token_check(s->db, token, &ours, out, err);
    if (rc != EVDB_DENIED || !s->foreign) return rc;
    evdb_status foreign = s->foreign->identify(s->foreign->context, token, out, &theirs);
    if (foreign == EVDB_NOT_FOUND) return rc;
    return foreign == EVDB_OK ? foreign : op_fail(err, foreign, "%s", theirs.message);
}

void audit_refused(const service *s, const http_request *request, const char *who, const char *via, const char *what)
{
    char address[EVDB_AUDIT_WHO_MAX + 1];
    snprintf(address, sizeof address, "address:%s", request && request->peer ? request->peer : "unknown");
    op_refusals_count(s->refusals, who ? who : address, via, what);
}

void access_refused(const service *s, const http_request *request, const char *client, evdb_status why)
{
    if (why == EVDB_DENIED) throttle_failed(s->throttle, request->peer, client);
}

/* A token is cheap to look at, and nobody guesses one: so the throttle is for bad ones alone, and can lock out nobody. */
static evdb_status check(const service *s, const http_request *request, const char *token, evdb_principal *out, evdb_error *err)
{
    char audience[ADDRESS_AUDIENCE_BYTES];
    evdb_status rc = check_token(s, address_audience(s, request, audience), token, out, err);
    uint32_t wait = rc == EVDB_DENIED ? throttle_ask(s->throttle, request->peer, NULL) : 0;
    if (wait) rc = op_throttled(err, wait, "too many bad tokens came from this address");
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED) access_refused(s, request, NULL, rc);
    return rc;
}

/* Where credentials come. API keys also in headers of their own: the name that most programs use, and the one that clients of other
 * vector databases do. */
static const char *const headers[] = { "Authorization", "X-API-Key", "api-key" };
enum { HEADERS = sizeof headers / sizeof *headers, AUTHORIZATION = 0 };

bool access_by_header(const http_request *request)
{
    bool any = false;
    for (size_t i = 0; request && i < HEADERS; i++) any |= http_header(request, headers[i]) != NULL;
    return any;
}

/* One credential may come in several places, but not several credentials: who stands before evdbd may have looked at the other. */
static evdb_status join(const char **token, const char *text, evdb_error *err)
{
    if (*token && strcmp(*token, text) != 0)
        return op_fail(err, EVDB_INVALID, "the headers and the message have different tokens or keys: send one");
    *token = text;
    return EVDB_OK;
}

/* *token: what the message itself has, or NULL, and then what the headers have. */
static evdb_status read_headers(const http_request *request, const char **token, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; request && rc == EVDB_OK && i < HEADERS; i++) {
        const char *header = http_header(request, headers[i]);
        if (!header) continue;
        if (i == AUTHORIZATION && strncasecmp(header, "Bearer ", 7) != 0)
            return op_fail(err, EVDB_DENIED, "the Authorization header is not of the form 'Bearer TOKEN'");
        if (i == AUTHORIZATION) header += 7 + strspn(header + 7, " ");
        rc = join(token, header, err);
    }
    return rc;
}

static const evdb_principal anonymous = { .client = "anonymous", .scopes = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN };

static evdb_status identify(const service *s, const http_request *request, const char *token, evdb_principal *out, bool *given,
                            evdb_error *err)
{
    *given = token != NULL || access_by_header(request);
    if (!s->oauth_enabled) {
        *out = anonymous;
        return EVDB_OK;
    }
    evdb_status rc = read_headers(request, &token, err);
    if (rc != EVDB_OK) return rc;
    if (!token) return op_fail(err, EVDB_DENIED, "an access token is needed, from /oauth/token, or an API key");
    return check(s, request, token, out, err);
}

evdb_status access_identify(const service *s, const http_request *request, const char *token, evdb_principal *out,
                            bool *given, evdb_error *err)
{
    evdb_status rc = identify(s, request, token, out, given, err);
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED)
        audit_refused(s, request, NULL, request && strcmp(request->path, "/mcp") == 0 ? "mcp" : "rest", *given ? "a bad token" : "no token");
    if (rc == EVDB_OK && (rc = op_meter_request(s->quotas, out, err)) != EVDB_OK) access_refused(s, request, out->client, rc);
    return rc;
}

evdb_status access_agree(const service *s, const http_request *request, const char *token, evdb_error *err)
{
    return s->oauth_enabled ? read_headers(request, &token, err) : EVDB_OK;
}

evdb_status access_lease_take(const service *s, const http_request *request, const char *token, access_lease *out, evdb_error *err)
{
    char audience[ADDRESS_AUDIENCE_BYTES];
    *out = (access_lease){ .token = NULL };
    evdb_status rc = s->oauth_enabled ? read_headers(request, &token, err) : EVDB_OK;
    if (rc != EVDB_OK || !s->oauth_enabled) return rc;
    out->token = strdup(token ? token : "");
    out->audience = strdup(address_audience(s, request, audience));
    if (out->token && out->audience) return EVDB_OK;
    access_lease_drop(out);
    return op_fail(err, EVDB_NO_MEMORY, "out of memory keeping a token");
}

evdb_status access_lease_renew(const service *s, const access_lease *lease, evdb_principal *out, evdb_error *err)
{
    if (lease->token) return check_token(s, lease->audience, lease->token, out, err);
    *out = anonymous;
    return EVDB_OK;
}

void access_lease_drop(access_lease *lease)
{
    if (lease->token) explicit_bzero(lease->token, strlen(lease->token));
    free(lease->token);
    free(lease->audience);
    *lease = (access_lease){ .token = NULL };
}

/* false: it does not fit into a header. */
static bool challenge(const service *s, const http_request *request, http_response *response, const char *what)
{
    char header[HTTP_RESPONSE_HEADER_BYTES], url[ADDRESS_BYTES];
    int length = snprintf(header, sizeof header, "Bearer realm=\"evdb\"%s, resource_metadata=\"%s\"", what, address_metadata(s, request, url));
    if (length < 0 || (size_t)length >= sizeof header) return false;
    http_header_add(response, "WWW-Authenticate", header);
    return true;
}

void challenge_unauthorized(const service *s, const http_request *request, http_response *response, bool token_given)
{
    (void)challenge(s, request, response, token_given ? ", error=\"invalid_token\"" : ", scope=\"read\"");
}

void challenge_forbidden(const service *s, const http_request *request, http_response *response, const char *scopes)
{
    char what[OP_SCOPES_BYTES + 64];
    snprintf(what, sizeof what, ", error=\"insufficient_scope\", scope=\"%s\"", scopes);
    if (!challenge(s, request, response, what)) (void)challenge(s, request, response, ", error=\"insufficient_scope\"");
}
