/* served.c - implements served.h. */
#include "served.h"
#include "token/session.h"
#include <stdlib.h>
#include <string.h>

void check(bool sound)
{
    if (!sound) abort();
}

/* In place of exchange.c: without memory for a stream, and with clients that stay. */
http_stream *http_stream_begin(const http_request *request, http_response *response)
{
    (void)request, (void)response;
    return NULL;
}

bool http_client_left(const http_request *request)
{
    (void)request;
    return false;
}

void served_open(service *s)
{
    static session_keys *sessions;
    static const char fill[] = "{\"name\": \"s\", \"id\": 1, \"vector\": [1, 2], \"metadata\": {\"a\": 1}}";
    json_t *args;
    op_out reply = { 0 };
    op_call call = { .db = NULL };
    check(evdb_open(":memory:", NULL, &call.db, NULL) == EVDB_OK);
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.metric = EVDB_EUCLIDEAN;
    check(evdb_store_create(call.db, "s", &options, NULL, NULL) == EVDB_OK);
    check(op_parse(fill, sizeof fill - 1, &args, NULL) == EVDB_OK);
    check(op_run(op_find("insert_vector"), &call, args, NULL, &reply, NULL) == EVDB_OK);
    json_decref(args);
    op_out_free(&reply);
    *s = (service){ .db = call.db, .mcp_port = SERVED_PORT, .oauth_port = SERVED_PORT, .rest_port = SERVED_PORT, .rest_enabled = true,
                    .registration = true };
    if (!sessions) check((sessions = session_keys_create()) != NULL);
    s->sessions = sessions;
}

void served_check(const http_response *response)
{
    int status = response->status ? response->status : 200;
    check(status >= 200 && status <= 503 && status != 500);
    check(response->body_size == 0 || response->body || response->from_file);
    for (size_t i = 0; i < response->header_count; i++) check(!strpbrk(response->headers[i].value, "\r\n"));
    check(!response->location || (status == 303 && !strpbrk(response->location, "\r\n \"<>")));
    if (!response->body || !response->type || !strstr(response->type, "json")) return;
    json_t *json = json_loadb(response->body, response->body_size, 0, NULL);
    check(json != NULL);
    if (strstr(response->type, "problem"))
        check(json_integer_value(json_object_get(json, "status")) == status && status >= 400);
    json_decref(json);
}

void served_restore(service *s, const http_request *request, const http_response *response)
{
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (reads || response->status >= 400) return;
    evdb_close(s->db);
    served_open(s);
}
