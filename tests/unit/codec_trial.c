/* codec_trial.c - implements codec_trial.h. */
#include "codec_trial.h"
#include "base/checksum.h"
#include "expect.h"
#include "seed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

evdb_codec *trial_codec(const char *spec, uint32_t dim, const float *sample, size_t count)
{
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    evdb_codec *c = NULL;
    o.spec = spec, o.dim = dim, o.sample = sample, o.count = count, o.seed = 7, o.threads = 2;
    ok(evdb_codec_create(&o, &c, &why));
    return c;
}

void trial_round(const evdb_codec *c, const float *x, size_t count, float *out)
{
    char *codes = malloc(count * evdb_codec_bound(c));
    size_t *sizes = malloc(count * sizeof(*sizes));
    ok(evdb_codec_encode(c, x, count, codes, sizes, &why));
    ok(evdb_codec_decode(c, codes, sizes, count, out, &why));
    free(codes), free(sizes);
}

double trial_error(const evdb_codec *c, const float *x, size_t count)
{
    size_t floats = count * evdb_codec_dim(c);
    float *y = malloc(floats * sizeof(*y));
    double error = 0, all = 0;
    trial_round(c, x, count, y);
    for (size_t i = 0; i < floats; i++) {
        assert_true(isfinite(y[i]));
        error += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        all += (double)x[i] * x[i];
    }
    free(y);
    return all > 0 ? error / all : error;
}

void trial_distances(const evdb_codec *c, const float *x, size_t count, const float *query)
{
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_IP, EVDB_COSINE, EVDB_MANHATTAN };
    uint32_t dim = evdb_codec_dim(c);
    char *codes = malloc(count * evdb_codec_bound(c));
    size_t *sizes = malloc(count * sizeof(*sizes));
    float *y = malloc(count * dim * sizeof(*y)), *got = malloc(count * sizeof(*got));
    ok(evdb_codec_encode(c, x, count, codes, sizes, &why));
    ok(evdb_codec_decode(c, codes, sizes, count, y, &why));
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
        ok(evdb_codec_distances(c, metrics[m], query, codes, sizes, count, got, &why));
        for (size_t i = 0; i < count; i++) {
            double terms = 0, sum = 0, product = 0, norms[2] = { 0 };
            for (size_t j = 0; j < dim; j++) {
                double a = query[j], b = y[i * dim + j];
                sum += metrics[m] == EVDB_MANHATTAN ? fabs(a - b) : (a - b) * (a - b);
                product += a * b;
                norms[0] += a * a, norms[1] += b * b;
            }
            terms = norms[0] + norms[1];
            double wanted = metrics[m] == EVDB_EUCLIDEAN ? sqrt(sum) : metrics[m] == EVDB_IP ? -product
                          : metrics[m] == EVDB_MANHATTAN ? sum : norms[1] > 0 ? 1 - product / sqrt(norms[0] * norms[1]) : 1;
            double room = metrics[m] == EVDB_EUCLIDEAN ? 1e-5 * sqrt(terms) + 3e-6 * terms / (sqrt(sum) + 1e-3 * sqrt(terms))
                        : metrics[m] == EVDB_COSINE ? 2e-5 : 1e-5 * (terms + sum);
            if (!(fabs(got[i] - wanted) <= room + 1e-30))
                fail_msg("%s, %u elements, metric %d: %.9g where %.9g belongs", evdb_codec_spec(c), dim, (int)metrics[m], (double)got[i], wanted);
        }
    }
    free(codes), free(sizes), free(y), free(got);
}

static void does_the_same(const evdb_codec *a, const evdb_codec *b, const float *x, size_t count)
{
    size_t bytes = count * evdb_codec_bound(a);
    char *codes[2] = { malloc(bytes), malloc(bytes) };
    assert_int_equal(evdb_codec_bound(b), evdb_codec_bound(a));
    ok(evdb_codec_encode(a, x, count, codes[0], NULL, &why));
    ok(evdb_codec_encode(b, x, count, codes[1], NULL, &why));
    assert_memory_equal(codes[0], codes[1], bytes);
    free(codes[0]), free(codes[1]);
}

void trial_damage(unsigned char *bytes, size_t size, size_t at, float value)
{
    uint64_t sum;
    size_t end = size - sizeof(sum);
    memcpy(bytes + at, &value, sizeof(value));
    sum = checksum(bytes, end, 0);
    memcpy(bytes + end, &sum, sizeof(sum));
}

void trial_saved(const evdb_codec *c, const float *x, size_t count)
{
    evdb_codec *back = NULL;
    unsigned char *bytes, *damaged;
    size_t size;
    ok(evdb_codec_save(c, (void **)&bytes, &size, &why));
    ok(evdb_codec_load(bytes, size, NULL, &back, &why));
    assert_string_equal(evdb_codec_spec(back), evdb_codec_spec(c));
    does_the_same(c, back, x, count);
    evdb_codec_free(back);
    /* A NaN in the middle; one float too few. */
    damaged = malloc(size);
    memcpy(damaged, bytes, size);
    trial_damage(damaged, size, size - sizeof(uint64_t) - evdb_codec_trained_bytes(c) / 8 * 4, NAN);
    refused(EVDB_CORRUPT, evdb_codec_load(damaged, size, NULL, &back, &why));
    memcpy(damaged, bytes, size);
    trial_damage(damaged, size - sizeof(float), 0, *(const float *)(const void *)bytes);
    refused(EVDB_CORRUPT, evdb_codec_load(damaged, size - sizeof(float), NULL, &back, &why));
    free(damaged);
    evdb_bytes_free(bytes);
}

void trial_vectors(uint64_t *seed, float *x, size_t count, uint32_t dim)
{
    enum { CLUMPS = 5 };
    float *clumps = malloc(CLUMPS * dim * sizeof(*clumps)), *noise = malloc(dim * sizeof(*noise));
    seed_floats(seed, clumps, CLUMPS * dim);
    for (size_t i = 0; i < count; i++) {
        const float *clump = clumps + seed_below(seed, CLUMPS) * dim;
        seed_floats(seed, noise, dim);
        for (uint32_t j = 0; j < dim; j++) x[i * dim + j] = 0.3f + clump[j] + (noise[j] + noise[j / 2]) / (float)(1 + j % 7);
    }
    free(clumps), free(noise);
}
