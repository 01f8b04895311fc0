/* address.c - implements proto/address.h. */
#include "proto/address.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA "/.well-known/oauth-protected-resource"
static const char *const paths[] = { "/api/v1", "/mcp" }; /* by `mcp` */

static const char *scheme(const service *s) { return s->tls ? "https" : "http"; }

/* As a part of a URL. Whoever listens on all addresses is found on loopback, at least. */
static const char *own_host(const service *s)
{
    if (!s->address || strcmp(s->address, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(s->address, "::") == 0 || strcmp(s->address, "::1") == 0 ? "[::1]" : s->address;
}

static const char *joined(const service *s, const char *host, uint16_t port, const char *path, char space[ADDRESS_BYTES])
{
    bool bare = strchr(host, ':') && *host != '[';
    snprintf(space, ADDRESS_BYTES, "%s://%s%s%s:%u%s", scheme(s), bare ? "[" : "", host, bare ? "]" : "", port, path);
    return space;
}

const char *address_issuer(const service *s, char space[ADDRESS_BYTES])
{
    if (!s->issuer) return joined(s, own_host(s), s->oauth_port, "", space);
    snprintf(space, ADDRESS_BYTES, "%s", s->issuer);
    return space;
}

const char *address_below_issuer(const service *s, const char *path, char space[ADDRESS_BYTES])
{
    size_t length = strlen(address_issuer(s, space));
    if (length && space[length - 1] == '/') length--;
    snprintf(space + length, ADDRESS_BYTES - length, "%s", path);
    return space;
}

bool address_is_mcp(const service *s, const http_request *request)
{
    if (request->port != s->mcp_port) return false;
    if (request->port != s->rest_port || !s->rest_enabled) return true;
    return !strstr(request->path, paths[0]);
}

/* NAME[:PORT] in letters that a URL has there, and one that we go by. */
static bool host_good(const service *s, const char *host)
{
    return host && *host && strlen(host) < ADDRESS_BYTES / 2 && host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]")] == 0 &&
           origin_host_known(s, host);
}

const char *address_resource(const service *s, const http_request *request, bool mcp, char space[ADDRESS_BYTES])
{
    const char *set = mcp ? s->mcp_url : s->rest_url, *host = request ? http_header(request, "Host") : NULL;
    if (set && *set) snprintf(space, ADDRESS_BYTES, "%s", set);
    else if (host_good(s, host)) snprintf(space, ADDRESS_BYTES, "%s://%s%s", scheme(s), host, paths[mcp]);
    else return joined(s, own_host(s), mcp ? s->mcp_port : s->rest_port, paths[mcp], space);
    return space;
}

const char *address_metadata(const service *s, const http_request *request, char space[ADDRESS_BYTES])
{
    char url[ADDRESS_BYTES];
    const char *authority = strstr(address_resource(s, request, address_is_mcp(s, request), url), "://");
    size_t length = authority ? (size_t)(authority - url) + 3 : 0;
    length += strcspn(url + length, "/");
    snprintf(space, ADDRESS_BYTES, "%.*s" METADATA "%s", (int)length, url, url + length);
    return space;
}

const char *address_audience(const service *s, const http_request *request, char space[ADDRESS_AUDIENCE_BYTES])
{
    char issuer[ADDRESS_BYTES], named[ADDRESS_BYTES], own[ADDRESS_BYTES];
    bool mcp = request && address_is_mcp(s, request);
    snprintf(space, ADDRESS_AUDIENCE_BYTES, "%s %s %s", address_issuer(s, issuer), address_resource(s, request, mcp, named),
             address_resource(s, NULL, mcp, own));
    return space;
}

/* One that we would be found at without a setting. */
static bool is_found(const service *s, const char *uri, bool mcp)
{
    const char *set = mcp ? s->mcp_url : s->rest_url;
    size_t skip = strlen(scheme(s));
    char host[ADDRESS_BYTES / 2], *port;
    if (set && *set) return strcmp(uri, set) == 0;
    if (strncmp(uri, scheme(s), skip) != 0 || strncmp(uri + skip, "://", 3) != 0) return false;
    uri += skip + 3;
    size_t length = strcspn(uri, "/");
    if (length >= sizeof host || strcmp(uri + length, paths[mcp]) != 0) return false;
    memcpy(host, uri, length);
    host[length] = 0;
    if (!host_good(s, host)) return false;
    port = strrchr(host, ':');
    return port && !strchr(port, ']') && strtol(port + 1, NULL, 10) == (mcp ? s->mcp_port : s->rest_port);
}

bool address_is_resource(const service *s, const char *uri)
{
    char issuer[ADDRESS_BYTES];
    return is_found(s, uri, true) || (s->rest_enabled && is_found(s, uri, false)) || strcmp(uri, address_issuer(s, issuer)) == 0;
}
