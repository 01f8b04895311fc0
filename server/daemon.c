/* daemon.c - implements daemon.h: the directory, the database, the listeners, the signals. */
#include "daemon.h"
#include "admin_secret.h"
#include "admin_socket.h"
#include "backup_bucket.h"
#include "backup_timer.h"
#include "certificate_watch.h"
#include "first_client.h"
#include "front.h"
#include "http/http.h"
#include "log.h"
#include "oidc.h"
#include "op/op.h"
#include "op/op_key.h"
#include "proto/mcp_sessions.h"
#include "proto/proto.h"
#include "token/session.h"
#include "token/replay.h"
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK_SECONDS = 1 }; /* between looks at what changes without a request */

static void library_says(void *context, const char *message)
{
    (void)context;
    log_line(LOG_WARNING, message, NULL);
}

static int failed(const char *what, const evdb_error *err, int code)
{
    log_line(LOG_ERROR, what, json_pack("{s:s, s:o}", "status", evdb_status_name(err->status), "detail",
                                        log_text(err->message)));
    return code;
}

/* ---- listeners ---- */

enum { MCP, OAUTH, REST, ENDPOINTS };

typedef struct listeners {
    uint16_t ports[ENDPOINTS]; /* distinct ones */
    size_t count;
    size_t slot[ENDPOINTS];    /* which of them an endpoint has; ENDPOINTS = none */
} listeners;

/* Equal ports are shared; two zeros are two ports of the system's choice. An endpoint that is off has none. */
static listeners plan(const config *c)
{
    const int64_t wanted[ENDPOINTS] = { c->mcp_port, c->oauth_port, c->rest_api_port };
    const bool on[ENDPOINTS] = { true, c->oauth_enabled, c->rest_api_enabled };
    listeners l = { .count = 0 };
    for (size_t i = 0; i < ENDPOINTS; i++) {
        size_t slot = 0;
        while (slot < l.count && (wanted[i] == 0 || l.ports[slot] != wanted[i])) slot++;
        l.slot[i] = on[i] ? slot : ENDPOINTS;
        if (on[i] && slot == l.count) l.ports[l.count++] = (uint16_t)wanted[i];
    }
    return l;
}

static uint16_t port_of(const http_server *server, const listeners *l, size_t endpoint)
{
    return l->slot[endpoint] < ENDPOINTS ? http_port(server, l->slot[endpoint]) : 0;
}

static void add_port(json_t *fields, const char *name, uint16_t port)
{
    if (port) json_object_set_new(fields, name, json_integer(port));
}

static void tell_ready(const config *c, const service *s)
{
    json_t *fields = json_pack("{s:s}", "address", c->address);
    add_port(fields, "mcp_port", s->mcp_port);
    add_port(fields, "oauth_port", s->oauth_port);
    add_port(fields, "rest_port", s->rest_port);
    json_object_set_new(fields, "database", log_text(evdb_path(s->db)));
    json_object_set_new(fields, "version", json_string(evdb_version()));
    log_line(LOG_INFO, "ready", fields);
}

/* ---- signals ---- */

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Until it is time to end; meanwhile looks at what nobody asks for. */
static void wait_for_end(const sigset_t *set, admin_secret *secret, certificate_watch *certificate, op_refusals *refusals)
{
    const struct timespec second = { .tv_sec = LOOK_SECONDS };
    int which = -1;
    bool kept = false;
    evdb_error err;
    while (which != SIGTERM && which != SIGINT) {
        bool before = kept;
        which = sigtimedwait(set, NULL, &second);
        if (which == SIGHUP && certificate->on) certificate_watch_reload(certificate);
        else if (which == SIGHUP) log_line(LOG_INFO, "SIGHUP changes nothing: settings are read at start", NULL);
        else certificate_watch_look(certificate);
        admin_secret_look(secret);
        kept = op_refusals_write(refusals, false, &err) != EVDB_OK;
        if (kept && !before) (void)failed("cannot write to the audit log what was refused: it stays counted", &err, 0);
    }
    log_line(LOG_INFO, "stopping", json_pack("{s:s}", "signal", which == SIGTERM ? "SIGTERM" : "SIGINT"));
    pthread_sigmask(SIG_UNBLOCK, set, NULL); /* another one ends the process as it is */
}

/* ---- from the database to the end ---- */

