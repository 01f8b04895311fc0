/* bare_http.h - libmicrohttpd with a handler that reads the body and sends one constant reply: what HTTP itself costs. */
#ifndef BENCH_BARE_HTTP_H
#define BENCH_BARE_HTTP_H
#include <stddef.h>
#include <stdint.h>

typedef struct bare_http bare_http;

/* Done with each body before the reply, on the event loops. */
typedef void bare_work(void *context, const void *body, size_t size);

/* Replies with `size` bytes, as JSON, from as many event loops as there are cores, on a port of 127.0.0.1. work: NULL = none. */
bare_http *bare_http_start(const char *reply, size_t size, bare_work *work, void *context, uint16_t *port);
void bare_http_stop(bare_http *b);
#endif
