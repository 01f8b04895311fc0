/* rest.c - the REST view of the operation table: paths, queries and JSON bodies to arguments, replies to JSON.
 *
 * An operation that moves plain bytes has them as the body of its request or reply, and its arguments in path and query. */
#include "op/op_memory.h"
#include "op/op_route.h"
#include "op/op_slices.h"
#include "op/op_status.h"
#include "proto/proto.h"
#include "proto/stream.h"
#include <stdlib.h>
#include <string.h>

enum { QUERY_NAME_MAX = 64 };

/* Query parameters, each bound like an argument of that name; unknown ones are refused by name. */
static evdb_status take_query(const op *o, const char *query, json_t *args, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (const char *p = query; rc == EVDB_OK && *p; p += strcspn(p, "&"), p += *p == '&') {
        char name[QUERY_NAME_MAX];
        size_t length = strcspn(p, "=&");
        bool twice = false;
        json_t *value = NULL;
        if (!length && *p == '&') continue;
        if (length >= sizeof name) return op_fail(err, EVDB_INVALID, "a query parameter's name is too long");
        memcpy(name, p, length);
        name[length] = 0;
        const op_field *f = op_field_find(o, name);
        if (!f) return op_fail(err, EVDB_INVALID, "%s has no argument '%s'", o->name, name);
        char *text = http_parameter(query, name, &twice);
        if (!text) return op_fail(err, EVDB_INVALID, "query parameter '%s' is malformed", name);
        if (twice || json_object_get(args, f->name)) rc = op_fail(err, EVDB_INVALID, "'%s' is given twice", name);
        if (rc == EVDB_OK) rc = op_text_value(f, text, &value, err);
        if (rc == EVDB_OK && json_object_set_new(args, f->name, value)) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory");
        free(text);
    }
    return rc;
}

/* Members of a JSON body join what path and query said; one may not say what the other has said already. */
static evdb_status take_json(const op *o, const http_request *request, op_slices *slices, json_t *args, evdb_error *err)
{
    json_t *body = NULL, *value;
    const char *key;
    evdb_status rc = op_slices_parse(request->body, request->body_size, slices, &body, err);
    if (rc != EVDB_OK) return rc;
    if (!json_is_object(body)) rc = op_fail(err, EVDB_INVALID, "the body must be a JSON object");
    json_object_foreach(body, key, value) {
        const op_field *f = op_field_find(o, key);
        if (rc != EVDB_OK) break;
        if (f && op_field_given(f, args, NULL))
            rc = op_fail(err, EVDB_INVALID, "'%s' is given twice", key);
        else if (json_object_set(args, key, value)) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory");
    }
    json_decref(body);
    return rc;
}


static evdb_status take_body(const op *o, const http_request *request, op_slices *slices, json_t *args, evdb_error *err)
{
    if (!request->body_size || o->stream == OP_STREAM_IN) return EVDB_OK;
    if (media_is(request, "application/json")) return take_json(o, request, slices, args, err);
    slices->body = request->body;
    slices->body_size = request->body_size;
    return EVDB_OK;
}

static void put_head(const op *o, const json_t *args, http_response *response)
{
    char location[EVDB_ID_BYTES_MAX];
    if (o->secret) http_header_add(response, "Cache-Control", "no-store");
    if (!o->creates) return;
    response->status = 201;
    if (op_route_path(o, o->creates, args, location, sizeof location)) http_header_add(response, "Location", location);
}

static void forbid(const service *s, const http_request *request, const op *o, const evdb_principal *who, const json_t *args,
                   const evdb_error *err, http_response *response)
{
    char needed[OP_SCOPES_BYTES];
    audit_refused(s, request, who->client, "rest", o->name);
    problem_forbidden(s, request, response, op_scopes_needed(o, who, args, needed), err);
}

static void run(const service *s, const op *o, const evdb_principal *who, const http_request *request, const json_t *args,
                const op_slices *slices, http_response *response)
{
    op_out reply = OP_OUT;
    op_file file;
    op_memory body = { .at = request->body, .size = request->body_size };
    body_sink spool = { 0 };
    evdb_source from = op_memory_source(&body);
    evdb_sink to = body_sink_of(&spool);
    op_meter meter = { s->quotas, who, request->body_size };
    op_call call = { .db = s->db, .who = who, .protocol = "rest", .backup_key = s->backup_key, .bucket = s->bucket, .from = &from,
                     .to = &to, .file = &file, .meter = s->quotas ? &meter : NULL };
    evdb_error err;
    if (op_allow(o, who, args, &err) != EVDB_OK) {
        forbid(s, request, o, who, args, &err, response);
        return;
    }
    evdb_status rc = o->stream == OP_STREAM_OUT ? body_sink_open(&spool, &err) : EVDB_OK;
    if (rc == EVDB_OK) rc = op_run(o, &call, args, slices, &reply, &err);
    if (rc == EVDB_OK && o->stream == OP_STREAM_OUT) rc = body_sink_send(&spool, &file, response, &err);
    body_sink_close(&spool);
    if (rc != EVDB_OK) problem_send(response, &err);
    else put_head(o, args, response);
    if (rc == EVDB_OK && o->stream != OP_STREAM_OUT) http_body_take(response, "application/json", reply.text, reply.size);
    else op_out_free(&reply);
}

static bool good_type(const op *o, const http_request *request)
{
    return !request->body_size || o->stream == OP_STREAM_IN || media_is(request, "application/json") ||
           (op_takes_body(o) && media_is(request, "application/octet-stream"));
}

static void refuse_method(const http_request *request, const op_route *route, http_response *response)
{
    if (strcmp(request->method, "OPTIONS") == 0) response->status = 204;
    else problem_status(response, 405, "method not allowed", "this path has no such method");
    http_header_add(response, "Allow", route->allow);
}

/* Everything before the operation runs; false when the response is made already. */
static bool admit(const service *s, const http_request *request, const op_route *route, const json_t *args, evdb_principal *who,
                  http_response *response)
{
    evdb_error err;
    bool given;
    evdb_status rc = access_identify(s, request, NULL, who, &given, &err);
    if (rc != EVDB_OK) {
        if (rc == EVDB_DENIED) problem_unauthorized(s, request, response, given, &err);
        else problem_send(response, &err);
        return false;
    }
    if (!route->op && !*route->allow) problem_status(response, 404, "not found", "there is nothing at this path");
    else if (!route->op) refuse_method(request, route, response);
    else if (op_allow(route->op, who, args, &err) != EVDB_OK) forbid(s, request, route->op, who, args, &err, response);
    else if (!good_type(route->op, request))
        problem_status(response, 415, "unsupported media type", op_takes_body(route->op)
                           ? "the body must be application/json, or application/octet-stream of little-endian numbers"
                           : "the body must be application/json");
    else return true;
    return false;
}

void rest_handle(const service *s, const http_request *request, http_response *response)
{
    op_route route;
    evdb_principal who;
    evdb_error err;
    json_t *args = json_object();
    op_slices slices = OP_SLICES;
    evdb_status rc = op_route_find(request->method, request->path, args, &route, &err);
    if (admit(s, request, &route, args, &who, response)) {
        if (rc == EVDB_OK) rc = take_query(route.op, request->query, args, &err);
        if (rc == EVDB_OK) rc = take_body(route.op, request, &slices, args, &err);
        if (rc == EVDB_OK) run(s, route.op, &who, request, args, &slices, response);
        else problem_send(response, &err);
        op_slices_free(&slices);
    }
    json_decref(args);
}
