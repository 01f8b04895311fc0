/* sql.h - one SQLite connection, its settings, and what its errors mean. The only room that sees sqlite3.h. */
#ifndef EVDB_DISK_SQL_H
#define EVDB_DISK_SQL_H
#include "disk/vfs.h"
#include <sqlite3.h>
#include <stdbool.h>

enum {
    SQL_PAGE_SIZE = 16384,          /* measured: 4 KB pages import 3 KB vectors at half the speed, single commits cost the same */
    SQL_CHECKPOINT_PAGES = 2048,    /* 32 MB of write-ahead log */
    SQL_WAL_KEPT_BYTES = 64 << 20,  /* the log file is cut back to this */
    SQL_WAL_SMALL_BYTES = 1 << 20,  /* a log of this size is not cut where room is short */
    SQL_BUSY_MS = 10000             /* only recovery and a last close ever make another connection wait */
};

typedef struct sql {
    sqlite3 *handle;
    const platform *platform;
    const char *name; /* for messages: the path; borrowed */
} sql;

enum {
    SQL_CREATE = 1,
    SQL_READER = 2,
    SQL_KEEP_WAL = 4, /* as by sql_keep_wal(), from the first moment on */
    SQL_RESERVE = 8   /* keeps room for a full disk, see disk/reserve.h; commits may use it until sql_begun() */
};

/* Opens path through v (NULL path = in memory), in WAL mode with synchronous=FULL. */
evdb_status sql_open(const platform *p, const vfs *v, const char *path, unsigned flags, sql *out, evdb_error *err);
void sql_close(sql *s);
/* Whether the log is left as it is, neither checkpointed nor removed, when the last connection closes. */
void sql_keep_wal(sql *s, bool keep);
/* From now on commits do not wait for the disk: a checkpoint does. The file stays sound, the last commits may be lost. */
evdb_status sql_unsynced(sql *s, evdb_error *err);
/* Moves the log into the database file, syncs it and empties the log. */
evdb_status sql_checkpoint(sql *s, evdb_error *err);

/* Moves the log into the database file without waiting for those who read it (EVDB_BUSY), so that it begins anew, and makes its file small
 * again where it has grown. */
evdb_status sql_relieve(sql *s, evdb_error *err);
/* Of a transaction that has just begun, with so many pages: from then on commits leave the reserve whole, or the pages as many as they are; */
void sql_begun(sql *s, uint64_t pages);
/* but not this one. */
void sql_deletes(sql *s);
/* Was there less room at the last commit than there should be? */
bool sql_short_of_room(sql *s);
/* Has a sync failed, one that SQLite did not tell of too? From then on nothing becomes durable. */
bool sql_sync_failed(sql *s);

evdb_status sql_exec(sql *s, const char *text, evdb_error *err);
evdb_status sql_prepare(sql *s, const char *text, sqlite3_stmt **out, evdb_error *err);
/* Steps to the next row: *row false at the end. */
evdb_status sql_step(sql *s, sqlite3_stmt *st, bool *row, evdb_error *err);
/* Steps a statement that returns no row, and resets it. */
evdb_status sql_run(sql *s, sqlite3_stmt *st, evdb_error *err);
/* A statement that returns one integer (SQL NULL counts as 0). */
evdb_status sql_integer(sql *s, const char *text, int64_t *out, evdb_error *err);
/* Turns the connection's last failure into a status and a message that begins with what was attempted. */
evdb_status sql_failed(const sql *s, int rc, const char *attempt, evdb_error *err);

/* SQLite's own view: b-trees, free list, pointer map. Reads every page, none of them from memory; each finding goes to
 * problem(), a page that cannot be read is a failure. */
evdb_status sql_check(sql *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

/* Brings a database file from format PRAGMA user_version to `count` by running steps[version..count-1], each
 * in one transaction. EVDB_NEWER, unchanged, when it is beyond. */
evdb_status sql_migrate(sql *s, const char *const *steps, uint32_t count, evdb_error *err);

#endif
