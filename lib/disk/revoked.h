/* revoked.h - tokens that are void before they expire, in system.db: by their ids, until then.
 *
 * An id is one of a token or, for all that came from one log-in, of its family of refresh tokens (disk/refresh.h). Changes take the
 * system lock. */
#ifndef EVDB_DISK_REVOKED_H
#define EVDB_DISK_REVOKED_H
#include "disk/system.h"

enum { REVOKED_ID_BYTES = 16 };

/* Keeps an id; forgets those that expired before now_ms. LIMIT when the client has EVDB_REVOKED_MAX. */
evdb_status revoked_add(system_db *s, const unsigned char id[REVOKED_ID_BYTES], const char *client, int64_t expires_ms, int64_t now_ms,
                        evdb_error *err);
/* One of the two? */
evdb_status revoked_find(system_db *s, const unsigned char id[REVOKED_ID_BYTES], const unsigned char family[REVOKED_ID_BYTES], bool *found,
                         evdb_error *err);
/* Within a transaction: a family, for as long as a token of any signing key may live. Where the client has too many, those go that would
 * first, for this must not fail. */
evdb_status revoked_add_family(system_db *s, const unsigned char family[REVOKED_ID_BYTES], const char *client, int64_t now_ms,
                               evdb_error *err);

#endif
