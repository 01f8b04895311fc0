/* backup_entry.h - what chunks of a backup hold: records, deletions, codecs, and at the end where the store stands.
 *
 * The later entry of an id counts. A codec stands before the first vector of it, its trained bytes in parts behind it. */
#ifndef EVDB_FORMAT_BACKUP_ENTRY_H
#define EVDB_FORMAT_BACKUP_ENTRY_H
#include "base/buf.h"
#include <evdb/record.h>

enum { BACKUP_PART_MAX = 1 << 20, BACKUP_VECTOR_MAX = 1 << 20 };

typedef enum backup_entry_kind {
    BACKUP_PUT = 1,
    BACKUP_DELETE = 2,
    BACKUP_CODEC = 3,
    BACKUP_PART = 4,  /* of the codec before it */
    BACKUP_STATE = 5  /* the last of a file */
} backup_entry_kind;

typedef struct backup_entry {
    backup_entry_kind kind;
    evdb_id id;        /* PUT, DELETE; STATE: of the last change, a text of no bytes where that was erased. Text is not terminated */
    uint64_t version;  /* PUT, DELETE: the change that made it; STATE: the last one */
    uint32_t codec;    /* PUT: of the vector, 0 = elements; CODEC: its number; STATE: in force */
    uint32_t dim;      /* PUT, STATE */
    const void *bytes; /* PUT: the vector as it is stored; PART */
    size_t size;
    const char *text;  /* PUT: metadata; CODEC: its name; STATE: name of the codec that is wanted, "" = none. Not terminated */
    size_t length;
    int64_t expires;   /* PUT: Unix time in milliseconds; 0 = never */
    const char *author; /* PUT: who wrote it, NULL = that is not known. Not terminated */
    size_t author_length;
    int64_t written;   /* PUT: when, 0 = that is not known */
    bool own;          /* CODEC: of records that asked for it */
    double loss;       /* CODEC */
    uint64_t trained;  /* CODEC: bytes of the parts behind it; 0 = it has none */
    uint64_t live;     /* STATE: records */
    uint32_t coding;   /* STATE: how often the codec changed */
    evdb_id_type id_type;  /* STATE */
    uint32_t change;   /* STATE: kind of the last change; 0 = there was none */
} backup_entry;

bool backup_entry_add(buf *to, const backup_entry *e); /* false: out of memory */
/* The entry at *at, which moves behind it. CORRUPT; NEWER for one that has what this evdb does not know. */
evdb_status backup_entry_next(const uint8_t **at, const uint8_t *end, backup_entry *out, evdb_error *err);

#endif
