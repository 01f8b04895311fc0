/* resource.c - what MCP and REST tell a client that has no token: whom to ask for one (RFC 9728). Public, and the same for everybody. */
#include "proto/address.h"
#include "proto/document.h"
#include <string.h>

#define PATH "/.well-known/oauth-protected-resource"

/* Of which endpoint, on this port, is the document at this path? */
static bool is_document(const service *s, const http_request *request, bool *mcp)
{
    const char *rest = request->path + sizeof PATH - 1;
    if (strncmp(request->path, PATH, sizeof PATH - 1) != 0) return false;
    bool has_mcp = request->port == s->mcp_port, has_rest = request->port == s->rest_port && s->rest_enabled;
    *mcp = has_mcp && strcmp(rest, "/api/v1") != 0;
    if (!*rest) return has_mcp || has_rest;
    return (has_mcp && strcmp(rest, "/mcp") == 0) || (has_rest && strcmp(rest, "/api/v1") == 0);
}

bool resource_handle(const service *s, const http_request *request, http_response *response)
{
    char url[ADDRESS_BYTES], issuer[ADDRESS_BYTES];
    bool mcp;
    if (!is_document(s, request, &mcp)) return false;
    if (!document_admitted(request, response)) return true;
    document_send(response, json_pack("{s:s, s:[s], s:[s,s,s], s:[s], s:s}", "resource", address_resource(s, request, mcp, url),
                                      "authorization_servers", address_issuer(s, issuer), "scopes_supported", "read", "write", "admin",
                                      "bearer_methods_supported", "header", "resource_name", mcp ? "evdb, MCP" : "evdb, REST"));
    return true;
}
