/* metadata.c - GET /.well-known/oauth-authorization-server: what clients may do here, and where (RFC 8414). */
#include "proto/address.h"
#include "proto/document.h"
#include <string.h>

bool metadata_at(const char *path) { return strcmp(path, "/.well-known/oauth-authorization-server") == 0; }

static void add_url(const service *s, json_t *body, const char *name, const char *path)
{
    char url[ADDRESS_BYTES];
    json_object_set_new(body, name, json_string(address_below_issuer(s, path, url)));
}

static json_t *describe(const service *s)
{
    static const char *const signed_by[] = { "token", "revocation", "introspection" };
    char issuer[ADDRESS_BYTES];
    json_t *body = json_pack("{s:s, s:[s,s,s], s:[s], s:[s], s:[s,s,s], s:[s], s:b}", "issuer", address_issuer(s, issuer),
                             "scopes_supported", "read", "write", "admin", "response_types_supported", "code",
                             "response_modes_supported", "query", "grant_types_supported", "authorization_code", "client_credentials",
                             "refresh_token", "code_challenge_methods_supported", "S256", "authorization_response_iss_parameter_supported", 1);
    add_url(s, body, "authorization_endpoint", "/oauth/authorize");
    add_url(s, body, "token_endpoint", "/oauth/token");
    add_url(s, body, "jwks_uri", "/oauth/jwks");
    add_url(s, body, "revocation_endpoint", "/oauth/revoke");
    add_url(s, body, "introspection_endpoint", "/oauth/introspect");
    if (s->registration) add_url(s, body, "registration_endpoint", "/oauth/register");
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        json_t *methods = json_pack("[s,s,s]", "client_secret_basic", "client_secret_post", "private_key_jwt");
        if (i < 2) json_array_append_new(methods, json_string("none"));
        snprintf(name, sizeof name, "%s_endpoint_auth_methods_supported", signed_by[i]);
        json_object_set_new(body, name, methods);
        snprintf(name, sizeof name, "%s_endpoint_auth_signing_alg_values_supported", signed_by[i]);
        json_object_set_new(body, name, json_pack("[s,s,s]", "EdDSA", "ES256", "RS256"));
    }
    return body;
}

void metadata_handle(const service *s, const http_request *request, http_response *response)
{
    if (document_admitted(request, response)) document_send(response, describe(s));
}
