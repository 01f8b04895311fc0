/* system_private.h - one statement on system.db, for the files that implement parts of it. */
#ifndef EVDB_DISK_SYSTEM_PRIVATE_H
#define EVDB_DISK_SYSTEM_PRIVATE_H
#include "disk/sql.h"
#include "disk/system.h"
#include "disk/system_cache.h"
#include "platform/lock.h"
#include <pthread.h>

struct system_db {
    const platform *platform;
    char *path, *lock_path, *hint_path; /* NULL in memory */
    sql db;
    sqlite3_stmt *find_client; /* asked with every request of a server, so kept */
    pthread_mutex_t turn;      /* the connection */
    pthread_mutex_t owner;     /* system_lock, between threads */
    lock_file lock;            /* system_lock, between processes */
    system_cache cache;
    char problem[496]; /* with the log, found while it was opened; "" = none */
};

/* What is bound to ?1, ?2 ... : bytes when there are any, else the number. */
typedef struct system_value {
    const char *text;  /* NUL-terminated text, or NULL */
    const void *bytes; /* a blob, or NULL */
    size_t size;
    int64_t number;
    bool null; /* none of them */
} system_value;
#define SYSTEM_TEXT(t) { .text = (t) }
#define SYSTEM_BYTES(b, n) { .bytes = (b), .size = (n) }
#define SYSTEM_NUMBER(n) { .number = (n) }

typedef evdb_status system_row_fn(void *context, sqlite3_stmt *row, evdb_error *err);
/* Runs one statement; each row (may be NULL) is handed to row(). */
evdb_status system_query(system_db *s, const char *text, const system_value *values, size_t count, system_row_fn *row,
                         void *context, evdb_error *err);
/* The first column of the last row; *out is left alone when there is none. */
evdb_status system_integer(system_db *s, const char *text, const system_value *values, size_t count, int64_t *out,
                           evdb_error *err);
/* A transaction: system_begin() .. system_end() with what became of it. With the system lock held, so that no other thread's
 * transaction is on the connection. `important`: what was committed is moved into system.db at once. */
evdb_status system_begin(system_db *s, evdb_error *err);
evdb_status system_end(system_db *s, evdb_status rc, bool important, evdb_error *err);

#endif
