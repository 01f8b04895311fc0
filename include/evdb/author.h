/* author.h - records that say who wrote them, and when.
 *
 * In a store whose `authors` are on, each record keeps the name that its last write gave (evdb_batch.author) and the time of that write: an
 * insert, an upsert, an update of any part. Where no name was given it keeps the time alone. evdb_record tells both. A store begins
 * without (evdb_store_options.authors); records that were written before it is turned on, or after it is turned off, have neither.
 *
 * The library believes its caller. Servers give the client that a request authenticated as, so that a client cannot write in the name of
 * another. Record and author are covered by one checksum. Backups and exports carry both; an import takes them from its file only where
 * evdb_import_options.keep_authors says so. Filters do not see them: what shall be searched by is metadata. */
#ifndef EVDB_AUTHOR_H
#define EVDB_AUTHOR_H
#include <evdb/batch.h>
EVDB_BEGIN

/* Turns authors on (1) or off (0) for writes from now on, by whichever process. Records that are there stay as they are.
 * evdb_store_info.authors tells it. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_set_authors(evdb_store *store, uint32_t on, evdb_error *err);

EVDB_END
#endif
