/* main.c - evdbd: reads its configuration, opens the database, serves until it is told to stop. */
#include "config/config.h"
#include "first_client.h"
#include "http/http.h"
#include "log.h"
#include "proto/proto.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_CONFIG = 2, EXIT_DATABASE = 3, EXIT_LISTEN = 4 }; /* documented in evdbd.8 */

static void library_says(void *context, const char *message)
{
    (void)context;
    log_line(LOG_WARNING, message, NULL);
}

static int failed(const char *what, const evdb_error *err, int code)
{
    log_line(LOG_ERROR, what, json_pack("{s:s, s:s}", "status", evdb_status_name(err->status), "detail", err->message));
    return code;
}

/* The distinct ports, in the order MCP, OAuth, REST; returns how many. Two zeros are two ports of the system's choice. */
static size_t listeners(const config *c, uint16_t ports[3], size_t slot_of[3])
{
    const int64_t wanted[3] = { c->mcp_port, c->oauth_port, c->rest_api_port };
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t slot = 0;
        while (slot < count && (wanted[i] == 0 || ports[slot] != wanted[i])) slot++;
        slot_of[i] = slot;
        if (slot == count) ports[count++] = (uint16_t)wanted[i];
    }
    return count;
}

static void tell_ready(const config *c, const service *s)
{
    log_line(LOG_INFO, "ready", json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:b}", "address", c->address, "mcp_port",
                                          s->mcp_port, "oauth_port", s->oauth_port, "rest_port", s->rest_port, "version",
                                          evdb_version(), "database", evdb_path(s->db), "oauth", c->oauth_enabled));
}

static void wait_for_signal(const sigset_t *set)
{
    int signal = 0;
    while (sigwait(set, &signal) != 0) {}
    log_line(LOG_INFO, "stopping", json_pack("{s:s}", "signal", strsignal(signal)));
}

static int serve(const config *c, evdb *db, const sigset_t *signals)
{
    service s = { .db = db, .oauth_enabled = c->oauth_enabled, .dev = c->dev, .token_lifetime_ms = c->token_lifetime,
                  .refresh_lifetime_ms = c->refresh_token_lifetime, .rest_enabled = c->rest_api_enabled,
                  .allowed_hosts = c->allowed_hosts };
    http_options o = { .address = c->address, .threads = (uint32_t)c->worker_threads, .body_max = (size_t)c->max_body,
                       .connections_max = (uint32_t)c->max_connections, .idle_seconds = (uint32_t)(c->idle_timeout / 1000),
                       .request_seconds = (uint32_t)(c->request_timeout / 1000), .handler = service_handle, .context = &s };
    size_t slot_of[3];
    http_server *server;
    evdb_error err;
    o.port_count = listeners(c, o.ports, slot_of);
    if (http_start(&o, &server, &err) != EVDB_OK) return failed("cannot listen", &err, EXIT_LISTEN);
    s.mcp_port = http_port(server, slot_of[0]);
    s.oauth_port = http_port(server, slot_of[1]);
    s.rest_port = http_port(server, slot_of[2]);
    http_serve(server); /* only now: the handler knows its ports */
    tell_ready(c, &s);
    wait_for_signal(signals);
    http_stop(server);
    log_line(LOG_INFO, "stopped", NULL);
    return EXIT_SUCCESS;
}

static int run(const config *c)
{
    evdb_options options = EVDB_OPTIONS;
    evdb *db;
    evdb_error err;
    sigset_t signals;
    /* blocked before there are threads, so that only sigwait takes them */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    options.log = library_says;
    if (evdb_open(c->persistence_enabled ? c->persistence_dir : ":memory:", &options, &db, &err) != EVDB_OK)
        return failed("cannot open the database", &err, EXIT_DATABASE);
    int code = first_client(db, c, &err) == EVDB_OK ? serve(c, db, &signals)
                                                    : failed("cannot make the first client", &err, EXIT_DATABASE);
    evdb_close(db);
    return code;
}

int main(int argc, char **argv)
{
    config c;
    evdb_error err;
    int code = EXIT_SUCCESS;
    if (config_load(argc, argv, &c, &err) != EVDB_OK) {
        fprintf(stderr, "evdbd: %s\n", err.message);
        config_free(&c);
        return EXIT_CONFIG;
    }
    log_set_level(c.log_level);
    if (c.help) config_help(stdout);
    else if (c.version) printf("evdbd %s\n", evdb_version());
    else if (c.print) config_print(&c, stdout);
    else if (c.check) puts("the configuration is good");
    else if (c.operations) code = op_print_table(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    else code = run(&c);
    config_free(&c);
    return code;
}
