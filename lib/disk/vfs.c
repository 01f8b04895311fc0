/* vfs.c - implements disk/vfs.h. */
#include "disk/vfs.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "disk/reserve.h"
#include "platform/file.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct vfs {
    sqlite3_vfs base; /* first: SQLite hands it back to us */
    sqlite3_vfs *real;
    const platform *platform;
    char name[40];
};

typedef struct vfs_file {
    sqlite3_file base; /* first, as SQLite wants */
    const platform *platform;
    const char *path; /* SQLite keeps it alive while the file is open; NULL for temporary files */
    int pages;        /* is a main database file: pages carry checksums */
    int log;          /* is a write-ahead log: room is made ahead */
    sqlite3_int64 room; /* of a log: bytes known to be there */
    char *gathered;     /* of a log: what SQLite has written and we have not yet, LOG_GATHER bytes; NULL before the first */
    int gathered_size;
    sqlite3_int64 gathered_at;
    struct vfs_file *log_of; /* of a log: its main database file */
    struct vfs_file *its_log; /* of a main database file: its log, while that is open */
    int unsynced; /* of a main database file: commits to its log may do without a sync */
    int sync_failed; /* of a main database file: a sync of it or of its log failed */
    reserve reserve; /* of a main database file */
    /* the real file follows, see real_file() */
} vfs_file;

enum {
    FILE_HEADER = (sizeof(vfs_file) + 15) / 16 * 16,
    PAGE_MIN = 512,
    WRITE_LOCK = 0, /* of a shared-memory file, see SQLite's documentation of its WAL-mode file format */
    FRAME_HEADER = 24,   /* of a log */
    GIVE_STEP = 1 << 16, /* bytes of a reserve that are given up at a time */
    LOG_STEP = 1 << 20, /* a log grows by this much at a time */
    LOG_GATHER = (1 << 17) - 1 /* the most that SQLite's own layer takes in one call */
};

static sqlite3_file *real_file(sqlite3_file *f) { return (sqlite3_file *)((char *)f + FILE_HEADER); }

/* The gate's answer is left in errno too, where SQLite looks for the reason of a failure. */
static int ask(const platform *p, io_kind kind, const char *path, uint64_t offset, const void *data, size_t size)
{
    int asked = io_ask(p, &(io_event){ kind, path ? path : "(temporary)", NULL, offset, data, size });
    if (asked > 0) errno = asked;
    return asked;
}

/* Is this transfer one whole page? SQLite also reads the 100-byte header alone. */
static int is_page(const vfs_file *f, int amount, sqlite3_int64 offset)
{
    return f->pages && amount >= PAGE_MIN && (amount & (amount - 1)) == 0 && offset % amount == 0;
}

static uint64_t page_sum(const unsigned char *page, int amount, sqlite3_int64 offset)
{
    return checksum(page, (size_t)amount - VFS_RESERVED, (uint64_t)(offset / amount) + 1);
}

static int all_zero(const unsigned char *page, int amount)
{
    return page[0] == 0 && memcmp(page, page + 1, (size_t)amount - 1) == 0;
}

static int page_sound(const unsigned char *page, int amount, sqlite3_int64 offset)
{
    uint64_t stored;
    memcpy(&stored, page + amount - VFS_RESERVED, sizeof(stored));
    return stored == page_sum(page, amount, offset) || all_zero(page, amount);
}

bool vfs_page_sound(const void *page, size_t size, uint32_t number)
{
    return page_sound(page, (int)size, (sqlite3_int64)(number - 1) * (sqlite3_int64)size);
}

static int write_once(vfs_file *f, const void *data, int amount, sqlite3_int64 offset)
{
    int asked = ask(f->platform, IO_WRITE, f->path, (uint64_t)offset, data, (size_t)amount);
    if (asked) return asked == IO_SKIP ? SQLITE_OK : asked == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real_file(&f->base)->pMethods->xWrite(real_file(&f->base), data, amount, offset);
}

/* The reserve is there for what is moved from the log into the file, and for the log of a commit that may use it. */
static int write_through(vfs_file *f, const void *data, int amount, sqlite3_int64 offset)
{
    reserve *kept = !f->log ? &f->reserve : f->log_of->reserve.deletes ? &f->log_of->reserve : NULL;
    int rc;
    do rc = write_once(f, data, amount, offset);
    while (rc == SQLITE_FULL && kept && reserve_give(kept, GIVE_STEP, f->log ? kept->growth : 0));
    return rc;
}

