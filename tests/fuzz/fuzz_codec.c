/* fuzz_codec.c - any bytes as what a codec is given: refused with a message, or finite vectors.
 *
 * Input: a byte whose lowest two bits choose what the rest is, and whose third bit makes the checksum at its end match, where it has one:
 *   0  two bytes of dimension, a codec as text
 *   1  a saved codec
 *   2  a sealed vector
 *   3  a byte that chooses a codec, a byte that chooses a metric, a code of it */
#include "base/checksum.h"
#include <evdb.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MATCH = 4, DIM = 7, DIM_MOST = 512, CODECS = 32 };

static evdb_error why;

static void check(bool sound)
{
    if (!sound) abort();
}

static void check_answer(evdb_status rc)
{
    check(rc == EVDB_OK || (why.status == rc && *why.message && memchr(why.message, 0, sizeof(why.message))));
}

static void check_finite(const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) check(isfinite(x[i]));
}

/* Numbers that lie between -1 and 1 and are always the same. */
static float *numbers(size_t count)
{
    float *x = malloc((count + 1) * sizeof(*x));
    check(x);
    for (size_t i = 0; i < count; i++) x[i] = (float)((i * 7919 + i / 5) % 211) / 105 - 1;
    return x;
}

/* ---- text ---- */

static void attack_text(const uint8_t *data, size_t size)
{
    char spec[300], whole[EVDB_CODEC_SPEC_MAX + 1], again[EVDB_CODEC_SPEC_MAX + 1];
    if (size < 2) return;
    uint32_t dim = data[0] | (uint32_t)data[1] << 8;
    size_t length = size - 2 < sizeof(spec) - 1 ? size - 2 : sizeof(spec) - 1, sample;
    memcpy(spec, data + 2, length);
    spec[length] = 0;
    evdb_status rc = evdb_codec_check(spec, dim, whole, &sample, &why);
    check_answer(rc);
    check(rc == EVDB_OK || rc == EVDB_INVALID || rc == EVDB_LIMIT);
    if (rc != EVDB_OK) return;
    check(evdb_codec_check(whole, dim, again, NULL, &why) == EVDB_OK && strcmp(whole, again) == 0);
}

/* ---- codecs and sealed vectors ---- */

/* A copy with its checksum as it should be. */
static uint8_t *copy_of(const uint8_t *data, size_t size, bool match)
{
    uint8_t *copy = malloc(size + 1);
    uint64_t sum;
    check(copy);
    memcpy(copy, data, size);
    if (!match || size < sizeof(sum)) return copy;
    sum = checksum(copy, size - sizeof(sum), 0);
    memcpy(copy + size - sizeof(sum), &sum, sizeof(sum));
    return copy;
}

static uint32_t dim_in(const uint8_t *data, size_t size)
{
    uint32_t dim = 0;
    if (size >= 8) memcpy(&dim, data + 4, sizeof(dim));
    return dim;
}

/* Whatever its parameters are, it neither crashes nor loses count. */
static void use(const evdb_codec *c)
{
    uint32_t dim = evdb_codec_dim(c);
    size_t size;
    float *x = numbers(dim), distance;
    uint8_t *bytes = malloc(evdb_codec_bound(c));
    check(bytes && evdb_codec_encode(c, x, 1, bytes, &size, &why) == EVDB_OK && size && size <= evdb_codec_bound(c));
    evdb_status rc = evdb_codec_distances(c, EVDB_EUCLIDEAN, x, bytes, &size, 1, &distance, &why);
    check(rc == EVDB_OK || rc == EVDB_CORRUPT);
    check(evdb_codec_decode(c, bytes, &size, 1, x, &why) == rc);
    free(bytes);
    free(x);
}

static void attack_saved(const uint8_t *data, size_t size, bool match)
{
    evdb_codec *c, *again;
    uint8_t *copy = copy_of(data, size, match);
    void *saved;
    size_t length;
    if (dim_in(copy, size) <= DIM_MOST) {
        evdb_status rc = evdb_codec_load(copy, size, NULL, &c, &why);
        check_answer(rc);
        if (rc == EVDB_OK) {
            use(c);
            check(evdb_codec_save(c, &saved, &length, &why) == EVDB_OK && length == size && memcmp(saved, copy, size) == 0);
            check(evdb_codec_load(saved, length, NULL, &again, &why) == EVDB_OK);
            evdb_codec_free(again);
            evdb_codec_free(c);
            evdb_bytes_free(saved);
        }
    }
    free(copy);
}

static void attack_sealed(const uint8_t *data, size_t size, bool match)
{
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    uint32_t dim;
    uint8_t *copy = copy_of(data, size, match);
    evdb_status rc = evdb_codec_sealed(copy, size, spec, &dim, &why);
    check_answer(rc);
    check(rc == EVDB_OK || rc == EVDB_CORRUPT || rc == EVDB_NEWER);
    if (rc == EVDB_OK && dim <= DIM_MOST) {
        float *x = numbers(dim);
        check_answer(rc = evdb_codec_unseal(NULL, copy, size, x, &why));
        check_finite(x, dim);
        free(x);
    }
    free(copy);
}

/* ---- codes ---- */

/* Every kind, and what has parameters that change codes: made at the first use, kept to the end. */
static const evdb_codec *chosen(uint8_t choice)
{
    static const char *const more[] = {
        "i8:trained", "i4:trained", "pq:3,4", "f16+zlib:9", "f32+zstd:5,plain", "bf16+zstd:dict", "pq:2+zlib"
    };
    static evdb_codec *made[CODECS];
    static bool known[CODECS];
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    size_t i = choice % CODECS, extra = CODECS - 1 - i;
    const evdb_codec_kind *kind = evdb_codec_kind_at((uint32_t)i);
    o.spec = extra < sizeof(more) / sizeof(*more) ? more[extra] : kind ? kind->name : "f32";
    o.dim = DIM;
    if (known[i]) return made[i];
    known[i] = true;
    if (evdb_codec_check(o.spec, DIM, NULL, &o.count, &why) != EVDB_OK) return NULL;
    o.sample = numbers(o.count * DIM);
    check(evdb_codec_create(&o, &made[i], &why) == EVDB_OK);
    free((void *)(uintptr_t)o.sample);
    return made[i];
}

static void attack_codes(const uint8_t *data, size_t size)
{
    float x[DIM], distance;
    if (size < 2) return;
    const evdb_codec *c = chosen(data[0]);
    if (!c) return;
    size_t given = size - 2, bound = evdb_codec_bound(c);
    if (given > bound + 1) given = bound + 1;
    uint8_t *code = copy_of(data + 2, given, false);
    evdb_status rc = evdb_codec_decode(c, code, &given, 1, x, &why);
    check_answer(rc);
    check(rc == EVDB_OK || rc == EVDB_CORRUPT);
    if (rc == EVDB_OK) check_finite(x, DIM);
    float *query = numbers(DIM);
    evdb_metric metric = (evdb_metric)(EVDB_COSINE + data[1] % (EVDB_CUSTOM - EVDB_COSINE));
    check(evdb_codec_distances(c, metric, query, code, &given, 1, &distance, &why) == rc);
    if (rc == EVDB_OK) check(!isnan(distance));
    free(query);
    free(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    bool match = data[0] & MATCH;
    switch (data[0] & 3) {
    case 0: attack_text(data + 1, size - 1); break;
    case 1: attack_saved(data + 1, size - 1, match); break;
    case 2: attack_sealed(data + 1, size - 1, match); break;
    default: attack_codes(data + 1, size - 1);
    }
    return 0;
}
