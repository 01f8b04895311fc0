/* compress.h - stores whose vectors are kept with a codec (codec.h): fewer bytes on disk, in memory and in backups.
 *
 * A store has a codec from its creation on (evdb_store_options.codec), or gets another one at any time: then its vectors are written
 * again in the background, a batch a commit. Reading, writing and searching go on meanwhile; who dies half-way leaves the rest to the
 * next who has the store open. What a codec rounded away does not come back with a finer one.
 *
 * A codec that is trained waits until the store has vectors enough, 1,000 or as many as it takes; until then they are kept as before. It
 * is trained again when vectors that come have an error well above that of those it was trained on.
 *
 * Only stores of f32, of no custom metric, have codecs. Vectors are handed in and out as floats all the same; a search compares
 * the query as it is with what the codes stand for. Under MANHATTAN and HAMMING such stores have no graph: searches scan. */
#ifndef EVDB_COMPRESS_H
#define EVDB_COMPRESS_H
#include <evdb/codec.h>
#include <evdb/record.h>
EVDB_BEGIN

typedef enum evdb_compression_state {
    EVDB_COMPRESSION_SETTLED = 1,  /* all vectors are as they shall be */
    EVDB_COMPRESSION_WAITING = 2,  /* for vectors to train on: `needed` of them */
    EVDB_COMPRESSION_TRAINING = 3, /* in this process */
    EVDB_COMPRESSION_RECODING = 4  /* `done` of `total` slots, in some process */
} evdb_compression_state;
/* "settled", "waiting", "training", "recoding"; NULL for any other. */
EVDB_API const char *evdb_compression_state_name(evdb_compression_state state);

typedef struct evdb_compression {
    size_t size;                          /* in: sizeof(*this) as the caller compiled it */
    evdb_compression_state state;
    uint32_t reserved;
    char codec[EVDB_CODEC_SPEC_MAX + 1];    /* that the store shall have; "" = none */
    char in_force[EVDB_CODEC_SPEC_MAX + 1]; /* that vectors written now are kept with; "" = none */
    uint64_t needed;                      /* vectors */
    uint64_t done, total;                 /* slots */
    uint64_t vector_bytes;                /* that one vector takes at most now, on disk */
    uint64_t row_bytes;                   /* that one takes in memory, and in the index file */
    uint64_t plain_bytes;                 /* that it would take as f32 */
    uint64_t trained_bytes;               /* of the codec's parameters, which all vectors share */
    double loss;                          /* mean relative error |x - x'| / |x| where it was trained; 0 = it was not */
    double loss_now;                      /* of vectors this process has written lately; 0 = not known */
    uint64_t version;                     /* how often a codec was chosen or trained for this store */
    char problem[256];                    /* why training or writing again failed last, in this process, or cannot begin; "" = neither */
} evdb_compression;
#define EVDB_COMPRESSION { .size = sizeof(evdb_compression) }

/* Gives the store another codec, "none" = none. Returns once that is decided; vectors are written again in the background. The same one
 * again changes nothing. EVDB_INVALID, EVDB_UNSUPPORTED (see above). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_set_codec(evdb_store *store, const char *spec, evdb_error *err);
/* Like a write or a search, it also begins in the background what is left to be done. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_get_compression(evdb_store *store, evdb_compression *out, evdb_error *err);
/* Does now, in the calling thread, what is left to be done, or waits for another process that does it. A codec is trained on the vectors
 * there are, from 16 on. EVDB_OK also where it goes on waiting for more. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_recode(evdb_store *store, evdb_error *err);

/* evdb_record_insert() of one vector that is kept with another codec than its store's, and stays so when that changes: "none" keeps
 * it as it is. A codec that is trained must be one that the store has, or has had enough vectors for. In memory it is searched as
 * the store's codec has it. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_insert_compressed(evdb_store *store, evdb_id id, const float *vector, uint32_t dim,
                                                                   const char *metadata, const char *spec, uint64_t *version,
                                                                   evdb_error *err);

EVDB_END
#endif
