/* codec.h - a codec as a chain of stages: what evdb/codec.h promises, for the inside.
 *
 *   floats --transforms--> floats --quantiser--> code, of a fixed length --byte codec--> bytes
 *
 * Codes are what lies in memory, bytes what lies on disk. Every transform is a mean taken away and orthonormal rows multiplied, so
 * that Euclidean distances, inner products and norms of decoded vectors can be told from the short ones (`codec_query`). */
#ifndef EVDB_CODEC_CODEC_H
#define EVDB_CODEC_CODEC_H
#include "base/buf.h"
#include "kernel/kernel.h"
#include <evdb/codec.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct evdb_codec codec;

/* What to train with. */
typedef struct codec_training {
    const float *sample; /* count packed rows of the codec's dimension; NULL = none */
    size_t count;
    uint32_t threads;
    uint64_t seed;
    const atomic_bool *stop; /* NULL, or ends the training with EVDB_CANCELLED once it is set */
} codec_training;

/* As evdb_codec_create(). mem is copied. */
evdb_status codec_create(const evdb_allocator *mem, const kernel *k, const char *spec, uint32_t dim, const codec_training *t,
                         codec **out, evdb_error *err);
void codec_free(codec *c);

/* As evdb_codec_check(). */
evdb_status codec_check(const char *spec, uint32_t dim, char *canonical, size_t *sample, evdb_error *err);
/* Is it the better for a sample, or cannot be had without? */
evdb_status codec_learns(const char *spec, uint32_t dim, bool *out, evdb_error *err);

const char *codec_spec(const codec *c);
uint32_t codec_dim(const codec *c);
bool codec_lossless(const codec *c);
size_t codec_trained_bytes(const codec *c);
size_t codec_code_bytes(const codec *c);
size_t codec_bound(const codec *c);
bool codec_packs(const codec *c); /* has a byte codec */
/* Its codes are elements as base/element.h has them, F32 or F16. */
bool codec_is_elements(const codec *c, evdb_dtype *dtype);
/* Tells codecs of one spec that were trained differently apart. */
uint64_t codec_fingerprint(const codec *c);

/* Floats and codes. room has codec_room() bytes, of any thread's own. Rows are packed; codes are stride bytes apart, and bytes behind
 * a code are left alone. */
size_t codec_room(const codec *c);
void codec_encode(const codec *c, const float *x, size_t count, uint8_t *codes, size_t stride, void *room);
void codec_decode(const codec *c, const uint8_t *codes, size_t stride, size_t count, float *x, void *room);
/* Could codec_encode() have made this code, as far as that can be told? */
bool codec_sound(const codec *c, const uint8_t *code);
/* EVDB_CORRUPT where it could not, or where it should have another size. */
evdb_status codec_check_code(const codec *c, const uint8_t *code, size_t size, evdb_error *err);

/* Codes and bytes. out has codec_bound() bytes. */
evdb_status codec_pack(const codec *c, const uint8_t *code, void *out, size_t *size, evdb_error *err);
/* EVDB_CORRUPT for bytes that are none of this codec's; whatever they are, nothing else happens. */
evdb_status codec_unpack(const codec *c, const void *bytes, size_t size, uint8_t *code, evdb_error *err);

/* With its trained parameters; ends with a checksum. */
evdb_status codec_save(const codec *c, buf *out, evdb_error *err);
evdb_status codec_load(const evdb_allocator *mem, const kernel *k, const void *bytes, size_t size, codec **out, evdb_error *err);

/* One query against many codes; for one thread at a time. */
typedef struct codec_query codec_query;
/* q (codec_dim floats) is borrowed. */
evdb_status codec_query_create(const codec *c, evdb_metric metric, const float *q, codec_query **out, evdb_error *err);
void codec_query_free(codec_query *q);
/* Distances as evdb/distance.h has them. inverses: codec_inverse_norm() of each row, under COSINE; else not looked at. */
void codec_distances(codec_query *q, const uint8_t *codes, size_t stride, size_t count, const float *inverses, float *out);
/* 1 / norm of what a code stands for, as metric_inverse_norm() has it. */
float codec_inverse_norm(const codec *c, const uint8_t *code, void *room);

#endif
