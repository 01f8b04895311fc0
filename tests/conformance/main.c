/* main.c - evdbd-conformance: evdbd's protocol core with what the conformance suite asks for, on a database in memory, without authorization.
 *
 *   evdbd-conformance [PORT]     0, the default, is a port of the system's choice
 *
 * Listens on 127.0.0.1, prints its port in one line, and serves until SIGTERM or SIGINT. */
#include "conformance/headers.h"
#include "conformance/offer.h"
#include "conformance/sealed.h"
#include "http/http.h"
#include "proto/mcp_sessions.h"
#include "proto/proto.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(const char *what, const evdb_error *err)
{
    fprintf(stderr, "evdbd-conformance: %s: %s\n", what, err->message);
    return EXIT_FAILURE;
}

static void end_streams(void *context) { mcp_sessions_stop(((const service *)context)->mcp); }

static void serve(http_server *server, service *s, const sigset_t *ends)
{
    int which;
    s->mcp_port = http_port(server, 0);
    http_serve(server);
    printf("%u\n", (unsigned)s->mcp_port);
    fflush(stdout);
    sigwait(ends, &which);
    http_stop(server);
}

int main(int count, char **arguments)
{
    char *end = NULL;
    unsigned long port = count > 1 ? strtoul(arguments[1], &end, 10) : 0;
    service s = { .address = "127.0.0.1", .mcp_url = "", .rest_url = "", .offer = &conformance_offer };
    http_options o = { .address = s.address, .ports = { (uint16_t)port }, .port_count = 1, .handler = headers_handle, .context = &s, .stopping = end_streams };
    http_server *server;
    sigset_t ends;
    evdb_error err;
    if (count > 2 || (end && *end) || port > UINT16_MAX) {
        fputs("usage: evdbd-conformance [PORT]\n", stderr);
        return EXIT_FAILURE;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (evdb_open(":memory:", NULL, &s.db, &err) != EVDB_OK) return failed("cannot open a database", &err);
    sealed_begin();
    int code = EXIT_SUCCESS;
    s.mcp = mcp_sessions_open(s.db);
    if (!s.mcp) code = failed("cannot begin to serve", &(evdb_error){ .message = "out of memory" });
    else if (http_start(&o, &server, &err) == EVDB_OK) serve(server, &s, &ends);
    else code = failed("cannot listen", &err);
    mcp_sessions_close(s.mcp);
    evdb_close(s.db);
    return code;
}
