/* backup_private.h - what the files that implement evdb/backup.h share. */
#ifndef EVDB_BACKUP_PRIVATE_H
#define EVDB_BACKUP_PRIVATE_H
#include "backup_walk.h"
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
    int64_t ttl_ms;          /* ... the ttl of its store, ... */
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

#endif
