/* stage.h - what a stage of a codec is: one row of `stages.def`, one file that implements it.
 *
 * A stage is configured by the text behind its colon, trained if it is of those, made ready, and const from then on. Trained
 * parameters are one block of bytes, which is saved and loaded as it is; what else helps is derived from it by ready(). */
#ifndef EVDB_CODEC_STAGE_H
#define EVDB_CODEC_STAGE_H
#include "codec/codec.h"

typedef struct codec_stage codec_stage;

/* What is summed up between a query and a code. */
typedef enum codec_sum { CODEC_L2SQ, CODEC_DOT } codec_sum;

typedef struct codec_kind {
    evdb_codec_kind of;
    /* Reads parameters ("" = none given), for vectors of s->dim elements; 0 = not known. Sets out_dim (TRANSFORM; 0 = ready() will know), code_bytes (QUANTISER),
     * bound (BYTES: of s->code_bytes bytes), sample, and `text`, all its parameters, where they are not the defaults. */
    evdb_status (*configure)(codec_stage *s, const char *parameters, evdb_error *err);
    /* Makes s->trained from at least s->sample rows of s->dim floats, which have gone through the stages before. A kind that has none
     * has nothing to train. Called without a sample (t->count 0) where s->sample is 0. */
    evdb_status (*train)(codec_stage *s, const codec_training *t, evdb_error *err);
    /* Behind train(), or with a trained block that was loaded: EVDB_CORRUPT when that makes no sense. Derives s->derived, and out_dim where
     * configure() could not tell: stages behind are configured again then. May be NULL. */
    evdb_status (*ready)(codec_stage *s, evdb_error *err);
    void (*dispose)(codec_stage *s); /* of what `derived` points to, itself included; may be NULL: then it is one block or none */

    /* TRANSFORM: rows of dim to rows of out_dim, and back: y = W (x - mean), x = mean + W' y. */
    void (*forward)(const codec_stage *s, const float *x, size_t count, float *y);
    void (*back)(const codec_stage *s, const float *y, size_t count, float *x);
    /* ... and of a query's inner product with what is lost: mean, or NULL where it is all zeros. */
    const float *(*mean)(const codec_stage *s);

    /* QUANTISER */
    void (*encode)(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride);
    void (*decode)(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x);
    bool (*sound)(const codec_stage *s, const uint8_t *code); /* NULL = any is */
    /* Sums by way of codes: score() is NULL where decoding is as good. prepare() fills table_bytes() bytes for one query; both are NULL
     * where it wants none. */
    size_t (*table_bytes)(const codec_stage *s);
    void (*prepare)(const codec_stage *s, codec_sum sum, const float *q, void *table);
    void (*score)(const codec_stage *s, codec_sum sum, const float *q, const void *table, const uint8_t *codes, size_t stride,
                  size_t count, float *out);
    bool light; /* coding costs less than the memory that floats lie in: large results go past the caches */
    bool estimates; /* sums tell more than decoded vectors would: these are no substitute where a sum is below zero */
    /* |x| of what was encoded, where a code tells that better than what it decodes to; else NULL. */
    double (*norm)(const codec_stage *s, const uint8_t *code);

    /* BYTES, of s->code_bytes bytes to s->bound at most: unpack() writes exactly `wanted` bytes or answers EVDB_CORRUPT. Trained on codes: t->sample
     * is t->count rows of s->code_bytes bytes. */
    evdb_status (*pack)(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t *written, evdb_error *err);
    evdb_status (*unpack)(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t wanted, evdb_error *err);

    /* Stages that come along where nobody wrote them: before a quantiser without transforms, behind a transform without a quantiser. They
     * may hold one %s, which becomes `text`. NULL = none. */
    const char *before, *behind;
} codec_kind;

enum { CODEC_TEXT_MAX = 48, CODEC_NUMBERS = 4 };

struct codec_stage {
    const codec_kind *kind;
    const evdb_allocator *mem;
    const kernel *kernel;
    uint32_t dim, out_dim;  /* floats in; floats out of a TRANSFORM */
    size_t code_bytes;      /* of a QUANTISER's code, which is what a BYTES stage is given */
    size_t element_bytes;   /* BYTES: of the numbers in it, for shuffling; 1 = none that could be told */
    size_t bound;           /* BYTES: most that comes out */
    size_t sample;          /* vectors it must be trained on */
    uint32_t numbers[CODEC_NUMBERS]; /* a kind's own parameters */
    double share;
    char text[CODEC_TEXT_MAX];
    void *trained;
    size_t trained_bytes;
    void *derived;
};

/* All, in the order they are listed; NULL at the end. */
extern const codec_kind *const codec_kinds[];

/* ---- for those who implement one ---- */

/* Reads "N,M,word": the next parameter as a number within bounds. *at moves behind it and its comma. EVDB_INVALID names the stage and
 * the parameter `what`. */
evdb_status stage_number(const codec_stage *s, const char **at, const char *what, uint32_t least, uint32_t most, uint32_t *out,
                         evdb_error *err);
/* Is the next parameter this word? Then *at moves behind it. */
bool stage_word(const char **at, const char *word);
/* EVDB_INVALID unless all was read. */
evdb_status stage_end(const codec_stage *s, const char *at, evdb_error *err);
/* The sum of n squares, in double. */
double stage_square(const float *x, size_t n);
/* s->trained, zeroed. */
evdb_status stage_trained(codec_stage *s, size_t bytes, evdb_error *err);
/* EVDB_CORRUPT unless s->trained has that many bytes, and is of finite floats. */
evdb_status stage_trained_floats(const codec_stage *s, size_t count, evdb_error *err);
/* EVDB_CANCELLED once the training shall end. */
evdb_status stage_stopped(const codec_training *t, evdb_error *err);

#endif
