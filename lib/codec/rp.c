/* rp.c - random projection as a stage: a matrix of normal numbers, made orthonormal. The same for every codec of its size, so nothing is
 * trained or saved. */
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "codec/linear.h"
#include "codec/polar.h"
#include <math.h>
#include <stdio.h>

static const uint64_t SEED = 0x72616e646f6dull;
static const double TURN = 6.28318530717958647692;

static evdb_status configure(codec_stage *s, const char *at, evdb_error *err)
{
    evdb_status rc = linear_limit(s, err);
    s->out_dim = s->dim > 1 ? s->dim / 2 : s->dim;
    if (rc != EVDB_OK || !*at) return rc;
    TRY(stage_number(s, &at, "the number of dimensions", 1, s->dim ? s->dim : EVDB_CODEC_MATRIX_DIM_MAX, &s->out_dim, err));
    TRY(stage_end(s, at, err));
    snprintf(s->text, sizeof(s->text), "%u", s->out_dim);
out:
    return rc;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    const codec_training alone = { .threads = 1 };
    size_t floats = (size_t)s->out_dim * s->dim;
    uint64_t chance = SEED;
    linear *l = NULL;
    evdb_status rc;
    float *rows = mem_array(s->mem, floats, sizeof(*rows));
    if (!rows) return error_no_memory(err, floats * sizeof(*rows), "a codec");
    /* Normal numbers (G. E. P. Box, M. E. Muller, 1958). */
    for (size_t i = 0; i < floats; i++) {
        double radius = sqrt(-2 * log(mix_unit(mix_next(&chance))));
        rows[i] = (float)(radius * cos(TURN * mix_unit(mix_next(&chance))));
    }
    TRY(polar_rows(s->mem, s->kernel, &alone, rows, s->out_dim, s->dim, err));
    TRY(linear_make(s->mem, s->kernel, s->dim, s->out_dim, rows, NULL, &l, err));
    s->derived = l;
out:
    mem_free(s->mem, rows);
    return rc;
}

const codec_kind stage_rp = {
    .of = { "rp", "random_projection", "DIM", "as many directions of chance; default: half as many as elements", EVDB_STAGE_TRANSFORM, 0 },
    .configure = configure, .ready = ready, .forward = linear_forward, .back = linear_back,
};
