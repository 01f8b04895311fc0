/* bare_http.h - libmicrohttpd with a handler that reads the body and sends one constant reply: what HTTP itself costs. */
#ifndef BENCH_BARE_HTTP_H
#define BENCH_BARE_HTTP_H
#include <stddef.h>
#include <stdint.h>

typedef struct bare_http bare_http;

/* Replies with `size` bytes, as JSON, from as many event loops as there are cores, on a port of 127.0.0.1. */
bare_http *bare_http_start(const char *reply, size_t size, uint16_t *port);
void bare_http_stop(bare_http *b);
#endif
