/* codec.h - codecs: vectors as fewer bytes, and back.
 *
 * A codec is written as stages joined by '+', each a name with parameters behind a colon: "i8", "pca:128+i8+zstd",
 * "opq:48", "zlib:9". In order:
 *   transforms   vectors to shorter or turned ones      pca, rp, rotate, opq
 *   a quantiser  elements to codes of a fixed length    f32 (the default), f16, bf16, i8, i4, pq, rabitq, ...
 *   a byte codec codes to fewer bytes, without loss     zlib, zstd
 * evdb_codec_kind_at() lists all with their parameters. Some stages bring others along ("opq:48" is "opq:48+pq:48"):
 * evdb_codec_spec() tells the whole.
 *
 * evdb_codec* is *const* once it is made: any number of threads may use it at a time. */
#ifndef EVDB_CODEC_H
#define EVDB_CODEC_H
#include <evdb/database.h>
#include <evdb/distance.h>
EVDB_BEGIN

#define EVDB_CODEC_SPEC_MAX 127u    /* bytes of a codec as text */
#define EVDB_CODEC_STAGES_MAX 8u    /* stages of one codec */
#define EVDB_CODEC_MATRIX_DIM_MAX 4096u /* elements that pca, rp, opq and rotations of a matrix take */

typedef struct evdb_codec evdb_codec;

typedef enum evdb_codec_stage {
    EVDB_STAGE_TRANSFORM = 1,
    EVDB_STAGE_QUANTISER = 2,
    EVDB_STAGE_BYTES = 3
} evdb_codec_stage;

enum {
    EVDB_CODEC_LOSSLESS = 1, /* what comes back is what went in, bit for bit */
    EVDB_CODEC_TRAINED = 2   /* has parameters that are made from a sample of the vectors to come */
};

/* One kind of stage, in static storage. */
typedef struct evdb_codec_kind {
    const char *name;
    const char *aliases;    /* other names it is accepted under, separated by blanks; "" = none */
    const char *parameters; /* what may stand behind the colon; "" = nothing */
    const char *doc;
    evdb_codec_stage stage;
    uint32_t flags;         /* EVDB_CODEC_... */
} evdb_codec_kind;

/* Kind 0, 1, ...; NULL behind the last. */
EVDB_API const evdb_codec_kind *evdb_codec_kind_at(uint32_t i);

/* Checks a codec without making it. canonical (NULL or EVDB_CODEC_SPEC_MAX + 1 bytes) receives the whole of it with its parameters,
 * *sample (may be NULL) how many vectors it must be given to train on. dim 0 = not known yet: parameters that depend on it are left
 * out, and not checked. EVDB_INVALID, naming what is wrong and what there is. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_check(const char *spec, uint32_t dim, char *canonical, size_t *sample,
                                                      evdb_error *err);

typedef struct evdb_codec_options {
    size_t size;         /* EVDB_CODEC_OPTIONS sets it */
    const char *spec;    /* required */
    uint32_t dim;        /* required; 1..EVDB_DIM_MAX */
    uint32_t threads;    /* to train with; 0 = 1 */
    const float *sample; /* vectors to train on, packed; finite */
    size_t count;        /* of the sample */
    uint64_t seed;       /* of chance: the same seed, sample and machine give the same codec */
    const evdb_allocator *allocator; /* NULL = malloc; its context must outlive the codec */
} evdb_codec_options;
#define EVDB_CODEC_OPTIONS { .size = sizeof(evdb_codec_options) }

/* Makes a codec, training what needs it. EVDB_INVALID where the sample has fewer vectors than that takes: the message says how many;
 * EVDB_LIMIT for a dimension that a stage does not take. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_create(const evdb_codec_options *options, evdb_codec **out, evdb_error *err);
EVDB_API void evdb_codec_free(evdb_codec *codec);

/* The whole codec as text; lives as long as the codec. */
EVDB_API const char *evdb_codec_spec(const evdb_codec *codec);
EVDB_API uint32_t evdb_codec_dim(const evdb_codec *codec);
/* Most bytes that one vector takes; all take that many unless there is a byte codec. */
EVDB_API size_t evdb_codec_bound(const evdb_codec *codec);
/* Bytes of trained parameters, which all vectors share. */
EVDB_API size_t evdb_codec_trained_bytes(const evdb_codec *codec);

/* Encodes count vectors (packed, any alignment, finite; a NaN or infinity is refused with EVDB_INVALID, err->item says which
 * vector). Vector i goes to out + i * evdb_codec_bound(); sizes (may be NULL) receives the bytes each takes. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_encode(const evdb_codec *codec, const float *vectors, size_t count, void *out,
                                                       size_t *sizes, evdb_error *err);
/* The other way round; sizes NULL = all have evdb_codec_bound(). EVDB_CORRUPT for bytes that encode() cannot have made as far as
 * that can be told: where it must be told, use evdb_codec_seal(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_decode(const evdb_codec *codec, const void *bytes, const size_t *sizes, size_t count,
                                                       float *out, evdb_error *err);

/* Distances from a query to encoded vectors, as far as possible without decoding them; count rows of evdb_codec_bound() bytes,
 * sizes as above. A codec of one bit an element estimates them better than its decoded vectors would. Under COSINE what has become
 * all zeros is 1 away from everything. Sums that overflow are infinite. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_distances(const evdb_codec *codec, evdb_metric metric, const float *query,
                                                          const void *bytes, const size_t *sizes, size_t count, float *out,
                                                          evdb_error *err);

/* One vector as bytes that say what they are: codec, dimension, checksum. Free with evdb_bytes_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_seal(const evdb_codec *codec, const float *vector, void **out, size_t *size,
                                                     evdb_error *err);
/* What is in such bytes: the codec as text (EVDB_CODEC_SPEC_MAX + 1 bytes) and the dimension. EVDB_CORRUPT. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_sealed(const void *bytes, size_t size, char *spec, uint32_t *dim, evdb_error *err);
/* The vector in them (dim floats). codec NULL: one is made, which does for all that are not trained. EVDB_INVALID when they were
 * sealed with another codec, or with the same one trained otherwise; EVDB_CORRUPT. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_unseal(const evdb_codec *codec, const void *bytes, size_t size, float *out,
                                                       evdb_error *err);
EVDB_API void evdb_bytes_free(void *bytes);

/* A codec with its trained parameters as bytes, and back (allocator NULL = malloc). EVDB_CORRUPT, EVDB_NEWER. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_save(const evdb_codec *codec, void **out, size_t *size, evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_load(const void *bytes, size_t size, const evdb_allocator *allocator,
                                                     evdb_codec **out, evdb_error *err);

EVDB_END
#endif
