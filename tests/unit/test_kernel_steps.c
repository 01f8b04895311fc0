/* test_kernel_steps.c - kernels over steps of a range, for every table this machine can run. */
#include "kernel/kernel.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 1100, KINDS = 4 };
static uint64_t seed;

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static const steps_codes *codes_of(const kernel *k, int kind)
{
    const steps_codes *const all[KINDS] = { &k->steps->u8, &k->steps->u4, &k->steps->each_u8, &k->steps->each_u4 };
    return all[kind];
}

static size_t bytes_of(int kind, size_t n) { return kind % 2 ? steps_bytes_u4(n) : n; }

/* The code of element i, as kernel/steps.h says where it is. */
static unsigned code_at(int kind, const uint8_t *codes, size_t n, size_t i)
{
    if (kind % 2 == 0) return codes[i];
    size_t block = i / STEPS_BLOCK * STEPS_BLOCK, left = n - block < STEPS_BLOCK ? n - block : STEPS_BLOCK, half = (left + 1) / 2;
    uint8_t pair = codes[block / 2 + (i - block) % half];
    return i - block < half ? pair & 15 : pair >> 4;
}

typedef struct world {
    float x[MOST], q[MOST], low[MOST], step[MOST], offset[MOST], inverse[MOST];
} world;

static world *draw(size_t n)
{
    world *w = malloc(sizeof(*w));
    assert_non_null(w);
    seed_floats(&seed, w->x, n);
    seed_floats(&seed, w->q, n);
    for (size_t i = 0; i < n; i++) {
        w->low[i] = -0.9f + 0.001f * (float)seed_below(&seed, 300);
        w->step[i] = 0.007f + 0.0001f * (float)seed_below(&seed, 900);
        w->offset[i] = -0.5f * w->low[i];
        w->inverse[i] = 2 / w->step[i];
    }
    return w;
}

/* A length that meets whole vectors and last ones of every size. */
static size_t length(size_t round) { return round < 150 ? round + 1 : 1 + seed_below(&seed, MOST); }

static void codes_are_the_nearest_steps_and_the_same_in_every_table(void **state)
{
    (void)state;
    for (size_t round = 0; round < 170; round++) {
        size_t n = length(round);
        world *w = draw(n);
        for (int kind = 0; kind < KINDS; kind++) {
            uint8_t plain[MOST + 1], codes[MOST + 1];
            float back[MOST + 1];
            size_t bytes = bytes_of(kind, n);
            codes_of(&kernel_scalar, kind)->encode(w->x, n, w->offset, w->inverse, plain);
            EACH_KERNEL(k) {
                codes[bytes] = 0xa5;
                back[n] = 42;
                codes_of(k, kind)->encode(w->x, n, w->offset, w->inverse, codes);
                assert_memory_equal(codes, plain, bytes);
                codes_of(k, kind)->decode(codes, n, w->low, w->step, back);
                assert_true(codes[bytes] == 0xa5 && back[n] == 42);
                for (size_t i = 0; i < n; i++) {
                    double low = w->low[kind < 2 ? 0 : i], step = w->step[kind < 2 ? 0 : i], most = kind % 2 ? 15 : 255;
                    double exact = fmin(fmax((w->x[i] - low) / step, 0), most), code = code_at(kind, codes, n, i);
                    assert_true(fabs(code - exact) <= 0.5001);
                    assert_true(fabs(back[i] - (low + step * code)) <= 1e-6 * (fabs(low) + step * code));
                }
            }
        }
        free(w);
    }
}

static void sums_are_those_of_what_codes_stand_for(void **state)
{
    (void)state;
    for (size_t round = 0; round < 170; round++) {
        size_t n = length(round);
        world *w = draw(n);
        for (int kind = 0; kind < KINDS; kind++) {
            uint8_t codes[MOST];
            float back[MOST];
            double dot = 0, terms = 0, l2sq = 0;
            codes_of(&kernel_scalar, kind)->encode(w->x, n, w->offset, w->inverse, codes);
            codes_of(&kernel_scalar, kind)->decode(codes, n, w->low, w->step, back);
            for (size_t i = 0; i < n; i++) {
                if (seed_below(&seed, 2)) w->q[i] = back[i]; /* near ones cancel */
                dot += (double)w->q[i] * back[i], terms += fabs((double)w->q[i] * back[i]);
                l2sq += ((double)w->q[i] - back[i]) * ((double)w->q[i] - back[i]);
            }
            EACH_KERNEL(k) {
                assert_true(fabs(codes_of(k, kind)->dot(w->q, codes, n, w->low, w->step) - dot) <= 2e-6 * sqrt((double)n) * (terms + 1e-3));
                assert_true(fabs(codes_of(k, kind)->l2sq(w->q, codes, n, w->low, w->step) - l2sq) <= 2e-6 * sqrt((double)n) * (l2sq + 1e-6));
            }
        }
        free(w);
    }
}

