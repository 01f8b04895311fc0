/* linear.h - y = W (x - mean), whose rows are orthonormal, and x = mean + W' y: what pca, rp and opq have in common. */
#ifndef EVDB_CODEC_LINEAR_H
#define EVDB_CODEC_LINEAR_H
#include "codec/stage.h"

typedef struct linear {
    const kernel *kernel;
    uint32_t dim, out_dim;
    const float *mean;     /* dim floats, or NULL */
    float *forward, *back; /* W' and W, packed */
} linear;

/* rows: W, out_dim rows of dim floats. mean is borrowed. One block, to be freed with mem_free(). */
evdb_status linear_make(const evdb_allocator *mem, const kernel *k, uint32_t dim, uint32_t out_dim, const float *rows, const float *mean,
                        linear **out, evdb_error *err);
/* EVDB_LIMIT where that many elements are too many. */
evdb_status linear_limit(const codec_stage *s, evdb_error *err);
/* EVDB_CORRUPT unless the rows are orthonormal, as far as a few of them tell. */
evdb_status linear_sound(const codec_stage *s, const float *rows, uint32_t count, evdb_error *err);

/* A stage's, whose `derived` is a linear. Elements that float cannot hold become the largest it can. */
void linear_forward(const codec_stage *s, const float *x, size_t count, float *y);
void linear_back(const codec_stage *s, const float *y, size_t count, float *x);
const float *linear_mean(const codec_stage *s);

#endif
