/* auth_redirects.c - redirect URIs: auth_redirects_check(), and the part of evdb/user.h that compares them. */
#include "auth_private.h"
#include "base/error.h"
#include <evdb/user.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A scheme that a program of the user's machine has registered for itself is a name turned around, and so has a dot
 * (RFC 8252, 7.1): nobody types javascript: or data: as one. What does not begin with a scheme is relative to this server. */
static bool is_private_scheme(const char *uri, size_t length)
{
    size_t scheme = strspn(uri, LETTERS "0123456789+-.");
    return scheme && strspn(uri, LETTERS) && memchr(uri, '.', scheme) && scheme + 1 < length && uri[scheme] == ':';
}

static bool begins(const char *uri, size_t length, const char *with)
{
    size_t n = strlen(with);
    return length > n && strncasecmp(uri, with, n) == 0;
}

/* http://127.0.0.1, [::1] or localhost, with or without a port: how long that is without the port, else 0. */
static size_t loopback_length(const char *uri, size_t length)
{
    static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]", "http://localhost" };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (length >= n && strncasecmp(uri, hosts[i], n) == 0 && (length == n || strchr(":/?", uri[n]))) return n;
    }
    return 0;
}

/* https:// and a host, without a name before it that people would take for the host. */
static bool is_web(const char *uri, size_t length)
{
    size_t host = begins(uri, length, "https://") ? strcspn(uri + 8, "/? ") : 0;
    return host && !memchr(uri + 8, '@', host);
}

/* ":8080", which may be missing; more than that is no port, and is compared like the rest. */
static size_t port_length(const char *at, size_t length)
{
    size_t digits = 0;
    while (length > 1 + digits && digits < 5 && at[1 + digits] >= '0' && at[1 + digits] <= '9') digits++;
    return length && *at == ':' && digits ? 1 + digits : 0;
}

static bool same_redirect(const char *known, size_t known_length, const char *uri, size_t length)
{
    size_t host = loopback_length(known, known_length);
    if (!host || host != loopback_length(uri, length)) return known_length == length && memcmp(known, uri, length) == 0;
    size_t skip = host + port_length(known + host, known_length - host), with = host + port_length(uri + host, length - host);
    return memcmp(known, uri, host) == 0 && known_length - skip == length - with && memcmp(known + skip, uri + with, length - with) == 0;
}

/* To this machine, with nothing between host or port and path. */
static bool is_loopback(const char *uri, size_t length)
{
    size_t host = loopback_length(uri, length);
    if (host) host += port_length(uri + host, length - host);
    return host && (host == length || strchr("/?", uri[host]));
}

int evdb_auth_redirect_allowed(const char *redirect_uris, const char *uri)
{
    size_t length = uri ? strlen(uri) : 0;
    for (const char *at = redirect_uris; length && at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (same_redirect(at, strcspn(at, " "), uri, length)) return 1;
    return 0;
}

evdb_status auth_redirects_check(const char *uris, evdb_error *err)
{
    if (strlen(uris) > EVDB_REDIRECTS_MAX)
        return error_set(err, EVDB_LIMIT, "a client's redirect URIs may have %u bytes", EVDB_REDIRECTS_MAX);
    for (const char *at = uris;;) {
        size_t length = strcspn(at, " ");
        bool good = is_web(at, length) || is_loopback(at, length) || is_private_scheme(at, length);
        for (size_t i = 0; good && i < length; i++) good = at[i] > ' ' && at[i] < 0x7f && !strchr("#\"<>\\^`{|}", at[i]);
        if (!good)
            return error_set(err, EVDB_INVALID, "'%.*s' is no redirect URI: https://..., http:// to this machine, or a scheme of the "
                             "form com.example.app:, without a fragment", (int)(length < 100 ? length : 100), at);
        at += length;
        if (!*at) return EVDB_OK;
        at++;
    }
}
