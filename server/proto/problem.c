/* problem.c - errors over HTTP: RFC 9457 problem JSON from the one status map. */
#include "op/op_status.h"
#include "proto/proto.h"
#include <inttypes.h>
#include <stdio.h>

/* Texts may quote what came from outside: op_out makes JSON of anything. */
static void send(http_response *response, int status, const char *title, const char *detail, evdb_status code, uint64_t item)
{
    op_out body = OP_OUT;
    op_out_open(&body, NULL, '{');
    op_out_text(&body, "type", "about:blank");
    op_out_text(&body, "title", title);
    op_out_integer(&body, "status", status);
    op_out_text(&body, "detail", detail);
    op_out_text(&body, "code", evdb_status_name(code));
    if (item != EVDB_NO_ITEM) op_out_integer(&body, "item", (int64_t)item);
    op_out_close(&body, '}');
    response->status = status;
    if (op_out_done(&body, NULL) == EVDB_OK) http_body_take(response, "application/problem+json", body.text, body.size);
    else op_out_free(&body);
}

/* The library's status that says most nearly what an HTTP status says. */
static evdb_status nearest(int http)
{
    switch (http) {
    case 401: case 403: return EVDB_DENIED;
    case 404: return EVDB_NOT_FOUND;
    case 413: case 431: return EVDB_LIMIT;
    case 429: return EVDB_THROTTLED;
    case 503: return EVDB_BUSY;
    default: return http < 500 ? EVDB_INVALID : EVDB_INTERNAL;
    }
}

void problem_status(http_response *response, int status, const char *title, const char *detail)
{
    send(response, status, title, detail, nearest(status), EVDB_NO_ITEM);
}

void retry_after(http_response *response, uint32_t seconds)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, seconds ? seconds : 1);
    http_header_add(response, "Retry-After", text);
}

void problem_send(http_response *response, const evdb_error *err)
{
    op_wire wire = op_status(err->status);
    if (wire.retryable) retry_after(response, err->retry_s);
    send(response, wire.http, evdb_status_text(err->status), err->message, err->status, err->item);
}

void problem_unauthorized(const service *s, const http_request *request, http_response *response, bool token_given, const evdb_error *err)
{
    problem_status(response, 401, "not authenticated", err->message);
    challenge_unauthorized(s, request, response, token_given);
}

void problem_forbidden(const service *s, const http_request *request, http_response *response, const char *scopes, const evdb_error *err)
{
    problem_status(response, 403, "not permitted", err->message);
    challenge_forbidden(s, request, response, scopes);
}
