/* platform.h - the seams: everything evdb takes from its surroundings goes through one of these.
 *
 * A database carries one `platform`; tests replace members to make allocation fail, the disk tear,
 * time jump or randomness repeat. Nothing in lib/ calls malloc, time() or a random source directly. */
#ifndef EVDB_PLATFORM_H
#define EVDB_PLATFORM_H
#include <evdb/database.h>
#include <stddef.h>
#include <stdint.h>

typedef enum io_kind {
    IO_OPEN, IO_READ, IO_WRITE, IO_SYNC, IO_TRUNCATE, IO_RENAME, IO_UNLINK, IO_MKDIR, IO_SYNC_DIR, IO_MAP, IO_LOCK, IO_MODE
} io_kind;

typedef struct io_event {
    io_kind kind;
    const char *path;
    const char *to;   /* IO_RENAME */
    uint64_t offset;  /* IO_READ, IO_WRITE; new size for IO_TRUNCATE */
    const void *data; /* IO_WRITE */
    size_t size;
} io_event;

enum { IO_SKIP = -1 }; /* do nothing and report success: a seeded bug */

/* Asked before every file operation, SQLite's included. 0 lets it happen, an errno makes it fail
 * unmade, IO_SKIP drops it. May be called from several threads. */
typedef struct io_gate {
    void *context;
    int (*before)(void *context, const io_event *event); /* NULL = everything passes */
} io_gate;

typedef struct platform {
    evdb_allocator mem;
    io_gate io;
    void *clock_context;
    int64_t (*clock_ms)(void *context);     /* Unix time, milliseconds */
    uint64_t (*clock_ns)(void *context);    /* monotonic, nanoseconds */
    uint64_t (*cpu_ns)(void *context);      /* processor time of the calling thread, nanoseconds */
    void *random_context;
    void (*random)(void *context, void *bytes, size_t count);
} platform;

/* malloc, the real disk, the real clock, libsodium's generator. */
extern const platform platform_real;

#endif