/* Frames come in pairs of small writes, a header and a page. They are gathered and written as one: measured, a tenth of a
 * group commit. Every commit syncs the log before its index tells others of it (synchronous=FULL), and a sync writes out
 * first; so does whatever looks at the file, or does not write on where the last write ended. Where
 * commits do without a sync nothing is gathered. What failed is kept: the sync
 * that everything depends on fails as well. */
static int write_gathered(vfs_file *f)
{
    int rc = f->gathered_size ? write_through(f, f->gathered, f->gathered_size, f->gathered_at) : SQLITE_OK;
    if (rc == SQLITE_OK) f->gathered_size = 0;
    return rc;
}

/* What is still gathered when the lock of writers is given up belongs to a transaction that was undone. Written later, it
 * would land on the commits of others. */
static void forget_gathered(vfs_file *log)
{
    if (log) log->gathered_size = 0;
}

static int gather(vfs_file *f, const void *data, int amount, sqlite3_int64 offset)
{
    bool follows = f->gathered_size && offset == f->gathered_at + f->gathered_size;
    if (f->gathered_size && !(follows && amount <= LOG_GATHER - f->gathered_size)) {
        int rc = write_gathered(f);
        if (rc != SQLITE_OK) return rc;
    }
    if (!f->gathered) f->gathered = mem_alloc(&f->platform->mem, LOG_GATHER);
    if (!f->gathered || amount > LOG_GATHER) return write_through(f, data, amount, offset);
    if (!f->gathered_size) f->gathered_at = offset;
    memcpy(f->gathered + f->gathered_size, data, (size_t)amount);
    f->gathered_size += amount;
    return SQLITE_OK;
}

static int real_size(vfs_file *f, sqlite3_int64 *out) { return real_file(&f->base)->pMethods->xFileSize(real_file(&f->base), out); }

/* Of a main database file that is being closed. SQLite has removed the log then if it was the last to have it, and keeps others out
 * until it is closed. */
static void let_reserve_rest(vfs_file *f)
{
    char log[4096];
    bool there = true, directory;
    sqlite3_int64 size;
    if (!f->reserve.path || (size_t)snprintf(log, sizeof(log), "%s-wal", f->path) >= sizeof(log)) return;
    if (file_exists(log, &there, &directory) == 0 && !there && real_size(f, &size) == SQLITE_OK) reserve_rest(&f->reserve, (uint64_t)size);
}

static int x_close(sqlite3_file *file)
{
    vfs_file *f = (vfs_file *)file;
    sqlite3_file *real = real_file(file);
    let_reserve_rest(f);
    if (f->log_of) f->log_of->its_log = NULL;
    mem_free(&f->platform->mem, f->gathered);
    reserve_free(&f->reserve);
    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int x_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    vfs_file *f = (vfs_file *)file;
    int written = write_gathered(f);
    if (written != SQLITE_OK) return written;
    if (ask(f->platform, IO_READ, f->path, (uint64_t)offset, NULL, (size_t)amount) > 0) return SQLITE_IOERR_READ;
    int rc = real_file(file)->pMethods->xRead(real_file(file), out, amount, offset);
    if ((rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ) && is_page(f, amount, offset) &&
        !page_sound(out, amount, offset)) {
        return SQLITE_IOERR_DATA;
    }
    return rc;
}

/* Appending to a file makes every fsync write the file system's own journal too. So a log grows by zeros, a large
 * step at a time, and commits overwrite them: measured, two thirds of the time and half of the CPU of a small commit. (Zeros
 * end a log: their frames have no checksum.) Only the writer, who holds the lock, comes here. Failure is none: the write
 * itself will tell. */
static void make_room(vfs_file *f, sqlite3_int64 end)
{
    static const char zeros[LOG_STEP / 16];
    sqlite3_file *real = real_file(&f->base);
    if (end <= f->room || f->log_of->reserve.short_of || real->pMethods->xFileSize(real, &f->room) != SQLITE_OK) return;
    if (end <= f->room) return;
    for (sqlite3_int64 until = f->room + LOG_STEP; f->room < until; f->room += (sqlite3_int64)sizeof(zeros))
        if (write_once(f, zeros, sizeof(zeros), f->room) != SQLITE_OK) return;
}

