/* bare_http.c - implements bench/bare_http.h. */
#include "bench/bare_http.h"
#include "bench/measure.h"
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bare_http {
    struct MHD_Daemon *daemon;
    char *reply;
    size_t size;
    bare_work *work;
    void *work_context;
};

enum { BODY_MAX = 1 << 20 };

typedef struct body {
    size_t size;
    char bytes[BODY_MAX];
} body;

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **slot)
{
    bare_http *b = context;
    body *in = *slot;
    (void)url, (void)method, (void)version;
    if (!in) {
        if (!(in = malloc(sizeof *in))) return MHD_NO;
        in->size = 0;
        *slot = in;
        return MHD_YES;
    }
    if (*size) {
        if (*size > BODY_MAX - in->size) return MHD_NO;
        memcpy(in->bytes + in->size, data, *size);
        in->size += *size;
        *size = 0;
        return MHD_YES;
    }
    if (b->work) b->work(b->work_context, in->bytes, in->size);
    struct MHD_Response *response = MHD_create_response_from_buffer(b->size, b->reply, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static void completed(void *context, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode why)
{
    (void)context, (void)connection, (void)why;
    free(*slot);
    *slot = NULL;
}

bare_http *bare_http_start(const char *reply, size_t size, bare_work *work, void *context, uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bare_http *b = calloc(1, sizeof *b);
    if (!b || !(b->reply = malloc(size))) measure_die("bare handler", "out of memory");
    memcpy(b->reply, reply, size);
    b->size = size;
    b->work = work;
    b->work_context = context;
    b->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, b, MHD_OPTION_SOCK_ADDR, &at,
                                 MHD_OPTION_NOTIFY_COMPLETED, completed, b, cores > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
                                 (unsigned)cores, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = b->daemon ? MHD_get_daemon_info(b->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) measure_die("bare handler", "cannot be started");
    *port = info->port;
    return b;
}

void bare_http_stop(bare_http *b)
{
    MHD_stop_daemon(b->daemon);
    free(b->reply);
    free(b);
}
