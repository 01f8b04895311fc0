/* rest.c - the REST view of the operation table: paths, queries and JSON bodies to arguments, replies to JSON. */
#include "op/op_route.h"
#include "op/op_slices.h"
#include "op/op_status.h"
#include "proto/proto.h"
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
        if (f && (json_object_get(args, f->name) || (f->alias && json_object_get(args, f->alias))))
            rc = op_fail(err, EVDB_INVALID, "'%s' is given twice", key);
        else if (json_object_set(args, key, value)) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory");
    }
    json_decref(body);
    return rc;
}

static bool takes_body(const op *o)
{
    const op_field *f = o->args;
    while (f->name && !(f->flags & OP_BODY)) f++;
    return f->name != NULL;
}

static evdb_status take_body(const op *o, const http_request *request, op_slices *slices, json_t *args, evdb_error *err)
{
    if (!request->body_size) return EVDB_OK;
    if (media_is(request, "application/json")) return take_json(o, request, slices, args, err);
    slices->body = request->body;
    slices->body_size = request->body_size;
    return EVDB_OK;
}

static void run(const service *s, const op_route *route, const evdb_principal *who, const json_t *args,
                const op_slices *slices, http_response *response)
{
    op_call call = { .db = s->db, .subject = who->client };
    evdb_error err;
    op_out reply = OP_OUT;
    if (op_run(route->op, &call, args, slices, &reply, &err) != EVDB_OK) {
        problem_send(response, &err);
        return;
    }
    response->status = route->op->creates ? 201 : 200;
    http_body_take(response, "application/json", reply.text, reply.size);
}

/* Everything before the operation runs; false when the response is made already. */
static bool admit(const service *s, const http_request *request, const op_route *route, evdb_principal *who,
                  http_response *response)
{
    evdb_error err;
    bool given;
    if (access_identify(s, request, NULL, who, &given, &err) != EVDB_OK) {
        problem_unauthorized(response, given, &err);
        return false;
    }
    if (!route->op && !*route->allow) problem_status(response, 404, "not found", "there is nothing at this path");
    else if (!route->op) {
        problem_status(response, 405, "method not allowed", "this path has no such method");
        http_header_add(response, "Allow", route->allow);
    } else if (op_allow(route->op, who->scopes, &err) != EVDB_OK) problem_forbidden(response, route->op, &err);
    else if (request->body_size && !media_is(request, "application/json") &&
             !(takes_body(route->op) && media_is(request, "application/octet-stream")))
        problem_status(response, 415, "unsupported media type",
                       takes_body(route->op) ? "the body must be application/json, or application/octet-stream of float32"
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
    const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    evdb_status rc = op_route_find(method, request->path, args, &route, &err);
    if (admit(s, request, &route, &who, response)) {
        if (rc == EVDB_OK) rc = take_query(route.op, request->query, args, &err);
        if (rc == EVDB_OK) rc = take_body(route.op, request, &slices, args, &err);
        if (rc == EVDB_OK) run(s, &route, &who, args, &slices, response);
        else problem_send(response, &err);
        op_slices_free(&slices);
    }
    json_decref(args);
}
