/* media.c - media types: what a body is, and what a client takes. */
#include "proto/proto.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool media_is(const http_request *request, const char *type)
{
    const char *given = http_header(request, "Content-Type");
    size_t length = strlen(type);
    return given && strncasecmp(given, type, length) == 0 && (given[length] == 0 || given[length] == ';' || given[length] == ' ');
}

/* Does one range of an Accept header, application/... with "q=0.5" say, cover the type? */
static bool covers(const char *range, size_t length, const char *type)
{
    size_t name = strcspn(range, ";, \t"), whole = (size_t)(strchr(type, '/') - type) + 1;
    const char *weight = memmem(range, length, "q=", 2);
    if (weight && strtod(weight + 2, NULL) <= 0) return false;
    return (name == 3 && strncmp(range, "*/*", 3) == 0) || (name == strlen(type) && strncasecmp(range, type, name) == 0) ||
           (name == whole + 1 && strncasecmp(range, type, whole) == 0 && range[whole] == '*');
}

bool media_accepted(const http_request *request, const char *type)
{
    const char *p = http_header(request, "Accept");
    if (!p) return true;
    for (size_t length; p += strspn(p, ", \t"), length = strcspn(p, ","), length; p += length)
        if (covers(p, length, type)) return true;
    return false;
}
