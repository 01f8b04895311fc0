/* url.c - implements config/url.h. */
#include "config/url.h"
#include "config/config.h"
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool only(const char *text, const char *letters) { return text[strspn(text, letters)] == 0; }

/* NAME[:PORT], or an IPv6 address in brackets; nothing behind it. */
static bool is_authority(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    if (!end || end == host) return false;
    size_t length = (size_t)(end - host);
    if (strspn(host, *host == '[' ? "[0123456789abcdefABCDEF:." : LETTERS ".-") != length) return false;
    if (*host == '[') end++;
    if (!*end) return true;
    return *end == ':' && end[1] && strlen(end) <= 6 && only(end + 1, "0123456789");
}

static bool on_loopback(char *authority)
{
    authority[*authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":")] = 0;
    return strcmp(authority, "localhost") == 0 || strcmp(authority, "[::1]") == 0 ||
           (config_loopback(authority) && only(authority, "0123456789.")); /* no name that begins as an address does */
}

bool url_read(const char *text, url *out)
{
    char authority[URL_AUTHORITY_MAX + 1];
    *out = (url){ .open = strncmp(text, "http://", 7) == 0 };
    if (!out->open && strncmp(text, "https://", 8) != 0) return false;
    text += out->open ? 7 : 8;
    out->authority = strcspn(text, "/?#");
    out->rest = text + out->authority;
    if (out->authority > URL_AUTHORITY_MAX) return false;
    memcpy(authority, text, out->authority);
    authority[out->authority] = 0;
    if (!is_authority(authority)) return false;
    out->loopback = on_loopback(authority);
    return true;
}
