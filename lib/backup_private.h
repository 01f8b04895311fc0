/* backup_private.h - what the files that implement evdb/backup.h share. */
#ifndef EVDB_BACKUP_PRIVATE_H
#define EVDB_BACKUP_PRIVATE_H
#include "backup_file.h"
#include "backup_walk.h"
#include "platform/lock.h"
#include <evdb/backup.h>

/* Options with their defaults, or the reason why not. */
evdb_status backup_restore_options(const evdb_restore_options *given, evdb_restore_options *out, evdb_error *err);
/* EVDB_CANCELLED when the caller wants it. */
evdb_status backup_tick(const evdb_restore_options *o, evdb_transfer_phase phase, uint64_t records, evdb_error *err);

/* ---- checking (backup_check.c) ---- */

/* What the files of a chain that were checked so far came to. Zeroed at first. */
typedef struct backup_checked {
    bool alone;              /* one file, whatever it builds on */
    size_t count;            /* files */
    backup_head first;       /* of the first one */
    unsigned char id[BACKUP_ID]; /* of the last one, ... */
    evdb_backup_info last;   /* ... what it is, ... */
    int64_t ttl_ms, trash_ms; /* ... the ttl of its store, and how long that keeps deleted records, ... */
    uint32_t authors;        /* ... whether its records say who wrote them, ... */
    uint64_t sum;            /* ... and the checksum of all of it */
    evdb_backup_info last_seen; /* also one that was refused, as far as it was read */
    uint64_t raw_bytes, records; /* of all together */
    struct backup_checker *checker; /* that knows the codecs */
} backup_checked;

/* The next file of the chain, to its end, without its foot's place in time being judged. */
evdb_status backup_check_next(evdb *db, backup_checked *c, const evdb_source *source, const evdb_restore_options *o, evdb_error *err);
void backup_check_end(evdb *db, backup_checked *c);

/* A failure of one file: says in *err which it is about, if that has a name. */
evdb_status backup_blame(const evdb_backup_info *info, evdb_status rc, const evdb_error *why, evdb_error *err);

/* ---- which ones rules delete (backup_choose.c) ---- */

/* Options with their defaults, or the reason why not. */
evdb_status backup_prune_options(const evdb_prune_options *given, evdb_prune_options *out, evdb_error *err);
/* evdb_backup_choose() in place: what is chosen moves to the front of the list, and from there on nothing counts. */
evdb_status backup_choose(const evdb *db, const evdb_prune_options *o, evdb_backup_info **list, size_t *count, evdb_error *err);

/* ---- the folder (backup_folder.c) ---- */

/* Held while a name is given or taken, by whichever processes and databases use the folder. */
typedef struct backup_folder {
    const evdb *db;
    const char *dir;
    bool missing; /* it is not there yet, so nothing is locked */
    lock_file lock;
    char path[4096]; /* of the lock */
} backup_folder;

/* EVDB_UNSUPPORTED for a database that has none. */
evdb_status backup_folder_of(const evdb *db, const char **out, evdb_error *err);
evdb_status backup_folder_lock(const evdb *db, backup_folder *out, evdb_error *err);
void backup_folder_unlock(backup_folder *f);
/* Removes a file for good, whatever builds on it; with the lock held. */
evdb_status backup_folder_remove(const backup_folder *f, const char *name, evdb_error *err);
/* What cannot be read may build on any other: then it is not the time to delete. */
evdb_status backup_files_all_read(const backup_files *files, evdb_error *err);
/* As evdb_backup_list() returns them. */
evdb_status backup_infos_copy(const evdb *db, const evdb_backup_info *infos, size_t count, evdb_backup_info ***out, evdb_error *err);

#endif
