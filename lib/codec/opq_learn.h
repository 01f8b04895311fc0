/* opq_learn.h - the rotation that suits product quantisation best (T. Ge, K. He, Q. Ke, J. Sun: Optimized Product Quantization, 2014). */
#ifndef EVDB_CODEC_OPQ_LEARN_H
#define EVDB_CODEC_OPQ_LEARN_H
#include "codec/pq_book.h"

/* rows: shape->dim orthonormal rows of as many floats. EVDB_CANCELLED. */
evdb_status opq_learn(const evdb_allocator *mem, const kernel *k, const codec_training *t, const pq_shape *shape, float *rows, evdb_error *err);
#endif
