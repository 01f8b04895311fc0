/* origin.c - whether a request may have come from a web page, or through a name that somebody else controls.
 *
 * A page of any site can make a browser send requests to loopback, and by rebinding its own DNS name to 127.0.0.1 even read the
 * answers. Browsers tell: such requests have an Origin, and a Host that is the page's name. */
#include "proto/proto.h"
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* "localhost:8080" -> "localhost", "[::1]:8080" -> "[::1]". */
static size_t name_length(const char *host)
{
    return *host == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL) : strcspn(host, ":/");
}

typedef enum host_kind { HOST_NAME, HOST_ADDRESS, HOST_LOOPBACK } host_kind;

static host_kind kind_of(const char *host, size_t length)
{
    char text[INET6_ADDRSTRLEN + 2];
    struct in_addr four;
    struct in6_addr six;
    if (length == 9 && strncasecmp(host, "localhost", 9) == 0) return HOST_LOOPBACK;
    if (length >= sizeof text) return HOST_NAME;
    bool bracketed = length > 2 && *host == '[' && host[length - 1] == ']';
    memcpy(text, host + bracketed, length - 2 * bracketed);
    text[length - 2 * bracketed] = 0;
    if (bracketed && inet_pton(AF_INET6, text, &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six) ? HOST_LOOPBACK : HOST_ADDRESS;
    if (inet_pton(AF_INET, text, &four) == 1) return ntohl(four.s_addr) >> 24 == 127 ? HOST_LOOPBACK : HOST_ADDRESS;
    return HOST_NAME;
}

/* Is it one of the words of s->allowed_hosts? */
static bool allowed(const service *s, const char *host, size_t length)
{
    for (const char *p = s->allowed_hosts ? s->allowed_hosts : ""; *p; p += strspn(p, ", ")) {
        size_t word = strcspn(p, ", ");
        if (word && word == length && strncasecmp(p, host, length) == 0) return true;
        p += word;
    }
    return false;
}

/* Nothing, or a port: an origin has no user and no path, and what has is not of a browser. */
static bool is_port(const char *behind)
{
    return !*behind || (*behind == ':' && behind[1 + strspn(behind + 1, "0123456789")] == 0);
}

static bool origin_known(const service *s, const char *origin)
{
    const char *host = strncasecmp(origin, "http://", 7) == 0 ? origin + 7 : strncasecmp(origin, "https://", 8) == 0 ? origin + 8 : NULL;
    size_t length = host ? name_length(host) : 0;
    return host && is_port(host + length) && (kind_of(host, length) == HOST_LOOPBACK || allowed(s, host, length));
}

/* An address cannot be rebound; only names can. */
bool origin_host_known(const service *s, const char *host)
{
    size_t length = name_length(host);
    return kind_of(host, length) != HOST_NAME || allowed(s, host, length);
}

bool origin_check(const service *s, const http_request *request, http_response *response)
{
    const char *origin = http_header(request, "Origin"), *host = http_header(request, "Host");
    if (origin && !origin_known(s, origin))
        problem_status(response, 403, "origin not allowed", "pages of this origin may not call this server: see allowed_hosts");
    else if (host && !origin_host_known(s, host))
        problem_status(response, 403, "host not allowed", "this server does not answer to this host name: see allowed_hosts");
    else return true;
    return false;
}
