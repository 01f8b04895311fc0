/* endpoints.c - implements token/endpoints.h: oauth_handle(), which hands on by path. */
#include "token/endpoints.h"
#include <string.h>

void oauth_handle(const service *s, const http_request *request, http_response *response)
{
    static const struct { const char *path; void (*handle)(const service *, const http_request *, http_response *); } all[] = {
        { "/oauth/token", token_handle },
        { "/oauth/authorize", authorize_handle },
        { "/oauth/revoke", revoke_handle },
        { "/oauth/introspect", introspect_handle },
        { "/oauth/register", register_handle },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(request->path, all[i].path) == 0 && (all[i].handle != register_handle || s->registration)) {
            all[i].handle(s, request, response);
            return;
        }
    problem_status(response, 404, "not found", "the token endpoint is /oauth/token");
}
