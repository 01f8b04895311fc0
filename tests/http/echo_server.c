/* echo_server.c - server/http with a handler that tells what it was given, for test_http.py.
 *
 *   echo_server [NAME=VALUE]...     ports body_max connections_max idle_seconds request_seconds threads certificate key late
 *
 * late=1: streams are ended when the server has stopped.
 *
 * Prints its ports in one line, serves until SIGTERM or SIGINT, then prints how many requests the handler has answered. It
 * does not ignore SIGPIPE: a client that leaves must not end a program that forgot to. */
#include "echo_streams.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct echo {
    pthread_mutex_t lock;
    pthread_cond_t released;
    bool open;
    uint32_t late;
    unsigned held; /* requests in /hold */
    unsigned left; /* clients that left /wait */
    char peer[64]; /* who asked for /hold-stream, as its end has it */
    atomic_ulong answered;
} echo;

static void about(const http_request *q, http_response *p)
{
    const char *thing = http_header(q, "x-ThInG");
    char text[4096];
    int length = snprintf(text, sizeof text, "%s\n%s\n%s\n%zu\n%u\n%s\n%s\n", q->method, q->path, q->query, q->body_size,
                          q->port, q->peer, thing ? thing : "-");
    http_body_copy(p, "text/plain", text, (size_t)length);
}

/* /parameter/NAME of the body: the decoded value behind "once " or "twice ", or "none". */
static void parameter(const http_request *q, http_response *p, const char *name)
{
    char text[4096];
    bool twice = false;
    char *value = http_parameter(q->body, name, &twice);
    int length = snprintf(text, sizeof text, "%s %s", !value ? "none" : twice ? "twice" : "once", value ? value : "");
    free(value);
    http_body_copy(p, "text/plain", text, (size_t)length);
}

static void bytes(http_response *p, const char *count)
{
    size_t size = (size_t)strtoull(count, NULL, 10);
    char *block = malloc(size + 1);
    if (!block) return;
    memset(block, 'x', size);
    http_body_take(p, "application/octet-stream", block, size);
}

/* The same from a file without a name. */
static void file(http_response *p, const char *count)
{
    size_t size = (size_t)strtoull(count, NULL, 10);
    FILE *f = tmpfile();
    if (!f) return;
    for (size_t i = 0; i < size; i++) putc("0123456789"[i % 10], f);
    if (fflush(f) == 0) http_body_file(p, "application/octet-stream", dup(fileno(f)), size);
    fclose(f);
}

/* Stays with its worker until /release. */
static void hold(echo *e, http_response *p)
{
    pthread_mutex_lock(&e->lock);
    e->held++;
    while (!e->open) pthread_cond_wait(&e->released, &e->lock);
    e->held--;
    pthread_mutex_unlock(&e->lock);
    http_body_copy(p, "text/plain", "held", 4);
}

/* The same, with a stream that has begun. */
static void hold_stream(echo *e, const http_request *q, http_response *p)
{
    p->type = "text/plain";
    http_stream *s = http_stream_begin(q, p);
    if (!s) abort();
    hold(e, p);
    const char *thing = http_header(q, "x-thing"), *told = thing && !http_stream_left(s) ? thing : "-";
    pthread_mutex_lock(&e->lock);
    snprintf(e->peer, sizeof e->peer, "%s", q->peer);
    pthread_mutex_unlock(&e->lock);
    http_stream_write(s, told, strlen(told));
    http_stream_end(s);
}

static void peer(echo *e, http_response *p)
{
    pthread_mutex_lock(&e->lock);
    http_body_copy(p, "text/plain", e->peer, strlen(e->peer));
    pthread_mutex_unlock(&e->lock);
}

/* Stays with its worker until its client has left. */
static void wait_left(echo *e, const http_request *q)
{
    pthread_mutex_lock(&e->lock);
    e->held++;
    while (!e->open && !http_client_left(q)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 10000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&e->released, &e->lock, &until);
    }
    e->held--;
    e->left += !e->open;
    pthread_mutex_unlock(&e->lock);
}

