/* auth_redirects.c - auth_redirects_check(). */
#include "auth_private.h"
#include "base/error.h"
#include <evdb/auth.h>
#include <string.h>
#include <strings.h>

/* A scheme that a program of the user's machine has registered for itself is a name turned around, and so has a dot
 * (RFC 8252, 7.1): nobody types javascript: or data: as one. */
static bool is_private_scheme(const char *uri, size_t length)
{
    const char *colon = memchr(uri, ':', length);
    return colon && memchr(uri, '.', (size_t)(colon - uri)) && colon + 1 < uri + length;
}

static bool begins(const char *uri, size_t length, const char *with)
{
    size_t n = strlen(with);
    return length > n && strncasecmp(uri, with, n) == 0;
}

/* http://127.0.0.1, [::1] or localhost, with or without a port. */
static bool is_loopback(const char *uri, size_t length)
{
    static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]", "http://localhost" };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (length >= n && strncasecmp(uri, hosts[i], n) == 0 && (length == n || strchr(":/?", uri[n]))) return true;
    }
    return false;
}

evdb_status auth_redirects_check(const char *uris, evdb_error *err)
{
    if (strlen(uris) > EVDB_REDIRECTS_MAX)
        return error_set(err, EVDB_LIMIT, "a client's redirect URIs may have %u bytes", EVDB_REDIRECTS_MAX);
    for (const char *at = uris;;) {
        size_t length = strcspn(at, " ");
        bool good = begins(at, length, "https://") || is_loopback(at, length) ||
                    (!begins(at, length, "http://") && is_private_scheme(at, length));
        for (size_t i = 0; good && i < length; i++) good = at[i] > ' ' && at[i] < 0x7f && !strchr("#\"<>\\^`{|}", at[i]);
        if (!good)
            return error_set(err, EVDB_INVALID, "'%.*s' is no redirect URI: https://..., http:// to this machine, or a scheme of the "
                             "form com.example.app:, without a fragment", (int)(length < 100 ? length : 100), at);
        at += length;
        if (!*at) return EVDB_OK;
        at++;
    }
}