static int serve(http_server *server, const listeners *l, const config *c, service *s, s3 *bucket, certificate_watch *certificate,
                 const sigset_t *signals)
{
    admin_secret secret = { .watched = false };
    admin_socket *owner = NULL;
    backup_timer *timer;
    evdb_error err;
    s->mcp_port = port_of(server, l, MCP);
    s->oauth_port = port_of(server, l, OAUTH);
    s->rest_port = port_of(server, l, REST);
    http_serve(server); /* only now: the handler knows its ports */
    if (c->persistence_enabled) admin_secret_watch(&secret, s->db, c->persistence_dir);
    certificate_watch_serve(certificate, server);
    if (c->persistence_enabled && admin_socket_open(c, s, &owner, &err) != EVDB_OK)
        log_line(LOG_WARNING, "there is no socket for 'evdbd admin reset', which will go to the database itself",
                 json_pack("{s:o}", "detail", log_text(err.message)));
    tell_ready(c, s);
    if (backup_timer_start(c, s->db, s->backup_key, s->bucket, &timer, &err) != EVDB_OK) {
        admin_socket_close(owner);
        http_stop(server);
        return failed("cannot start the schedule of backups", &err, DAEMON_DATABASE);
    }
    wait_for_end(signals, &secret, certificate, s->refusals);
    admin_socket_close(owner);
    backup_timer_cancel(timer);
    s3_stop(bucket); /* requests wait for no other server any more */
    backup_timer_stop(timer);
    http_stop(server);
    log_line(LOG_INFO, "stopped", NULL);
    return EXIT_SUCCESS;
}

static void end_streams(void *context) { mcp_sessions_stop(((const service *)context)->mcp); }

/* What keeps clients from guessing, and from asking and writing too much. */
static evdb_status make_limits(const config *c, service *s, evdb_error *err)
{
    throttle_options guesses = { .failures = (uint32_t)c->throttle_failures, .delay_max_ms = (uint32_t)c->throttle_delay };
    quotas_options use = { .defaults = { c->quota_requests, c->quota_records, c->quota_bytes } };
    randombytes_buf(guesses.seed, sizeof guesses.seed);
    randombytes_buf(use.seed, sizeof use.seed);
    s->quotas = quotas_create(&use);
    if (c->throttle_failures) s->throttle = throttle_create(&guesses);
    return s->quotas && (s->throttle || !c->throttle_failures) ? EVDB_OK : op_fail(err, EVDB_NO_MEMORY, "out of memory");
}

/* Ports first: a server that cannot listen leaves the clients as they are. */
static int listen_and_serve(const config *c, evdb *db, const unsigned char *key, s3 *bucket, oidc *others, const sigset_t *signals)
{
    service s = { .db = db, .backup_key = key, .bucket = bucket ? s3_bucket(bucket) : NULL, .foreign = oidc_access(others),
                  .issuer = *c->issuer ? c->issuer : NULL, .address = c->address, .mcp_url = c->mcp_url, .rest_url = c->rest_url,
                  .tls = *c->tls_cert_file, .registration = c->dynamic_registration, .refresh_idle_ms = c->refresh_token_idle, .sessions = session_keys_create(),
                  .oauth_enabled = c->oauth_enabled,
                  .dev = c->dev, .token_lifetime_ms = c->token_lifetime, .refresh_lifetime_ms = c->refresh_token_lifetime,
                  .token_format = strcmp(c->token_format, "opaque") == 0 ? EVDB_TOKEN_OPAQUE : EVDB_TOKEN_JWT,
                  .signing_key_lifetime_ms = c->signing_key_lifetime,
                  .allowed_hosts = c->allowed_hosts, .rest_enabled = c->rest_api_enabled };
    listeners l = plan(c);
    http_options o = { .address = c->address, .port_count = l.count, .threads = (uint32_t)c->worker_threads,
                       .body_max = (size_t)c->max_body, .connections_max = (uint32_t)c->max_connections,
                       .idle_seconds = (uint32_t)(c->idle_timeout / 1000),
                       .request_seconds = (uint32_t)(c->request_timeout / 1000),
                       .handler = front_handle, .context = &s, .stopping = end_streams };
    http_server *server;
    certificate_watch certificate;
    evdb_error err;
    if (!(s.mcp = mcp_sessions_open(db))) {
        session_keys_free(s.sessions);
        (void)op_fail(&err, EVDB_NO_MEMORY, "out of memory");
        return failed("cannot begin to serve", &err, DAEMON_DATABASE);
    }
    if (*c->tls_cert_file) o.certificate_file = c->tls_cert_file, o.key_file = c->tls_key_file;
    certificate_watch_begin(&certificate, c);
    memcpy(o.ports, l.ports, sizeof l.ports);
    if (http_start(&o, &server, &err) != EVDB_OK) {
        mcp_sessions_close(s.mcp);
        session_keys_free(s.sessions);
        return failed("cannot listen", &err, DAEMON_LISTEN);
    }
    int code = DAEMON_DATABASE;
    evdb_status rc = replay_open((int64_t)time(NULL) * 1000, &s.used, &err);
    if (rc == EVDB_OK) rc = make_limits(c, &s, &err);
    if (rc == EVDB_OK && (!s.sessions || !(s.refusals = op_refusals_open(db)))) rc = op_fail(&err, EVDB_NO_MEMORY, "out of memory");
    if (rc != EVDB_OK) (void)failed("cannot begin to serve", &err, code);
    else if (first_client(db, c, &err) != EVDB_OK) (void)failed("cannot make the first client", &err, code);
    else {
        code = serve(server, &l, c, &s, bucket, &certificate, signals);
        server = NULL; /* stopped */
    }
    if (server) http_stop(server);
    mcp_sessions_close(s.mcp);
    op_refusals_close(s.refusals);
    throttle_free(s.throttle);
    quotas_free(s.quotas);
    replay_close(s.used);
    session_keys_free(s.sessions);
    return code;
}

