/* load.h - wrk: how many requests a second a server answers, and how late the late ones are. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include <stddef.h>
#include <stdint.h>

typedef struct load_request {
    uint16_t port;
    const char *path;  /* with query */
    const char *type;  /* of the body */
    const char *token; /* NULL = none */
    const void *body;
    size_t size;
} load_request;

typedef struct load_result {
    double rate;          /* requests a second */
    double median, late;  /* latency in microseconds: half, and 99 of 100, are answered sooner */
} load_result;

/* POSTs it for so many seconds over so many connections. `folder` is for wrk's script. */
load_result load_run(const load_request *r, const char *folder, unsigned connections, unsigned seconds);
/* Once; the reply's body, malloc'd. */
char *load_once(const load_request *r, size_t *size);
#endif
