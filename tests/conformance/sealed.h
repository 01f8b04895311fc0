/* sealed.h - state that goes through a client's hands, who can neither read nor change it: encrypted and authenticated (XChaCha20-Poly1305) with a
 * key of the process, good for a request of one kind, for whom it was made for, and for some minutes. */
#ifndef CONFORMANCE_SEALED_H
#define CONFORMANCE_SEALED_H
#include "mcp/mcp.h"

/* Once, before any other. */
void sealed_begin(void);
/* A malloc'd text, or NULL without memory. about: the request that it belongs to. now: in seconds, by whatever clock. */
char *sealed_make(const json_t *state, const char *about, const evdb_principal *who, int64_t now);
/* The state, a new reference; NULL for what was not made by us, for this, for him, or not lately. */
json_t *sealed_open(const char *text, const char *about, const evdb_principal *who, int64_t now);
enum { SEALED_LIFETIME = 300 };

#endif
