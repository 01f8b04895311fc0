/* replay.h - which single-use tokens have been used: one memory for each client, so that none can crowd out what another one used. */
#ifndef TOKEN_REPLAY_H
#define TOKEN_REPLAY_H
#include <evdb.h>

enum { REPLAY_MAX = 4096 }; /* tokens of a client that are used and not yet expired */

typedef struct replay replay;

/* now_ms: Unix time, since when it remembers. */
evdb_status replay_open(int64_t now_ms, replay **out, evdb_error *err);
int64_t replay_began(const replay *r);
void replay_close(replay *r); /* NULL is fine */
/* Notes that `id` was used by `client`, until it expires. EVDB_DENIED when it was used before; EVDB_THROTTLED when so many are remembered
 * that this one cannot be: nothing that could still be used again is forgotten for it. Thread-safe. */
evdb_status replay_note(replay *r, const char *client, const char *id, int64_t expires_ms, int64_t now_ms, evdb_error *err);
/* Clients of whom something is remembered. */
size_t replay_clients(replay *r);

#endif