static void release(echo *e, http_response *p)
{
    pthread_mutex_lock(&e->lock);
    e->open = true;
    pthread_cond_broadcast(&e->released);
    pthread_mutex_unlock(&e->lock);
    http_body_copy(p, "text/plain", "released", 8);
}

static void count(echo *e, const unsigned *what, http_response *p)
{
    char text[32];
    pthread_mutex_lock(&e->lock);
    int length = snprintf(text, sizeof text, "%u", *what);
    pthread_mutex_unlock(&e->lock);
    http_body_copy(p, "text/plain", text, (size_t)length);
}

static void handle(void *context, const http_request *q, http_response *p)
{
    echo *e = context;
    if (strcmp(q->path, "/echo") == 0) http_body_copy(p, "application/octet-stream", q->body, q->body_size);
    else if (strcmp(q->path, "/hold") == 0) hold(e, p);
    else if (strcmp(q->path, "/held") == 0) count(e, &e->held, p);
    else if (strcmp(q->path, "/left") == 0) count(e, &e->left, p);
    else if (strcmp(q->path, "/wait") == 0) wait_left(e, q);
    else if (strcmp(q->path, "/hold-stream") == 0) hold_stream(e, q, p);
    else if (strcmp(q->path, "/peer") == 0) peer(e, p);
    else if (strcmp(q->path, "/release") == 0) release(e, p);
    else if (strncmp(q->path, "/bytes/", 7) == 0) bytes(p, q->path + 7);
    else if (strncmp(q->path, "/file/", 6) == 0) file(p, q->path + 6);
    else if (strncmp(q->path, "/parameter/", 11) == 0) parameter(q, p, q->path + 11);
    else if (strcmp(q->path, "/teapot") == 0) {
        p->status = 418;
        http_header_add(p, "X-Pot", "tea");
    } else if (!echo_streams_handle(q, p)) about(q, p);
    atomic_fetch_add(&e->answered, 1);
}

static void stop_streams(void *context)
{
    if (!((echo *)context)->late) echo_streams_end();
}

static bool set_option(http_options *o, const char *text)
{
    char name[32];
    uint32_t value;
    if (strncmp(text, "certificate=", 12) == 0) return (o->certificate_file = text + 12);
    if (strncmp(text, "key=", 4) == 0) return (o->key_file = text + 4);
    if (sscanf(text, "%31[a-z_]=%" SCNu32, name, &value) != 2) return false;
    if (strcmp(name, "ports") == 0) o->port_count = value;
    else if (strcmp(name, "port") == 0) o->ports[0] = (uint16_t)value;
    else if (strcmp(name, "body_max") == 0) o->body_max = value;
    else if (strcmp(name, "connections_max") == 0) o->connections_max = value;
    else if (strcmp(name, "idle_seconds") == 0) o->idle_seconds = value;
    else if (strcmp(name, "request_seconds") == 0) o->request_seconds = value;
    else if (strcmp(name, "threads") == 0) o->threads = value;
    else if (strcmp(name, "late") == 0) ((echo *)o->context)->late = value;
    else return false;
    return true;
}

int main(int argc, char **argv)
{
    echo e = { .lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER };
    http_options o = { .address = "127.0.0.1", .port_count = 1, .handler = handle, .context = &e, .stopping = stop_streams };
    http_server *server;
    evdb_error err;
    sigset_t signals;
    int signal;
    for (int i = 1; i < argc; i++)
        if (!set_option(&o, argv[i])) {
            fprintf(stderr, "echo_server: what is '%s'?\n", argv[i]);
            return EXIT_FAILURE;
        }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (http_start(&o, &server, &err) != EVDB_OK) {
        fprintf(stderr, "%s: %s\n", err.status == EVDB_BUSY ? "BUSY" : "failed", err.message);
        return EXIT_FAILURE;
    }
    http_serve(server);
    for (size_t i = 0; i < o.port_count; i++) printf("%u%c", http_port(server, i), i + 1 < o.port_count ? ' ' : '\n');
    fflush(stdout);
    sigwait(&signals, &signal);
    http_stop(server);
    echo_streams_end();
    printf("answered %lu\n", atomic_load(&e.answered));
    return EXIT_SUCCESS;
}
