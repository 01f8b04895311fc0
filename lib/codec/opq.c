/* opq.c - the rotation that suits product quantisation best as a stage: `opq:PARTS[,BITS]`, which brings `pq` of the same parameters along.
 *
 * It is square: a dimension that the parts do not divide is the quantiser's affair (codec/pq_book.h). The trained block is its rows. */
#include "base/error.h"
#include "codec/linear.h"
#include "codec/opq_learn.h"
#include "codec/pq.h"

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    evdb_status rc = linear_limit(s, err);
    s->out_dim = s->dim;
    return rc == EVDB_OK ? pq_configure(s, parameters, &s->numbers[0], &s->numbers[1], err) : rc;
}

static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    const pq_shape shape = pq_shape_of(s->dim, s->numbers[0], s->numbers[1]);
    evdb_status rc = stage_trained(s, (size_t)s->dim * s->dim * sizeof(float), err);
    return rc == EVDB_OK ? opq_learn(s->mem, s->kernel, t, &shape, s->trained, err) : rc;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    linear *l = NULL;
    evdb_status rc = stage_trained_floats(s, (size_t)s->dim * s->dim, err);
    if (rc == EVDB_OK) rc = linear_sound(s, s->trained, s->dim, err);
    if (rc == EVDB_OK) rc = linear_make(s->mem, s->kernel, s->dim, s->dim, s->trained, NULL, &l, err);
    s->derived = l;
    return rc;
}

const codec_kind stage_opq = {
    .of = { "opq", "optimized_product_quantization", "PARTS[,BITS]", "the rotation that suits pq of the same parameters best, and that",
            EVDB_STAGE_TRANSFORM, EVDB_CODEC_TRAINED },
    .configure = configure, .train = train, .ready = ready, .forward = linear_forward, .back = linear_back, .behind = "pq:%s",
};
