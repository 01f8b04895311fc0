/* echo_streams.c - implements echo_streams.h. */
#include "echo_streams.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2048 };

static struct {
    pthread_mutex_t lock;
    http_stream *open[STREAMS];
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void say(http_response *p, const char *text) { http_body_copy(p, "text/plain", text, strlen(text)); }

static void begin(const http_request *q, http_response *p, unsigned slot)
{
    const char *status = strstr(q->query, "status=");
    char text[64];
    p->type = "text/event-stream";
    if (status) p->status = (int)strtol(status + 7, NULL, 10);
    http_header_add(p, "X-Stream", "yes");
    pthread_mutex_lock(&all.lock); /* once its head is there, others may ask for it */
    http_stream *s = http_stream_begin(q, p);
    if (!s) abort();
    all.open[slot] = s;
    p->status = 500; /* to be ignored */
    say(p, "not to be seen");
    int length = snprintf(text, sizeof text, "%s %s", q->method, http_header(q, "x-ThInG") ? http_header(q, "x-thing") : "-");
    if (!strstr(q->query, "silent")) http_stream_write(s, text, (size_t)length);
    pthread_mutex_unlock(&all.lock);
}

static void end(http_stream *s, http_stream **slot)
{
    *slot = NULL;
    http_stream_end(s);
}

bool echo_streams_handle(const http_request *q, http_response *p)
{
    char what[8];
    unsigned slot;
    if (sscanf(q->path, "/stream/%7[a-z]/%u", what, &slot) != 2 || slot >= STREAMS) return false;
    if (strcmp(what, "open") == 0) {
        begin(q, p, slot);
        return true;
    }
    pthread_mutex_lock(&all.lock);
    http_stream **s = &all.open[slot];
    if (!*s) say(p, "none");
    else if (strcmp(what, "write") == 0) say(p, http_stream_write(*s, q->body, q->body_size) ? "taken" : "refused");
    else if (strcmp(what, "left") == 0) say(p, http_stream_left(*s) ? "left" : "there");
    else if (strcmp(what, "end") == 0) end(*s, s);
    pthread_mutex_unlock(&all.lock);
    return true;
}

void echo_streams_end(void)
{
    pthread_mutex_lock(&all.lock);
    for (size_t i = 0; i < STREAMS; i++)
        if (all.open[i]) {
            http_stream_write(all.open[i], "goodbye", 7);
            end(all.open[i], &all.open[i]);
        }
    pthread_mutex_unlock(&all.lock);
}
