/* rotation.c - implements codec/rotation.h. */
#include "codec/rotation.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS_WHOLE = 3, ROUNDS_BLOCKS = 4 };
static const double PI = 3.14159265358979323846;
static const float SMALLER = 0x1p-40f; /* no sum of that many elements is beyond the floats then */

struct rotation {
    uint32_t dim, block, rounds; /* block: the largest power of two in dim */
    float *cosines, *sines;      /* of dim / 2 random angles between an eighth and three eighths of a half turn */
    float by[];                  /* of each round, block of them: 1 / sqrt(block), with a random sign; then those */
};

evdb_status rotation_make(const evdb_allocator *mem, uint32_t dim, uint64_t seed, rotation **out, evdb_error *err)
{
    uint32_t block = 1;
    while (block <= dim / 2) block *= 2;
    uint32_t rounds = block == dim ? ROUNDS_WHOLE : ROUNDS_BLOCKS;
    size_t count = (size_t)rounds * block, pairs = dim / 2, bytes = sizeof(rotation) + (count + 2 * pairs) * sizeof(float);
    rotation *r = mem_alloc(mem, bytes);
    if (!r) return error_no_memory(err, bytes, "a rotation");
    r->dim = dim;
    r->block = block;
    r->rounds = rounds;
    uint64_t state = mix64(seed), bits = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % 64 == 0) bits = mix_next(&state);
        r->by[i] = (float)((bits >> i % 64 & 1 ? 1 : -1) / sqrt(block));
    }
    r->cosines = r->by + count;
    r->sines = r->cosines + pairs;
    for (size_t i = 0; i < pairs; i++) {
        double angle = PI / 8 * (1 + 2 * mix_unit(mix_next(&state)));
        r->cosines[i] = (float)cos(angle);
        r->sines[i] = (float)sin(angle);
    }
    *out = r;
    return EVDB_OK;
}

/* Rounds take turns at the first and the last block. */
static void round_of(const rotation *r, const kernel *k, uint32_t i, float *x, bool back)
{
    float *block = i % 2 ? x + (r->dim - r->block) : x;
    (back ? k->signs->hadamard_back : k->signs->hadamard)(r->by + (size_t)i * r->block, block, r->block);
}

/* ... which may share few elements: so, half way, the first and the last half mingle. Angles of chance make more than a few rotations of
 * a few elements. */
static void mingle(const rotation *r, const kernel *k, float *x)
{
    k->signs->mingle(r->cosines, r->sines, x, x + (r->dim - r->dim / 2), r->dim / 2);
}

static void forward(const rotation *r, const kernel *k, float *x)
{
    for (uint32_t i = 0; i < r->rounds; i++) {
        if (i == r->rounds / 2) mingle(r, k, x);
        round_of(r, k, i, x, false);
    }
}

static void back(const rotation *r, const kernel *k, float *x)
{
    for (uint32_t i = r->rounds; i-- > 0;) {
        round_of(r, k, i, x, true);
        if (i == r->rounds / 2) mingle(r, k, x);
    }
}

/* What left the range of float, once more. */
static void turn_huge(const rotation *r, const kernel *k, const float *x, float *y, void (*way)(const rotation *, const kernel *, float *))
{
    for (uint32_t i = 0; i < r->dim; i++) y[i] = x[i] * SMALLER;
    way(r, k, y);
    for (uint32_t i = 0; i < r->dim; i++) {
        double v = (double)y[i] / SMALLER;
        y[i] = v > FLT_MAX ? FLT_MAX : v < -FLT_MAX ? -FLT_MAX : (float)v;
    }
}

static void turn(const rotation *r, const kernel *k, const float *x, float *y, void (*way)(const rotation *, const kernel *, float *))
{
    memcpy(y, x, r->dim * sizeof(*y));
    way(r, k, y);
    if (!k->finite_f32(y, r->dim)) turn_huge(r, k, x, y, way);
}

void rotation_forward(const rotation *r, const kernel *k, const float *x, float *y) { turn(r, k, x, y, forward); }
void rotation_back(const rotation *r, const kernel *k, const float *y, float *x) { turn(r, k, y, x, back); }
