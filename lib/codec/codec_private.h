/* codec_private.h - the chain itself, for the files that implement codec.h. */
#ifndef EVDB_CODEC_PRIVATE_H
#define EVDB_CODEC_PRIVATE_H
#include "codec/stage.h"

struct evdb_codec {
    evdb_allocator mem;
    const kernel *kernel;
    uint32_t dim, inner; /* floats of a vector; of what the quantiser sees */
    uint32_t widest;     /* most floats between any two stages */
    codec_stage stages[EVDB_CODEC_STAGES_MAX];
    uint32_t count, transforms; /* stages: transforms first, then the quantiser, then a byte codec or none */
    size_t code_bytes, bound;
    uint64_t fingerprint;
    float *origin; /* what transforms make of zeros; NULL where they leave them what they are */
    double origin_square; /* the norm of what they make of zeros on the way back, squared */
    char spec[EVDB_CODEC_SPEC_MAX + 1];
};

static inline const codec_stage *codec_quantiser(const codec *c) { return &c->stages[c->transforms]; }

/* Vectors that go through the stages at a time: what lies between two of them fits the second-level cache. */
size_t codec_block(const codec *c);
/* ... and where what is done to them costs less than that would: they and their codes fit the first level. Equal to codec_block() for others. */
size_t codec_near(const codec *c);
/* Is decoding so many vectors best done past the caches (kernel/past_caches.h), codec_near() at a time? */
bool codec_past_caches(const codec *c, size_t count);
/* The transforms alone: count rows, at most a block, to y, which is where they end up in `room`, or x where there is none. */
const float *codec_forward(const codec *c, uint32_t transforms, const float *x, size_t count, void *room);

/* ... and back, count rows, at most a block. y may be `room`. */
void codec_back(const codec *c, const float *y, size_t count, float *x, void *room);

/* Fills stages from text, without training (spec.c). c->dim is set, 0 = not known. */
evdb_status codec_parse(codec *c, const char *spec, evdb_error *err);
/* Configures stages from `first` on again, with what the one before them has become by training. */
evdb_status codec_reconnect(codec *c, uint32_t first, evdb_error *err);
/* Stage i has been trained or loaded. Those behind it are told what comes out of it, where only that could tell. */
evdb_status codec_ready(codec *c, uint32_t i, evdb_error *err);
/* Once all stages are ready: sizes, and what tells it from others. */
evdb_status codec_settle(codec *c, evdb_error *err);
/* Part of that: c->origin (codec_norm.c). */
evdb_status codec_find_origin(codec *c, evdb_error *err);

#endif