static void ends_and_sums_of_floats_are_found(void **state)
{
    (void)state;
    for (size_t round = 0; round < 170; round++) {
        size_t n = length(round);
        world *w = draw(n);
        float least = INFINITY, most = -INFINITY, low, high;
        double sum = 0, square = 0, e = 0, c = 0, ee = 0, ec = 0, cc = 0;
        for (size_t i = 0; i < n; i++) {
            double d = (double)w->x[i] - w->x[0], t = (w->x[i] * 0.5f + w->offset[0]) * w->inverse[0], code = rint(fmin(fmax(t, 0), 15));
            least = fminf(least, w->x[i]), most = fmaxf(most, w->x[i]);
            sum += d, square += d * d;
            e += t - code, c += code, ee += (t - code) * (t - code), ec += (t - code) * code, cc += code * code;
        }
        EACH_KERNEL(k) {
            steps_spread s;
            steps_fit f;
            k->steps->range(w->x, n, &low, &high);
            k->steps->spread(w->x, n, &s);
            k->steps->fit(w->x, n, w->offset[0], w->inverse[0], 15, &f);
            assert_true(low == least && high == most && s.least == least && s.most == most);
            double room = 1e-5 * (double)n;
            assert_true(fabs(s.sum - sum) <= room && fabs(s.square - square) <= room);
            room *= 150; /* elements lie up to that many steps outside */
            assert_true(fabs(f.e - e) <= room && fabs(f.c - c) <= room && fabs(f.ee - ee) <= 150 * room);
            assert_true(fabs(f.ec - ec) <= 15 * room && fabs(f.cc - cc) <= 15 * room);
        }
        free(w);
    }
}

static void a_range_as_wide_as_the_floats_is_no_more_than_they_hold(void **state)
{
    (void)state;
    enum { N = 21 };
    const float low = -FLT_MAX, step = (float)(2.0 * FLT_MAX / 255), offset = -0.5f * low, inverse = 2 / step;
    float x[N], back[N];
    uint8_t codes[N];
    for (int i = 0; i < N; i++) x[i] = i % 3 == 0 ? FLT_MAX : i % 3 == 1 ? -FLT_MAX : 0;
    EACH_KERNEL(k) {
        k->steps->u8.encode(x, N, &offset, &inverse, codes);
        k->steps->u8.decode(codes, N, &low, &step, back);
        for (int i = 0; i < N; i++) assert_true(codes[i] == (i % 3 == 0 ? 255 : i % 3 == 1 ? 0 : codes[2]) && (codes[2] == 127 || codes[2] == 128));
    }
}

static void nothing_is_read_behind_the_last_element(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    float low[200] = { 0 }, back[200];
    uint8_t codes[200];
    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    EACH_KERNEL(k)
        for (size_t n = 1; n <= 200; n++)
            for (int kind = 0; kind < KINDS; kind++) {
                const float *x = (const float *)(const void *)(pages + page) - n, *range = kind < 2 ? low : x;
                const uint8_t *row = (const uint8_t *)pages + page - bytes_of(kind, n);
                steps_spread s;
                steps_fit f;
                codes_of(k, kind)->encode(x, n, range, range, codes);
                codes_of(k, kind)->decode(row, n, range, range, back);
                assert_true(codes_of(k, kind)->dot(x, row, n, range, range) == 0);
                assert_true(codes_of(k, kind)->l2sq(x, row, n, range, range) == 0);
                k->steps->spread(x, n, &s);
                k->steps->fit(x, n, 0, 1, 15, &f);
                assert_true(s.square == 0 && f.cc == 0);
            }
    munmap(pages, 2 * page);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_the_nearest_steps_and_the_same_in_every_table),
        cmocka_unit_test(sums_are_those_of_what_codes_stand_for),
        cmocka_unit_test(ends_and_sums_of_floats_are_found),
        cmocka_unit_test(a_range_as_wide_as_the_floats_is_no_more_than_they_hold),
        cmocka_unit_test(nothing_is_read_behind_the_last_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
