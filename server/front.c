/* front.c - implements front.h. */
#include "front.h"
#include "log.h"
#include "proto/proto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double milliseconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) * 1e3 + (double)(now.tv_nsec - began->tv_nsec) / 1e6;
}

/* A path as the log may have it: whoever takes an API key for its id finds no more than the id of it there. */
static json_t *path_text(const char *path)
{
    static const char prefix[] = "evdbkey_";
    const char *key = strstr(path, prefix);
    size_t shown = key ? (size_t)(key - path) + strlen(prefix) + EVDB_API_KEY_ID_BYTES - 1 : 0;
    if (!key || strlen(path) <= shown) return log_text(path);
    char *cut = malloc(shown + sizeof "...");
    if (cut) snprintf(cut, shown + sizeof "...", "%.*s...", (int)shown, path);
    json_t *text = cut ? log_text(cut) : NULL;
    free(cut);
    return text;
}

void front_handle(void *context, const http_request *request, http_response *response)
{
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    service_handle(context, request, response);
    int status = response->status ? response->status : 200;
    log_level level = status >= 500 ? LOG_WARNING : LOG_DEBUG;
    if (!log_wants(level)) return;
    json_t *path = path_text(request->path);
    log_line(level, "request", json_pack("{s:s, s:o, s:i, s:f, s:s, s:i}", "method", request->method, "path", path,
                                         "status", status, "ms", milliseconds_since(&began), "client", request->peer,
                                         "port", request->port));
}
