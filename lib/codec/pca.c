/* pca.c - principal components as a stage: the directions in which vectors differ most (K. Pearson, 1901). The trained block is the
 * mean and the rows. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/covariance.h"
#include "codec/eigen.h"
#include "codec/linear.h"
#include <stdio.h>
#include <string.h>

enum { SAMPLE = 16, SHARE_DIGITS = 6, BY_SHARE = 0 /* in numbers[0], which else is how many components are kept */ };

/* "0.95": 0 and 1 are none. */
static evdb_status share(codec_stage *s, const char *at, evdb_error *err)
{
    size_t digits = strspn(at + 2, "0123456789"), used = digits;
    double value = 0, unit = 1;
    for (size_t i = 0; i < digits && i < SHARE_DIGITS; i++) value += (at[2 + i] - '0') * (unit /= 10);
    while (used && at[1 + used] == '0') used--;
    if (digits > SHARE_DIGITS || at[2 + digits] || !used)
        return error_set(err, EVDB_INVALID, "codec pca: a share of the variance is above 0 and below 1, of at most %d digits, not '%.32s'",
                         SHARE_DIGITS, at);
    s->share = value;
    s->numbers[0] = BY_SHARE;
    s->out_dim = 0;
    snprintf(s->text, sizeof(s->text), "0.%.*s", (int)used, at + 2);
    return EVDB_OK;
}

static evdb_status configure(codec_stage *s, const char *at, evdb_error *err)
{
    evdb_status rc = linear_limit(s, err);
    if (rc != EVDB_OK) return rc;
    s->sample = SAMPLE;
    if (at[0] == '0' && at[1] == '.') return share(s, at, err);
    s->out_dim = s->dim > 1 ? s->dim / 2 : s->dim;
    if (*at) {
        TRY(stage_number(s, &at, "the number of components", 1, s->dim ? s->dim : EVDB_CODEC_MATRIX_DIM_MAX, &s->out_dim, err));
        TRY(stage_end(s, at, err));
        snprintf(s->text, sizeof(s->text), "%u", s->out_dim);
    }
    s->numbers[0] = s->out_dim;
out:
    return rc;
}

/* How many components hold the share, at least one. */
static uint32_t components(const codec_stage *s, const double *values)
{
    double all = 0, kept = 0;
    uint32_t count = 0;
    if (s->numbers[0] != BY_SHARE) return s->numbers[0];
    for (uint32_t i = 0; i < s->dim; i++) all += values[i] > 0 ? values[i] : 0;
    while (count < s->dim && kept < s->share * all && values[count] > 0) kept += values[count++];
    return count ? count : 1;
}

static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    size_t dim = s->dim;
    evdb_status rc = EVDB_OK;
    double *sums = mem_array(s->mem, dim, dim * sizeof(*sums)), *vectors = mem_array(s->mem, dim, dim * sizeof(*vectors));
    double *values = mem_array(s->mem, dim, sizeof(*values));
    float *mean = mem_array(s->mem, dim, sizeof(*mean));
    if (!sums || !vectors || !values || !mean) TRY(error_no_memory(err, 2 * dim * dim * sizeof(*sums), "training a matrix"));
    TRY(covariance(s->mem, s->kernel, t, s->dim, mean, sums, err));
    TRY(eigen_symmetric(s->mem, t, sums, s->dim, values, vectors, err));
    size_t rows = components(s, values);
    TRY(stage_trained(s, (1 + rows) * dim * sizeof(float), err));
    float *out = s->trained;
    memcpy(out, mean, dim * sizeof(*out));
    for (size_t i = 0; i < rows * dim; i++) out[dim + i] = (float)vectors[i];
out:
    mem_free(s->mem, sums);
    mem_free(s->mem, vectors);
    mem_free(s->mem, values);
    mem_free(s->mem, mean);
    return rc;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    size_t rows = s->trained_bytes / sizeof(float) / s->dim;
    rows = s->numbers[0] != BY_SHARE ? s->numbers[0] : rows < 2 ? 1 : rows - 1 > s->dim ? s->dim : rows - 1;
    evdb_status rc = stage_trained_floats(s, (1 + rows) * s->dim, err);
    linear *l = NULL;
    if (rc == EVDB_OK) rc = linear_sound(s, (float *)s->trained + s->dim, (uint32_t)rows, err);
    if (rc == EVDB_OK) rc = linear_make(s->mem, s->kernel, s->dim, (uint32_t)rows, (float *)s->trained + s->dim, s->trained, &l, err);
    s->derived = l;
    s->out_dim = (uint32_t)rows;
    return rc;
}

const codec_kind stage_pca = {
    .of = { "pca", "pca_compression", "DIM or SHARE",
            "the components in which vectors differ most: as many, or, 0.95 say, as hold that share of the variance; default: half as many as "
            "elements", EVDB_STAGE_TRANSFORM, EVDB_CODEC_TRAINED },
    .configure = configure, .train = train, .ready = ready, .forward = linear_forward, .back = linear_back, .mean = linear_mean,
};
