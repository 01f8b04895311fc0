/* fuzz_query.c - any bytes as the path parameters and the query of each operation: refused, or answered; and a path that is understood
 * can be made again of what was understood.
 *
 * Input: two bytes that choose the operation; the values of its path's parameters, each up to a '/'; then '?' and the query, if there
 * is one. */
#include "choose.h"
#include "http/head.h"
#include "op/op_route.h"
#include "served.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static service served;

/* In place of the one that asks libmicrohttpd. */
const char *http_header(const http_request *request, const char *name)
{
    (void)request;
    (void)name;
    return NULL;
}

/* The operation's path with values in the place of its parameters, and what is left of the text behind it. */
static char *target_of(const op *o, const char *text)
{
    size_t used = 0;
    char *out = malloc(strlen(o->path) + strlen(text) + 1);
    check(out != NULL);
    for (const char *p = o->path; *p;) {
        if (*p != '{') {
            out[used++] = *p++;
            continue;
        }
        size_t length = strcspn(text, "/?");
        memcpy(out + used, text, length);
        used += length;
        text += length + (text[length] == '/');
        p += strcspn(p, "}") + 1;
    }
    memcpy(out + used, text, strlen(text) + 1);
    return out;
}

/* What a path was understood as says again what it was. */
static void check_route(const char *method, const char *path)
{
    char again[4096];
    const char *decoded, *query;
    op_route route, second;
    json_t *args = json_object(), *same = json_object();
    check(args && same);
    if (op_route_find(method, path, args, &route, NULL) == EVDB_OK && route.op &&
        op_route_path(route.op, route.op->path, args, again, sizeof(again)) && !head_target(again, &decoded, &query)) {
        check(op_route_find(method, decoded, same, &second, NULL) == EVDB_OK && second.op == route.op && json_equal(args, same));
    }
    json_decref(args);
    json_decref(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= CHOICE_BYTES || memchr(data + CHOICE_BYTES, 0, size - CHOICE_BYTES)) return 0;
    if (!served.db) served_open(&served);
    const op *o = choose_op(data);
    char *text = strndup((const char *)data + CHOICE_BYTES, size - CHOICE_BYTES);
    char *target = target_of(o, text);
    http_request request = { .method = o->method, .body = "", .port = SERVED_PORT, .peer = "127.0.0.1" };
    http_response response = { 0 };
    if (!head_target(target, &request.path, &request.query)) {
        check_route(o->method, request.path);
        service_handle(&served, &request, &response);
        served_check(&response);
        served_restore(&served, &request, &response);
        http_response_free(&response);
    }
    free(target);
    free(text);
    return 0;
}
