/* batch.h - many records in one durable commit, and writes that do not wait. */
#ifndef EVDB_BATCH_H
#define EVDB_BATCH_H
#include <evdb/record.h>
EVDB_BEGIN

#define EVDB_BATCH_MAX 10000u              /* records in one batch */
#define EVDB_AUTHOR_BYTES_MAX 256u         /* of the name of who writes */
#define EVDB_BATCH_BYTES_MAX (256u << 20)  /* vectors and metadata in one batch */

typedef enum evdb_write {
    EVDB_INSERT = 1,
    EVDB_UPSERT = 2,
    EVDB_UPDATE = 3, /* vectors NULL keeps all vectors; metadata NULL, or NULL for an item, keeps it; so does expires */
    EVDB_DELETE = 4  /* vectors and metadata unused */
} evdb_write;

enum {
    /* Write the good items and report the bad ones in statuses[]. Without it a batch is all or nothing:
     * the first bad item fails the batch, err->item says which. */
    EVDB_BATCH_PARTIAL = 1
};

typedef struct evdb_batch {
    size_t size;                 /* EVDB_BATCH sets it */
    evdb_write kind;
    uint32_t flags;              /* EVDB_BATCH_... */
    size_t count;                /* 0..EVDB_BATCH_MAX; 0 is a successful nothing */
    const int64_t *numbers;      /* count integer ids, or NULL ... */
    const evdb_id *ids;          /* ... and count ids of either kind */
    const void *vectors;         /* vector i starts stride bytes after vector i-1; any alignment */
    size_t stride;               /* bytes; 0 = packed */
    evdb_dtype dtype;            /* of the elements given: 0 or EVDB_F32, whatever the store keeps */
    uint32_t dim;
    const char *const *metadata; /* count JSON object texts or NULLs; NULL = none for all */
    const uint64_t *if_versions; /* count versions to match (0 = any), or NULL */
    evdb_status *statuses;       /* out: count statuses, or NULL; written for every item when the call returns,
                                    EVDB_OK for those written (with EVDB_BATCH_PARTIAL) */
    uint64_t *versions;          /* out: count versions, or NULL */
    evdb_error *errors;          /* out, with EVDB_BATCH_PARTIAL: count errors, or NULL; when the call succeeds, those of
                                    items whose status is not EVDB_OK say why */
    const char *codec;           /* that these records' vectors are kept with, whatever the store's is (codec.h, compress.h); "none" = as
                                    elements; NULL = the store's */
    const int64_t *expires;      /* count Unix times in milliseconds from which the records are gone (expiry.h), EVDB_NEVER for none;
                                    0, or NULL = none given: an update keeps what there is, others take the store's default */
    const char *author;          /* who writes, 1 to EVDB_AUTHOR_BYTES_MAX bytes of UTF-8 (author.h): of a delete, the trash remembers it
                                    (trash.h); NULL = nobody says */
    const char *const *authors;  /* count authors of single records, NULL = `author`; or NULL */
    const int64_t *written;      /* count Unix times in milliseconds when they were written, 0 = now; or NULL. Where there is one, `author`
                                    does not count: the record's own does, or it has none */
} evdb_batch;
#define EVDB_BATCH { .size = sizeof(evdb_batch) }

/* Applies the batch in one commit. *written (may be NULL) is the number of records changed. With
 * EVDB_BATCH_PARTIAL bad items do not make the call fail. Items are applied in order; the same id
 * may appear twice. The caller's arrays are borrowed for the call. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_batch_write(evdb_store *store, const evdb_batch *batch, size_t *written,
                                                      evdb_error *err);

/* The same without waiting: everything is copied, and queued behind earlier writes. The ticket is
 * *exclusive*. The write is durable when wait() says EVDB_OK and not before; it is carried out at the
 * latest by wait(), free(), any other write to the store, or closing the store. statuses,
 * versions and errors must stay valid until then. */
typedef struct evdb_ticket evdb_ticket;
EVDB_API EVDB_MUST_CHECK evdb_status evdb_batch_submit(evdb_store *store, const evdb_batch *batch,
                                                       evdb_ticket **out, evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_ticket_wait(evdb_ticket *ticket, size_t *written, evdb_error *err);
EVDB_API void evdb_ticket_free(evdb_ticket *ticket);

EVDB_END
#endif
