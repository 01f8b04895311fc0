/* vfs.h - the SQLite file layer of one database: SQLite's own, with two things added.
 *
 * 1. Page checksums. Every page of a main database file ends in eight reserved bytes that hold the XXH64 of the
 *    rest of the page, seeded with its page number; a page that does not match fails to read with
 *    SQLITE_IOERR_DATA. SQLite itself notices hardly any flipped bit, and a flip in a key would make a
 *    record vanish without a trace. (SQLite's cksumvfs extension has the same idea.) Pages of zeros carry none.
 *    The write-ahead log has SQLite's own frame checksums, see wal.h.
 * 2. The I/O gate of platform.h is asked before every operation. */
#ifndef EVDB_DISK_VFS_H
#define EVDB_DISK_VFS_H
#include "platform/platform.h"
#include <stdbool.h>

enum { VFS_RESERVED = 8 }; /* bytes at the end of each page */
/* A sqlite3_file_control() of a database: its log may be committed to without a sync, so that every write goes to the file at once. */
enum { VFS_UNSYNCED = 0x65766462 };

typedef struct vfs vfs;

/* Registers the layer with SQLite under a name of its own; p must outlive it. */
evdb_status vfs_create(const platform *p, vfs **out, evdb_error *err);
void vfs_free(vfs *v);
const char *vfs_name(const vfs *v);
/* Does page `number` (from 1) hold what was written to it? One of zeros passes. */
bool vfs_page_sound(const void *page, size_t size, uint32_t number);

#endif
