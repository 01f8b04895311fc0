/* advise.h - codecs (codec.h) measured on vectors, and one proposed for a store.
 *
 * Codecs are trained on the vectors that they are measured on: of few vectors, trained codecs keep more than they will of those to come. Of
 * many an even sample is taken. Times are processor time of the calling thread: they hold for this machine, and vary from call to call;
 * everything else is the same for the same vectors and seed. */
#ifndef EVDB_ADVISE_H
#define EVDB_ADVISE_H
#include <evdb/codec.h>
#include <evdb/store.h>
EVDB_BEGIN

#define EVDB_MEASURED_CODECS_MAX 64u           /* codecs in one call */
#define EVDB_MEASURED_VECTORS_MAX 20000u       /* vectors that one call looks at, ... */
#define EVDB_MEASURED_BYTES_MAX (256u << 20)   /* ... and bytes of them as float32 */
#define EVDB_MEASURED_QUERIES 200u             /* of these, how many are searched for among the others */
#define EVDB_MEASURED_NEAREST 10u              /* whose nearest these are; measuring recall takes one vector more */

/* One codec, as it was measured. Figures are 0 unless status is EVDB_OK. */
typedef struct evdb_codec_figures {
    const char *asked;        /* the codec as it was asked for */
    const char *codec;        /* the whole of it as text; "" where it does not make sense */
    evdb_status status;       /* EVDB_OK, or why there are no figures: too few vectors to train on, say */
    uint32_t reserved;
    const char *message;      /* what went wrong; "" when nothing */
    double bytes;             /* of a vector, on average */
    double compression_ratio; /* float32's 4 bytes an element, divided by these */
    double compression_time, decompression_time; /* microseconds a vector */
    double accuracy_loss;     /* mean of |x - x'| / |x|; a zero vector counts 0 when it comes back as one, else 1 */
    double recall_at_10;      /* share of the 10 nearest that distances on codes find; -1 where it was not measured */
    double training_time;     /* seconds */
    uint64_t trained_bytes;   /* parameters that all vectors share */
} evdb_codec_figures;

/* *const*; one block, with everything in it. */
typedef struct evdb_codec_report {
    uint64_t vectors;         /* looked at */
    uint32_t queries;         /* of these; 0 = recall was not measured */
    uint32_t dim;
    evdb_metric metric;
    uint32_t count;           /* of codecs, in the order they were asked for */
    const evdb_codec_figures *codecs;
    const evdb_codec_figures *proposed; /* evdb_store_advise(): one of them; else NULL */
} evdb_codec_report;
EVDB_API void evdb_codec_report_free(evdb_codec_report *report);

typedef struct evdb_benchmark_options {
    size_t size;               /* EVDB_BENCHMARK_OPTIONS sets it */
    const float *vectors;      /* required; packed, finite */
    size_t count;              /* of them; at least 1 */
    uint32_t dim;              /* required */
    evdb_metric metric;        /* of recall; 0 = EVDB_COSINE */
    uint32_t sample;           /* vectors to look at, at most; 0 = EVDB_MEASURED_VECTORS_MAX */
    uint32_t codec_count;      /* 0 = quantisation to 8 and 4 bits, PCA, zlib, LZ4's successor, product quantisation, and every kind there is */
    const char *const *codecs; /* as text */
    uint64_t seed;
    /* Called before each codec, with how many are done of all; anything but 0 cancels (EVDB_CANCELLED). May be NULL. */
    int (*progress)(void *context, uint32_t done, uint32_t all);
    void *context;
    const evdb_allocator *allocator; /* NULL = malloc */
} evdb_benchmark_options;
#define EVDB_BENCHMARK_OPTIONS { .size = sizeof(evdb_benchmark_options) }

/* Measures codecs on vectors. EVDB_INVALID for a vector that is not finite (err->item) and for a codec that there is not. One that cannot
 * be used with these vectors says so in its figures, and the others are measured all the same. Recall is measured from
 * EVDB_MEASURED_NEAREST + 1 vectors on. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_codec_benchmark(const evdb_benchmark_options *options, evdb_codec_report **out,
                                                          evdb_error *err);

/* An even sample of a store's vectors, packed, as above bounded by `most` (0 = EVDB_MEASURED_VECTORS_MAX) and by bytes: *count of them, in
 * order of id. *out is freed with evdb_bytes_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_sample(evdb_store *store, uint32_t most, float **out, size_t *count, evdb_error *err);

#define EVDB_ADVISE_RECALL 0.95f /* where nothing else is asked */

typedef struct evdb_advise_options {
    size_t size;               /* EVDB_ADVISE_OPTIONS sets it */
    float recall;              /* that the proposed codec must reach, above 0 and up to 1; 0 = EVDB_ADVISE_RECALL */
    uint32_t sample;           /* vectors to look at, at most; 0 = EVDB_MEASURED_VECTORS_MAX */
    uint32_t reserved;
    uint32_t codec_count;      /* 0 = a list for the store's dimension */
    const char *const *codecs; /* the candidates */
    uint64_t seed;
    int (*progress)(void *context, uint32_t done, uint32_t all); /* as above */
    void *context;
} evdb_advise_options;
#define EVDB_ADVISE_OPTIONS { .size = sizeof(evdb_advise_options) }

/* Measures candidates on an even sample of a store's vectors, under its metric, and proposes the one that keeps the store in the fewest
 * bytes, its trained parameters included, among those whose recall reaches what is asked; proposed is NULL when none does. EVDB_INVALID
 * for a store of too few vectors to tell, EVDB_UNSUPPORTED for one of a metric of a program's own (metric.h). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_advise(evdb_store *store, const evdb_advise_options *options, evdb_codec_report **out,
                                                       evdb_error *err);

EVDB_END
#endif
