/* made_codec.c - implements made_codec.h. */
#include "made_codec.h"
#include "expect.h"
#include "seed.h"
#include <stdlib.h>

evdb_codec *made_codec_on(const char *spec, uint32_t dim, const float *sample, size_t count)
{
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    evdb_codec *c = NULL;
    o.spec = spec;
    o.dim = dim;
    o.sample = sample;
    o.count = count;
    ok(evdb_codec_create(&o, &c, &why));
    return c;
}

evdb_codec *made_codec(const char *spec, uint32_t dim, float scale, uint64_t *seed)
{
    size_t count = 0;
    if (evdb_codec_check(spec, dim, NULL, &count, &why) == EVDB_LIMIT) return NULL;
    ok(evdb_codec_check(spec, dim, NULL, &count, &why));
    float *sample = malloc((count * dim + 1) * sizeof(*sample));
    seed_floats(seed, sample, count * dim);
    for (size_t i = 0; i < count * dim; i++) sample[i] *= scale;
    evdb_codec *c = made_codec_on(spec, dim, sample, count);
    free(sample);
    return c;
}

float *made_round_trip(const evdb_codec *c, const float *x, size_t count, char **codes)
{
    float *y = malloc(count * evdb_codec_dim(c) * sizeof(*y));
    *codes = malloc(count * evdb_codec_bound(c));
    assert_true(y && *codes);
    ok(evdb_codec_encode(c, x, count, *codes, NULL, &why));
    ok(evdb_codec_decode(c, *codes, NULL, count, y, &why));
    return y;
}
