/* body.h - the body of a request, collected up to its limits. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H
#include "http/refusal.h"
#include <stdatomic.h>
#include <stddef.h>

typedef struct body {
    char *bytes;            /* NUL behind size; NULL when empty */
    size_t size, capacity;
    size_t seen;            /* bytes received, kept or not */
    size_t announced, most; /* announced: 0 when it was not */
    const refusal *refusal; /* set: nothing is kept any more */
    atomic_size_t *total;   /* bytes of all bodies */
} body;

/* Over this nobody waits for the end of a body that is refused anyway. */
size_t body_drain_max(size_t most);

void body_begin(body *b, size_t announced, size_t most, atomic_size_t *total);
/* False when the body is refused and goes on and on: drop the connection. */
bool body_take(body *b, const char *bytes, size_t size);
void body_free(body *b); /* frees what it holds; harmless twice */

#endif
