/* distance.h - metrics, element types, and distances between vectors the caller holds. */
#ifndef EVDB_DISTANCE_H
#define EVDB_DISTANCE_H
#include <evdb/error.h>
#include <stddef.h>
#include <stdint.h>
EVDB_BEGIN

#define EVDB_DIM_MAX 65536u /* most elements in a vector */

/* Every metric yields a *distance*, smaller is nearer, and a *score*, larger is better:
 *   COSINE     1 - a.b / (|a| |b|), in 0..2        score: the similarity, 1 - distance
 *   EUCLIDEAN  sqrt(sum (a-b)^2)                   score: 1 / (1 + distance)
 *   MANHATTAN  sum |a-b|                           score: 1 / (1 + distance)
 *   IP         -(a.b)                              score: the inner product, -distance
 *   HAMMING    number of elements that differ      score: 1 / (1 + distance)
 *   CUSTOM     what a function of the program says  score: -distance. See metric.h
 * A zero vector has no direction: under COSINE it is refused with EVDB_INVALID. */
typedef enum evdb_metric {
    EVDB_COSINE = 1,
    EVDB_EUCLIDEAN = 2,
    EVDB_MANHATTAN = 3,
    EVDB_IP = 4,
    EVDB_HAMMING = 5,
    EVDB_CUSTOM = 6
} evdb_metric;

/* Element types: what a store keeps and compares. Callers hand in and get back float32 all the same.
 *   F32  as given                                              4 bytes an element, on disk and in memory
 *   F16  rounded to the nearest, ties to even; |x| <= 65504    2
 *   I8   whole numbers -128..127                               1
 *   BIT  0 and 1                                               1/8; a vector takes whole bytes
 * What the type cannot hold is refused with EVDB_INVALID, which names the element. Every metric works on each; bits count as the
 * numbers 0 and 1. HAMMING of other elements than BIT has no graph (index.h): its searches scan. */
typedef enum evdb_dtype { EVDB_F32 = 1, EVDB_F16 = 2, EVDB_I8 = 3, EVDB_BIT = 4 } evdb_dtype;

/* Names: "cosine", "euclidean" (or "l2"), "manhattan" (or "l1"), "ip" (or "dot"), "hamming", "custom";
 * "f32", "f16", "i8", "bit". _name() returns static storage, NULL for a value out of range.
 * _parse() answers EVDB_INVALID, listing the accepted names, for anything else. */
EVDB_API const char *evdb_metric_name(evdb_metric metric);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_metric_parse(const char *name, evdb_metric *out, evdb_error *err);
EVDB_API const char *evdb_dtype_name(evdb_dtype dtype);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_dtype_parse(const char *name, evdb_dtype *out, evdb_error *err);

/* Distance between two vectors of dim float32 each (any alignment). Thread-safe. Refuses dim 0 or
 * above EVDB_DIM_MAX, a NaN or infinity, a zero vector under COSINE, a sum that overflows float, and CUSTOM, whose function the
 * caller has. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_distance(evdb_metric metric, const float *a, const float *b, uint32_t dim,
                                                   float *out, evdb_error *err);

/* Distances from one query to count vectors; vector i starts at vectors + i * stride bytes
 * (stride 0 = packed). out receives count floats. All or nothing: err->item is the vector at fault. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_distance_batch(evdb_metric metric, const float *query, const float *vectors,
                                                         size_t count, size_t stride, uint32_t dim, float *out,
                                                         evdb_error *err);

/* The score that belongs to a distance, by the table above. */
EVDB_API float evdb_distance_score(evdb_metric metric, float distance);

EVDB_END
#endif
