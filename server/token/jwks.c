/* jwks.c - GET /oauth/jwks, and the same at /.well-known/jwks.json: the public keys that access tokens are signed with (RFC 7517). */
#include "proto/proto.h"
#include <string.h>

/* A key is published long before it signs; how long it takes until one that was rotated in a hurry is known everywhere. */
#define KEPT "public, max-age=300"

bool jwks_at(const char *path) { return strcmp(path, "/oauth/jwks") == 0 || strcmp(path, "/.well-known/jwks.json") == 0; }

void jwks_handle(const service *s, const http_request *request, http_response *response)
{
    evdb_error err;
    char *text;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        problem_status(response, 405, "method not allowed", "keys are asked for with GET");
        http_header_add(response, "Allow", "GET, HEAD");
    } else if (evdb_auth_jwks(s->db, &text, &err) != EVDB_OK) problem_send(response, &err);
    else {
        http_body_copy(response, "application/jwk-set+json", text, strlen(text));
        http_header_add(response, "Cache-Control", KEPT);
        evdb_auth_jwks_free(text);
    }
}
