/* vfs.h - the SQLite file layer of one database: SQLite's own, with four things added.
 *
 * 1. Page checksums. Every page of a main database file ends in eight reserved bytes that hold the XXH64 of the
 *    rest of the page, seeded with its page number; a page that does not match fails to read with
 *    SQLITE_IOERR_DATA. SQLite itself notices hardly any flipped bit, and a flip in a key would make a
 *    record vanish without a trace. (SQLite's cksumvfs extension has the same idea.) Pages of zeros carry none.
 *    The write-ahead log has SQLite's own frame checksums, see wal.h.
 * 2. The I/O gate of platform.h is asked before every operation.
 * 3. A sync that failed is not tried again: all that follow on the same handle fail too. (The kernel tells of a failure once, and forgets
 *    what it could not write.)
 * 4. Room is kept for when the disk is full (reserve.h), where it is asked for. */
#ifndef EVDB_DISK_VFS_H
#define EVDB_DISK_VFS_H
#include "platform/platform.h"
#include <stdbool.h>

enum { VFS_RESERVED = 8 }; /* bytes at the end of each page */
/* What sqlite3_file_control() of a database understands. VFS_UNSYNCED: its log may be committed to without a sync, so that every write
 * goes to the file at once. */
enum {
    VFS_UNSYNCED = 0x65766462,
    VFS_RESERVE,     /* uint64_t, bytes of a page: keeps a reserve from now on */
    VFS_BEGUN,       /* uint64_t, pages that the file has: what is committed next leaves the reserve whole, but within these */
    VFS_DELETES,     /* it does nothing but delete, and may use the reserve */
    VFS_SHORT_OF,    /* bool, out: is the reserve not whole? */
    VFS_SYNC_FAILED, /* bool, out: has a sync of the file or its log failed? */
};

typedef struct vfs vfs;

/* Registers the layer with SQLite under a name of its own; p must outlive it. */
evdb_status vfs_create(const platform *p, vfs **out, evdb_error *err);
void vfs_free(vfs *v);
const char *vfs_name(const vfs *v);
/* Does page `number` (from 1) hold what was written to it? One of zeros passes. */
bool vfs_page_sound(const void *page, size_t size, uint32_t number);

#endif
