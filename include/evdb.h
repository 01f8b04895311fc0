/* evdb.h - the whole of libevdb's public interface.
 *
 * A vector database in a directory: open it, create a store, write records (id, vector, JSON
 * metadata), search for the nearest. Read the headers below in this order; each is the manual
 * of its subject. Link with -levdb (pkg-config evdb).
 *
 * Rules that hold everywhere:
 *  - Functions return evdb_status; EVDB_OK is 0. The last parameter is a caller-owned
 *    evdb_error that receives a message; NULL is allowed. Outputs are written only on success.
 *  - Handles are opaque. Each header says of its handle: *shared* (any thread, any time),
 *    *exclusive* (one thread at a time) or *const* (read-only after creation).
 *  - X_close() and X_free() accept NULL.
 *  - Option structs begin with `size_t size`; use the EVDB_..._OPTIONS initialiser. A field left
 *    0 means its default. Structs only ever grow at their end.
 *  - Text is UTF-8. The library never prints, never aborts, installs no signal handlers and keeps
 *    no mutable globals.
 *  - After fork() the child may not use handles of the parent: every call answers EVDB_FORKED.
 */
#ifndef EVDB_H
#define EVDB_H
#include <evdb/api.h>
#include <evdb/version.h>
#include <evdb/error.h>
#include <evdb/number.h>
#include <evdb/distance.h>
#include <evdb/database.h>
#include <evdb/codec.h>
#include <evdb/metric.h>
#include <evdb/store.h>
#include <evdb/advise.h>
#include <evdb/record.h>
#include <evdb/batch.h>
#include <evdb/author.h>
#include <evdb/expiry.h>
#include <evdb/forget.h>
#include <evdb/trash.h>
#include <evdb/compress.h>
#include <evdb/cursor.h>
#include <evdb/changes.h>
#include <evdb/filter.h>
#include <evdb/search.h>
#include <evdb/index.h>
#include <evdb/transfer.h>
#include <evdb/foreign.h>
#include <evdb/backup.h>
#include <evdb/verify.h>
#include <evdb/repair.h>
#include <evdb/auth.h>
#include <evdb/audit.h>
#include <evdb/user.h>
#endif
