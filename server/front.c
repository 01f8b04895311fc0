/* front.c - implements front.h. */
#include "front.h"
#include "log.h"
#include "proto/proto.h"
#include <time.h>

static double milliseconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) * 1e3 + (double)(now.tv_nsec - began->tv_nsec) / 1e6;
}

void front_handle(void *context, const http_request *request, http_response *response)
{
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    service_handle(context, request, response);
    int status = response->status ? response->status : 200;
    log_level level = status >= 500 ? LOG_WARNING : LOG_DEBUG;
    if (!log_wants(level)) return;
    json_t *path = log_text(request->path);
    log_line(level, "request", json_pack("{s:s, s:o, s:i, s:f, s:s, s:i}", "method", request->method, "path", path,
                                         "status", status, "ms", milliseconds_since(&began), "client", request->peer,
                                         "port", request->port));
}
