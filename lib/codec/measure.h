/* measure.h - what a codec does to a sample of vectors: size, time, error, and how many of the nearest are still found. */
#ifndef EVDB_CODEC_MEASURE_H
#define EVDB_CODEC_MEASURE_H
#include "codec/codec.h"
#include "platform/platform.h"

enum { MEASURE_NEAREST = 10, MEASURE_QUERIES = 200 };

/* Vectors, and the truth about them that all codecs are held against. */
typedef struct measure_sample {
    const platform *p;
    const kernel *kernel;
    const float *rows;    /* count of dim elements; borrowed */
    size_t count;
    uint32_t dim;
    evdb_metric metric;
    float *inverses;      /* of the rows' norms, under COSINE */
    uint32_t *queries;    /* rows that are searched for among all others */
    size_t query_count;   /* 0 = too few rows for that */
    float *exact;         /* query_count x count distances */
    float *bounds;        /* of each query: how far its nearest MEASURE_NEAREST reach */
} measure_sample;

/* p, k and rows are borrowed until measure_sample_free(). */
evdb_status measure_sample_make(const platform *p, const kernel *k, const float *rows, size_t count, uint32_t dim, evdb_metric metric,
                                uint64_t seed, measure_sample *out, evdb_error *err);
void measure_sample_free(measure_sample *s);

typedef struct measure_figures {
    double bytes;                     /* a vector */
    double encode_us, decode_us;      /* a vector, of processor time */
    double loss;                      /* mean of |x - x'| / |x| */
    double recall;                    /* -1 without queries */
    double training_s;
    size_t trained_bytes;
} measure_figures;

/* |x - x'| / |x|; of a vector of zeros 0 or 1, whether it stays such. */
double measure_loss(const float *x, const float *back, uint32_t dim);

/* Makes the codec, trained on the sample, and measures it. */
evdb_status measure_codec(const measure_sample *s, const char *spec, uint64_t seed, measure_figures *out, evdb_error *err);

#endif