/* Whoever reads the database's files can make tokens: by default nobody else may. Who chose another mode had reasons. */
static evdb_status prepare_directory(const char *dir, evdb_error *err)
{
    char reason[128];
    struct stat st;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return op_fail(err, EVDB_IO, "%s: cannot be made: %s", dir, strerror_r(errno, reason, sizeof reason));
    if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_mode & S_IRWXO)
        log_line(LOG_WARNING, "the data directory is open to other users: its files let them make tokens",
                 json_pack("{s:o}", "directory", log_text(dir)));
    return EVDB_OK;
}

int daemon_run(const config *c)
{
    const char *path = c->persistence_enabled ? c->persistence_dir : ":memory:";
    evdb_options options = EVDB_OPTIONS;
    evdb *db;
    evdb_error err;
    sigset_t signals;
    block_signals(&signals); /* before there are threads, so that only sigtimedwait() takes them */
    options.log = library_says;
    if (!c->recall_watched) options.flags |= EVDB_OPEN_NO_RECALL;
    options.index_memory_max = (uint64_t)c->index_memory_max;
    if (strcmp(c->sync, "interval") == 0) {
        options.sync = EVDB_SYNC_INTERVAL;
        options.sync_interval_ms = (uint32_t)c->sync_interval;
    }
    if (c->persistence_enabled || *c->backup_dir == '/') options.backup_dir = c->backup_dir;
    options.default_codec = c->compression_enabled ? c->compression_algorithm : NULL;
    evdb_status rc = c->persistence_enabled ? prepare_directory(path, &err) : EVDB_OK;
    if (rc == EVDB_OK) rc = evdb_open(path, &options, &db, &err);
    if (rc != EVDB_OK) return failed("cannot open the database", &err, DAEMON_DATABASE);
    unsigned char key[EVDB_BACKUP_KEY_BYTES];
    bool has_key = *c->backup_key_file;
    int code = DAEMON_DATABASE;
    if (has_key) rc = op_key_read(c->backup_key_file, key, &err);
    s3 *bucket = NULL;
    oidc *others = NULL;
    if (rc != EVDB_OK) (void)failed("cannot use the key of backups", &err, code);
    else if (backup_bucket_open(c, &bucket, &err) != EVDB_OK) (void)failed("cannot use the bucket of backups", &err, code);
    else if (oidc_open(c, &others, &err) != EVDB_OK) (void)failed("cannot use the issuer of tokens", &err, code);
    else code = listen_and_serve(c, db, has_key ? key : NULL, bucket, others, &signals);
    oidc_close(others);
    s3_close(bucket);
    explicit_bzero(key, sizeof key);
    evdb_close(db);
    return code;
}
