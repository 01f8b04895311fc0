/* expiry.h - records that are gone from a time on.
 *
 * A record may carry an expiry: a Unix time in milliseconds. From then on it is never returned, whatever asks: a search, by the graph
 * or by scanning, with a filter or not; get, cursor, export, count. Its id is free: an insert takes it, an update does not find it.
 * An upsert replaces the expiry like the rest of the record; an update keeps it unless it brings one. A time that has passed already
 * is allowed: such a record is never found.
 *
 * What has expired is deleted in the background, within seconds, by each process that has the store open: an ordinary delete,
 * that the change feed tells (changes.h). Until then it takes room on disk and in memory. The clock is the machine's own: when
 * it is set back, records whose time has not come any more are found again, if they have not been deleted.
 *
 * A search sees what had not expired when it began. Stores where nothing expires pay nothing. */
#ifndef EVDB_EXPIRY_H
#define EVDB_EXPIRY_H
#include <evdb/batch.h>
EVDB_BEGIN

#define EVDB_TTL_MAX_MS INT64_C(3155760000000) /* a hundred years */

/* How long records live that are written from now on without an expiry of their own, by whichever process; 0 = for ever. Those that are
 * there keep theirs. evdb_store_info.ttl_ms tells it. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_set_ttl(evdb_store *store, int64_t ttl_ms, evdb_error *err);

/* Gives a record another expiry, or with EVDB_NEVER none, and leaves the rest as it is: an update, for which what record.h says of
 * those holds. evdb_batch.expires is the same for many records, and for those that are inserted. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_set_expiry(evdb_store *store, evdb_id id, int64_t expires_ms, uint64_t if_version,
                                                            uint64_t *version, evdb_error *err);

EVDB_END
#endif
