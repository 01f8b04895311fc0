/* fetch.h - a small document that another server publishes, by HTTPS GET. */
#ifndef REMOTE_FETCH_H
#define REMOTE_FETCH_H
#include <evdb.h>

typedef struct fetch fetch;

/* Connects to nothing yet. ca_file: certificates to trust in the place of the system's; "" = these; borrowed. */
evdb_status fetch_open(const char *ca_file, int64_t timeout_ms, fetch **out, evdb_error *err);
/* A fetch *: what is at the URL, of at most `most` bytes; *out is malloc'd, with a NUL behind it. EVDB_REMOTE unless the answer is 200; redirects are not
 * followed. */
evdb_status fetch_get(void *context, const char *url, size_t most, char **out, size_t *size, evdb_error *err);
/* Ends what is under way with an error, and all that comes: the server is stopping. NULL is fine. */
void fetch_stop(fetch *f);
void fetch_close(fetch *f); /* NULL is fine */

#endif
