/* backup_head.h - both ends of a backup's file (evdb/backup.h): what it is, and what it came to.
 *
 *   head    magic, format, length of the JSON; the JSON; XXH64 of all that
 *   chunks  raw length, stored length, number, XXH64 of these and the stored bytes, seeded by the backup's id; the stored bytes: entries
 *           (backup_entry.h), by zstd where that pays, then encrypted where there is a key
 *   end     a chunk of no raw bytes; encrypted, it authenticates the foot
 *   foot    backup_foot, at the very end: a list of backups reads this and the head and nothing between
 *
 * All numbers are little-endian. A chunk's number and seed are what tells swapped, doubled and missing chunks, and those of another
 * backup. */
#ifndef EVDB_FORMAT_BACKUP_HEAD_H
#define EVDB_FORMAT_BACKUP_HEAD_H
#include "base/buf.h"
#include <evdb/backup.h>
#include <stdbool.h>

enum {
    BACKUP_FORMAT = 1,
    BACKUP_ID = 16,
    BACKUP_SALT = 24,            /* of a secretstream */
    BACKUP_FIXED = 16,           /* bytes of a head before its JSON */
    BACKUP_JSON_MAX = 256 << 10,
    BACKUP_CHUNK = 1 << 17,      /* a chunk is written once it holds this much ... */
    BACKUP_CHUNK_MAX = 4 << 20   /* ... and never holds more than this: it ends with a whole entry */
};

typedef struct backup_head {
    uint32_t format;
    char name[EVDB_BACKUP_NAME_MAX + 1];
    unsigned char id[BACKUP_ID], base[BACKUP_ID];
    uint64_t base_sequence;
    int64_t created_ms;
    bool full;                /* base is none */
    bool encrypted;
    unsigned char salt[BACKUP_SALT];
    evdb_store_info store;    /* texts borrowed: on reading, of `own` */
    const char *fields[EVDB_STORE_FIELDS_MAX];
    void *own;
    uint64_t sum;             /* of the head as it is in the file */
} backup_head;

typedef struct backup_foot {
    char magic[8];
    uint64_t sequence, records, entries, raw_bytes, chunks;
    uint64_t body_bytes; /* of the file, before the foot */
    int64_t finished_ms;
    uint64_t head_sum;   /* of the head it belongs to */
    uint64_t chunks_sum; /* XXH64 of the checksums of all chunks, chained */
    uint64_t sum;        /* of all before */
} backup_foot;

/* Appends the head as it is in the file, and sets h->sum. */
evdb_status backup_head_write(backup_head *h, buf *out, evdb_error *err);
/* Of the first BACKUP_FIXED bytes: how many the whole head has. CORRUPT, NEWER. */
evdb_status backup_head_size(const void *fixed, size_t *out, evdb_error *err);
/* bytes: the whole head. To be freed with backup_head_free(). */
evdb_status backup_head_read(const void *bytes, size_t size, backup_head *out, evdb_error *err);
void backup_head_free(backup_head *h);

void backup_foot_seal(backup_foot *foot);
evdb_status backup_foot_check(const backup_foot *foot, const backup_head *head, evdb_error *err);

/* foot NULL = not known. */
void backup_info_fill(const backup_head *head, const backup_foot *foot, evdb_backup_info *out);
/* An id of BACKUP_ID bytes as text, and back. */
void backup_id_text(const unsigned char *id, char out[2 * BACKUP_ID + 1]);
bool backup_id_parse(const char *text, unsigned char *out, size_t size);

#endif