/* The header of the frame that ends a commit says how many pages the database has behind it. */
static bool may_commit(vfs_file *log, const unsigned char *frame, int amount)
{
    vfs_file *main = log->log_of;
    sqlite3_int64 size, log_size;
    if (amount != FRAME_HEADER || !main->reserve.path) return true;
    uint32_t pages = (uint32_t)frame[4] << 24 | (uint32_t)frame[5] << 16 | (uint32_t)frame[6] << 8 | frame[7];
    if (!pages || real_size(main, &size) != SQLITE_OK || real_size(log, &log_size) != SQLITE_OK) return true;
    return reserve_commit(&main->reserve, (uint64_t)size, pages, (uint64_t)log_size);
}

static int x_write(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset)
{
    vfs_file *f = (vfs_file *)file;
    /* not before the header: SQLite syncs that before any frame, so that nothing of an earlier round counts from then on */
    if (f->log && offset > 0) {
        if (!may_commit(f, data, amount)) return SQLITE_FULL;
        make_room(f, offset + amount);
        if (!f->log_of->unsynced) return gather(f, data, amount, offset);
    }
    if (is_page(f, amount, offset)) {
        /* the reserved bytes are ours to fill: no one else reads or writes them */
        unsigned char *page = (unsigned char *)(uintptr_t)data;
        uint64_t sum = page_sum(page, amount, offset);
        memcpy(page + amount - VFS_RESERVED, &sum, sizeof(sum));
    }
    int rc = write_gathered(f);
    return rc == SQLITE_OK ? write_through(f, data, amount, offset) : rc;
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    vfs_file *f = (vfs_file *)file;
    int rc = write_gathered(f);
    if (rc != SQLITE_OK) return rc;
    int asked = ask(f->platform, IO_TRUNCATE, f->path, (uint64_t)size, NULL, 0);
    if (asked) return asked == IO_SKIP ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
    f->room = 0; /* look again */
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

/* One that a signal has interrupted did not fail. */
static int sync_real(sqlite3_file *real, int flags)
{
    int rc, why;
    do {
        why = 0;
        rc = real->pMethods->xSync(real, flags);
        if (rc != SQLITE_OK) (void)real->pMethods->xFileControl(real, SQLITE_FCNTL_LAST_ERRNO, &why);
    } while (why == EINTR);
    return rc;
}

static int x_sync(sqlite3_file *file, int flags)
{
    vfs_file *f = (vfs_file *)file;
    int rc = write_gathered(f);
    if (rc != SQLITE_OK) return rc;
    vfs_file *main = f->log ? f->log_of : f;
    if (main->sync_failed) return SQLITE_IOERR_FSYNC;
    int asked = ask(f->platform, IO_SYNC, f->path, 0, NULL, 0);
    if (asked == IO_SKIP) return SQLITE_OK;
    rc = asked ? SQLITE_IOERR_FSYNC : sync_real(real_file(file), flags);
    main->sync_failed = rc != SQLITE_OK;
    return rc;
}

static int x_file_size(sqlite3_file *f, sqlite3_int64 *out)
{
    int rc = write_gathered((vfs_file *)f);
    return rc == SQLITE_OK ? real_file(f)->pMethods->xFileSize(real_file(f), out) : rc;
}
static int x_lock(sqlite3_file *f, int level) { return real_file(f)->pMethods->xLock(real_file(f), level); }
static int x_unlock(sqlite3_file *f, int level) { return real_file(f)->pMethods->xUnlock(real_file(f), level); }
static int x_reserved(sqlite3_file *f, int *out) { return real_file(f)->pMethods->xCheckReservedLock(real_file(f), out); }
static int begun(vfs_file *f, uint64_t pages)
{
    sqlite3_int64 size;
    int rc = real_size(f, &size);
    if (rc == SQLITE_OK) reserve_begin(&f->reserve, (uint64_t)size, pages);
    return rc;
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    vfs_file *v = (vfs_file *)f;
    switch (op) {
    case VFS_UNSYNCED: v->unsynced = 1; return SQLITE_OK;
    case VFS_RESERVE: return v->reserve.path || reserve_init(&v->reserve, v->platform, v->path, *(const uint64_t *)arg) ? SQLITE_OK : SQLITE_NOMEM;
    case VFS_BEGUN: return begun(v, *(const uint64_t *)arg);
    case VFS_DELETES: v->reserve.deletes = true; return SQLITE_OK;
    case VFS_SHORT_OF: *(bool *)arg = v->reserve.short_of; return SQLITE_OK;
    case VFS_SYNC_FAILED: *(bool *)arg = v->sync_failed; return SQLITE_OK;
    default: return real_file(f)->pMethods->xFileControl(real_file(f), op, arg);
    }
}
static int x_sector(sqlite3_file *f) { return real_file(f)->pMethods->xSectorSize(real_file(f)); }
static int x_device(sqlite3_file *f) { return real_file(f)->pMethods->xDeviceCharacteristics(real_file(f)); }

static int x_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
    int rc, error;
    /* the first region is what opening takes; what a long log takes later is for its writer to have */
    do {
        rc = real_file(f)->pMethods->xShmMap(real_file(f), region, size, extend, out);
        error = errno;
    } while (rc != SQLITE_OK && !region && extend && reserve_give(&((vfs_file *)f)->reserve, GIVE_STEP, 0));
    errno = error; /* SQLite looks there for the reason */
    return rc;
}
static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    if (offset == WRITE_LOCK && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)) forget_gathered(((vfs_file *)f)->its_log);
    return real_file(f)->pMethods->xShmLock(real_file(f), offset, n, flags);
}
static void x_shm_barrier(sqlite3_file *f) { real_file(f)->pMethods->xShmBarrier(real_file(f)); }
static int x_shm_unmap(sqlite3_file *f, int del) { return real_file(f)->pMethods->xShmUnmap(real_file(f), del); }

