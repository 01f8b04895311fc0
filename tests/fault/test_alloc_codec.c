/* test_alloc_codec.c - a codec's life with the n-th allocation failing, for every n: once, and from then on.
 *
 * Each call answers EVDB_NO_MEMORY, or succeeds and then rightly; nothing leaks. All kinds there are, and some chains of them. What
 * libzstd allocates itself is not looked at. */
#include "alloc_calls.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIM = 6, COUNT = 3, SAMPLE_MAX = 16384, ALLOCATIONS_MAX = 3000 };

static float sample[SAMPLE_MAX][DIM];

typedef struct life {
    const char *spec;
    evdb_allocator memory;
    evdb_codec *c, *again;
    uint8_t *bytes;
    void *sealed, *saved;
    size_t sealed_size, saved_size;
} life;

static evdb_status make(life *l, evdb_error *err)
{
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    o.spec = l->spec;
    o.dim = DIM;
    o.sample = sample[0];
    o.threads = 1;
    o.allocator = &l->memory;
    evdb_status rc = evdb_codec_check(l->spec, DIM, NULL, &o.count, err);
    if (rc == EVDB_OK) rc = alloc_expect(o.count <= SAMPLE_MAX, err);
    return rc == EVDB_OK ? evdb_codec_create(&o, &l->c, err) : rc;
}

static bool finite_all(const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static evdb_status use(life *l, evdb_error *err)
{
    size_t sizes[COUNT];
    float back[COUNT * DIM], distances[COUNT];
    if (!(l->bytes = malloc(COUNT * evdb_codec_bound(l->c)))) return EVDB_NO_MEMORY;
    evdb_status rc = evdb_codec_encode(l->c, sample[0], COUNT, l->bytes, sizes, err);
    if (rc == EVDB_OK) rc = evdb_codec_decode(l->c, l->bytes, sizes, COUNT, back, err);
    if (rc == EVDB_OK) rc = alloc_expect(finite_all(back, COUNT * DIM), err);
    for (evdb_metric metric = EVDB_COSINE; rc == EVDB_OK && metric < EVDB_CUSTOM; metric++) {
        rc = evdb_codec_distances(l->c, metric, sample[COUNT], l->bytes, sizes, COUNT, distances, err);
        if (rc == EVDB_OK) rc = alloc_expect(finite_all(distances, COUNT), err);
    }
    return rc;
}

static evdb_status keep(life *l, evdb_error *err)
{
    float once[DIM], twice[DIM];
    evdb_status rc = evdb_codec_seal(l->c, sample[1], &l->sealed, &l->sealed_size, err);
    if (rc == EVDB_OK) rc = evdb_codec_unseal(l->c, l->sealed, l->sealed_size, once, err);
    if (rc == EVDB_OK) rc = evdb_codec_save(l->c, &l->saved, &l->saved_size, err);
    if (rc == EVDB_OK) rc = evdb_codec_load(l->saved, l->saved_size, &l->memory, &l->again, err);
    if (rc == EVDB_OK) rc = evdb_codec_unseal(l->again, l->sealed, l->sealed_size, twice, err);
    return rc == EVDB_OK ? alloc_expect(memcmp(once, twice, sizeof(once)) == 0, err) : rc;
}

/* The status of the first call that fails. */
static evdb_status live(const char *spec, alloc_scene *s, evdb_error *err)
{
    life l = { .spec = spec, .memory = alloc_memory(s) };
    evdb_status rc = make(&l, err);
    if (rc == EVDB_OK) rc = use(&l, err);
    if (rc == EVDB_OK) rc = keep(&l, err);
    evdb_bytes_free(l.sealed);
    evdb_bytes_free(l.saved);
    evdb_codec_free(l.again);
    evdb_codec_free(l.c);
    free(l.bytes);
    return rc;
}

/* False when a life does not get as far as allocation n. */
static bool attempt(const char *spec, long n, bool once)
{
    alloc_scene s = { .memory = { .once = once } };
    evdb_error err = { .status = EVDB_OK };
    atomic_store(&s.memory.fail_at, n);
    evdb_status rc = live(spec, &s, &err);
    if (rc != EVDB_OK && rc != EVDB_NO_MEMORY)
        fail_msg("%s, allocation %ld fails%s: %s: %s", spec, n, once ? "" : " and all later ones", evdb_status_name(rc), err.message);
    if (rc != EVDB_OK) assert_int_equal(err.status, rc);
    if (atomic_load(&s.memory.live)) fail_msg("%s, allocation %ld: %ld blocks leak", spec, n, atomic_load(&s.memory.live));
    bool reached = atomic_load(&s.memory.asked) >= n;
    assert_true(reached || rc == EVDB_OK);
    return reached;
}

static void try_each_allocation(const char *spec)
{
    long n = 1;
    for (int once = 0; once < 2; once++)
        for (n = 1; attempt(spec, n, once); n++) assert_true(n < ALLOCATIONS_MAX);
    printf("%s: %ld allocations\n", spec, n - 1);
}

static void each_allocation_of_every_kind_may_fail(void **state)
{
    const evdb_codec_kind *k;
    (void)state;
    for (uint32_t i = 0; (k = evdb_codec_kind_at(i)); i++) try_each_allocation(k->name);
}

static void each_allocation_of_a_chain_may_fail(void **state)
{
    static const char *const chains[] = { "f16+zlib", "bf16+zstd:dict", "i8:trained+zstd:3,dict", "i4+zlib:9,plain", "pq:2,4+zstd",
                                          "pca:3+pq:1,4", "rotate+i8+zlib", "opq:2,4" };
    (void)state;
    for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++)
        if (evdb_codec_check(chains[i], DIM, NULL, NULL, NULL) == EVDB_OK) try_each_allocation(chains[i]);
}

int main(void)
{
    for (size_t i = 0; i < SAMPLE_MAX * DIM; i++) sample[i / DIM][i % DIM] = (float)((i * i + i / 7) % 101) / 50 - 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_every_kind_may_fail),
        cmocka_unit_test(each_allocation_of_a_chain_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
