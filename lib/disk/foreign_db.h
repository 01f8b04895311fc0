/* foreign_db.h - a SQLite file that another program made, opened to be read and never changed, not even by a lock file or a log
 * beside it. What is in it is not to be trusted: statements may only name tables that foreign_db_table() has seen.
 *
 * All reading is of one state, that of the opening. Exclusive: one thread at a time. */
#ifndef EVDB_DISK_FOREIGN_DB_H
#define EVDB_DISK_FOREIGN_DB_H
#include "platform/platform.h"
#include <evdb/error.h>
#include <stdbool.h>

typedef struct foreign_db foreign_db;
typedef struct foreign_query foreign_query;
typedef struct foreign_blob foreign_blob;

/* EVDB_NOT_FOUND, and EVDB_INVALID when it is no SQLite file; EVDB_BUSY while its program writes, or when what that program left
 * cannot be read without changing it. */
evdb_status foreign_db_open(const platform *p, const char *path, foreign_db **out, evdb_error *err);
void foreign_db_close(foreign_db *db);

typedef enum foreign_table { FOREIGN_NO_TABLE, FOREIGN_TABLE, FOREIGN_VIRTUAL_TABLE, FOREIGN_VIEW } foreign_table;
evdb_status foreign_db_table(foreign_db *db, const char *name, foreign_table *out, evdb_error *err);

/* EVDB_BUSY when the file was written to since it was opened, and what was read may be of no single state. Ask behind the last read. */
evdb_status foreign_db_steady(const foreign_db *db, evdb_error *err);

/* A statement on temporary tables, which spill to files that vanish. */
evdb_status foreign_run(foreign_db *db, const char *text, evdb_error *err);

/* The text is formatted as by sqlite3_mprintf(): "%w" is a name within quotation marks. Damage and what a statement does not find are
 * EVDB_INVALID: the file is not what it should be. */
evdb_status foreign_query_open(foreign_db *db, foreign_query **out, evdb_error *err, const char *format, ...);
void foreign_query_close(foreign_query *q); /* NULL is fine */
/* From the beginning, with other values; those bound are kept. */
void foreign_query_restart(foreign_query *q);
void foreign_bind_integer(foreign_query *q, int at, int64_t value);
void foreign_bind_text(foreign_query *q, int at, const char *text, size_t length); /* borrowed until the query is done */
evdb_status foreign_query_next(foreign_query *q, bool *row, evdb_error *err);
/* Runs it to its end, and restarts it. */
evdb_status foreign_query_run(foreign_query *q, evdb_error *err);

typedef enum foreign_type { FOREIGN_NULL, FOREIGN_INTEGER, FOREIGN_REAL, FOREIGN_TEXT, FOREIGN_BLOB } foreign_type;
typedef struct foreign_value {
    foreign_type type;
    int64_t integer;
    double real;
    const char *bytes; /* of text and blobs; borrowed until the next step; not NULL */
    size_t size;
} foreign_value;
/* Of the row that foreign_query_next() has found, from 0. */
foreign_value foreign_query_value(foreign_query *q, int at);

/* Parts of large blobs. The handle keeps to one table and column; 0-initialised, closed with foreign_blob_close(). */
struct foreign_blob {
    void *handle;
    int64_t row;
    size_t size; /* of the blob of that row */
};
/* Makes `row` (its rowid) the one that is read from. */
evdb_status foreign_blob_at(foreign_db *db, foreign_blob *blob, const char *table, const char *column, int64_t row, evdb_error *err);
evdb_status foreign_blob_read(foreign_db *db, foreign_blob *blob, size_t offset, void *bytes, size_t size, evdb_error *err);
void foreign_blob_close(foreign_blob *blob);
#endif
