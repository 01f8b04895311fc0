/* repair.h - a damaged store made whole again of what can be read of it.
 *
 * Every record whose checksum and whose vector's checksum hold is salvaged, with its version; of all others that anything is known of,
 * the ids are reported. It works on stores that do not open any more: pages are read one by one, so that it does not matter which of
 * them are damaged, and sound commits in the write-ahead log behind a damaged one count. Nothing is guessed: a record is salvaged as it
 * was last written or not at all. Only where changes themselves are lost from the log (missing_changes), a record may come back as it was
 * before one of them, for nothing tells of it.
 * Vectors that were written again with another codec (compress.h), and lost from the log, are those of the codec before.
 *
 * The salvaged records become a store in a new folder, which takes the place of the damaged one in one step: before that nothing has
 * changed, whatever happens. The damaged folder is kept below the database as quarantine/UUID, for whoever wants to try more; remove it
 * when it is not needed any more. A backup that is recent enough is better than a repair: look at evdb/backup.h first. */
#ifndef EVDB_REPAIR_H
#define EVDB_REPAIR_H
#include <evdb/record.h>
#include <evdb/transfer.h>
EVDB_BEGIN

/* What is lost of a record. */
typedef enum evdb_lost {
    EVDB_LOST_METADATA = 1, /* its vector is there */
    EVDB_LOST_VECTOR = 2,   /* its metadata are there, or the codec is lost that its vector is of */
    EVDB_LOST_BOTH = 3      /* but for the change that wrote it */
} evdb_lost;

typedef struct evdb_repair_options {
    size_t size;            /* EVDB_REPAIR_OPTIONS sets it */
    void *context;          /* of the functions below, each of which may be NULL */
    void (*problem)(void *context, const char *text); /* what evdb_verify() found, each a sentence */
    /* Each record that cannot be salvaged and whose id is known, in order of id; id is borrowed for the call. */
    void (*lost)(void *context, const evdb_id *id, evdb_lost what);
    /* Called now and then with the records written so far; anything but 0 cancels (EVDB_CANCELLED). */
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records);
    /* What the store is, in case its own description is lost; its codec and index_threads are not looked at, and dim 0 is taken from the
     * vectors that are not encoded. */
    const evdb_store_options *description;
} evdb_repair_options;
#define EVDB_REPAIR_OPTIONS { .size = sizeof(evdb_repair_options) }

typedef struct evdb_repair_report {
    size_t size;              /* in: sizeof(*this) as the caller compiled it */
    uint64_t problems;        /* that evdb_verify() found; 0 = the store is sound and was left alone */
    uint64_t records;         /* in the store, all of them sound */
    uint64_t lost;            /* whose ids are known */
    uint64_t lost_unnamed;    /* at least so many more, by the number that the last change counts */
    uint64_t missing_changes; /* that were committed and that nothing tells of any more */
    uint64_t sequence;        /* of the store. Those who follow its changes get EVDB_GONE once, and read it anew */
    uint32_t repaired;        /* 1 = the store was replaced by what was salvaged */
    uint32_t fields_lost;     /* 1 = names of declared fields may be missing */
    char quarantine[64];      /* where the damaged files are, below the database's directory */
} evdb_repair_report;
#define EVDB_REPAIR_REPORT { .size = sizeof(evdb_repair_report) }

/* Verifies a store and repairs it if there is a problem. Handles to a store that was repaired answer EVDB_NOT_FOUND: open it anew. It has an
 * identity of its own, versions go on from where they were, and changes before are no longer listed. Meanwhile the store cannot be
 * written, nor opened (EVDB_BUSY); other stores are not concerned. EVDB_NOT_FOUND; EVDB_CORRUPT when what the store is cannot be read any
 * more and options->description is missing; EVDB_UNSUPPORTED for a damaged store in memory; EVDB_FULL when the disk has too little room:
 * about as much is needed as the store takes. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_repair(evdb *db, const char *name, const evdb_repair_options *options,
                                                       evdb_repair_report *out, evdb_error *err);

EVDB_END
#endif
