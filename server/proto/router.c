/* router.c - which protocol a request belongs to, by the port it came in on and its path. */
#include "proto/proto.h"
#include <jansson.h>
#include <string.h>

static void health(const service *s, const http_request *request, http_response *response)
{
    evdb_store_info **list;
    size_t count;
    evdb_error err;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        problem_status(response, 405, "method not allowed", "this path has no such method");
        http_header_add(response, "Allow", "GET, HEAD");
        return;
    }
    if (strcmp(request->path, "/readyz") == 0) {
        if (evdb_store_list(s->db, &list, &count, &err) != EVDB_OK) {
            problem_send(response, &err);
            response->status = 503;
            return;
        }
        evdb_store_list_free(list, count);
    }
    http_body_copy(response, "application/json", "{\"status\":\"ok\"}", 15);
}

static bool below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/');
}

void service_handle(void *context, const http_request *request, http_response *response)
{
    const service *s = context;
    const char *path = request->path;
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0) health(s, request, response);
    else if (request->port == s->oauth_port && jwks_at(path)) jwks_handle(s, request, response);
    else if (request->port == s->oauth_port && s->oauth_enabled && metadata_at(path)) metadata_handle(s, request, response);
    else if (s->oauth_enabled && resource_handle(s, request, response)) return;
    else if (request->port == s->oauth_port && below(path, "/oauth")) oauth_handle(s, request, response);
    else if (request->port == s->rest_port && s->rest_enabled && below(path, "/api/v1")) rest_handle(s, request, response);
    else if (request->port == s->mcp_port && strcmp(path, "/mcp") == 0) mcp_handle(s, request, response);
    else problem_status(response, 404, "not found", "there is nothing at this path on this port");
}