/* Version 2: no xFetch, so SQLite never maps the file and every page passes x_read. */
static const sqlite3_io_methods methods = {
    2, x_close, x_read, x_write, x_truncate, x_sync, x_file_size, x_lock, x_unlock, x_reserved, x_control, x_sector,
    x_device, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL,
};

static int x_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
    vfs *v = (vfs *)base;
    vfs_file *f = (vfs_file *)file;
    memset(f, 0, sizeof(*f));
    if (ask(v->platform, IO_OPEN, path, 0, NULL, 0) > 0) return SQLITE_CANTOPEN;
    int rc = v->real->xOpen(v->real, path, real_file(file), flags, out_flags);
    if (rc != SQLITE_OK) return rc;
    f->platform = v->platform;
    f->path = path;
    f->pages = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    f->log = (flags & SQLITE_OPEN_WAL) != 0;
    f->base.pMethods = &methods;
    if (f->log) {
        f->log_of = (vfs_file *)sqlite3_database_file_object(path);
        f->log_of->its_log = f;
    }
    return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *base, const char *path, int sync_dir)
{
    vfs *v = (vfs *)base;
    int asked = ask(v->platform, IO_UNLINK, path, 0, NULL, 0);
    if (asked) return asked == IO_SKIP ? SQLITE_OK : SQLITE_IOERR_DELETE;
    return v->real->xDelete(v->real, path, sync_dir);
}

evdb_status vfs_create(const platform *p, vfs **out, evdb_error *err)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL); /* also initialises SQLite */
    if (!real) return error_set(err, EVDB_INTERNAL, "SQLite has no file layer");
    vfs *v = mem_zero(&p->mem, sizeof(*v));
    if (!v) return error_no_memory(err, sizeof(*v), "the file layer");
    v->base = *real; /* what is not replaced below does not depend on the vfs it is called through */
    v->base.pNext = NULL;
    v->base.szOsFile = FILE_HEADER + real->szOsFile;
    v->base.xOpen = x_open;
    v->base.xDelete = x_delete;
    v->base.zName = v->name;
    v->real = real;
    v->platform = p;
    snprintf(v->name, sizeof(v->name), "evdb-%p", (void *)v);
    if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
        mem_free(&p->mem, v);
        return error_set(err, EVDB_INTERNAL, "SQLite refuses a file layer");
    }
    *out = v;
    return EVDB_OK;
}

void vfs_free(vfs *v)
{
    if (!v) return;
    sqlite3_vfs_unregister(&v->base);
    mem_free(&v->platform->mem, v);
}

const char *vfs_name(const vfs *v) { return v->name; }
