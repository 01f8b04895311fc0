/* rotate.c - a transform that rotates by chance: what was in few elements is in all of them then, and each is about as large as any
 * other, which is what quantisers with one range, or one bit, want. Nothing is trained; the seed is a parameter. */
#include "base/mem.h"
#include "codec/rotation.h"
#include "codec/stage.h"
#include <stdio.h>

enum { SEED };

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    if (*parameters) {
        evdb_status rc = stage_number(s, &parameters, "the seed", 0, UINT32_MAX, &s->numbers[SEED], err);
        if (rc != EVDB_OK) return rc;
    }
    if (s->numbers[SEED]) snprintf(s->text, sizeof(s->text), "%u", s->numbers[SEED]);
    s->out_dim = s->dim;
    return stage_end(s, parameters, err);
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    return rotation_make(s->mem, s->dim, s->numbers[SEED], (rotation **)&s->derived, err);
}

static void forward(const codec_stage *s, const float *x, size_t count, float *y)
{
    for (size_t i = 0; i < count; i++) rotation_forward(s->derived, s->kernel, x + i * s->dim, y + i * s->dim);
}

static void back(const codec_stage *s, const float *y, size_t count, float *x)
{
    for (size_t i = 0; i < count; i++) rotation_back(s->derived, s->kernel, y + i * s->dim, x + i * s->dim);
}

const codec_kind stage_rotate = {
    .of = { "rotate", "", "seed", "rotates by chance, so that all elements are about as large; the same seed is the same rotation (0)",
            EVDB_STAGE_TRANSFORM, 0 },
    .configure = configure, .ready = ready, .forward = forward, .back = back,
};
