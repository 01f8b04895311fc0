/* problem.c - errors over HTTP: RFC 9457 problem JSON from the one status map. */
#include "op/op_status.h"
#include "proto/proto.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_json(http_response *response, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text) http_body_take(response, "application/problem+json", text, strlen(text));
}

void problem_status(http_response *response, int status, const char *title, const char *detail)
{
    response->status = status;
    send_json(response, json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", title, "status", status, "detail", detail));
}

void problem_send(http_response *response, const evdb_error *err)
{
    op_wire wire = op_status(err->status);
    response->status = wire.http;
    json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title", evdb_status_text(err->status),
                             "status", wire.http, "detail", err->message, "code", evdb_status_name(err->status));
    if (body && err->item != EVDB_NO_ITEM) json_object_set_new(body, "item", json_integer((json_int_t)err->item));
    if (wire.retryable) http_header_add(response, "Retry-After", "1");
    send_json(response, body);
}

void problem_unauthorized(http_response *response, bool token_given, const evdb_error *err)
{
    problem_status(response, 401, "not authenticated", err->message);
    challenge_unauthorized(response, token_given);
}

void problem_forbidden(http_response *response, const op *o, const evdb_error *err)
{
    problem_status(response, 403, "not permitted", err->message);
    challenge_forbidden(response, o);
}
