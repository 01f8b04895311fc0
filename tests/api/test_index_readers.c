/* test_index_readers.c - many threads search by the graph while one writes and the index catches up. For the thread sanitizer. */
#include "expect.h"
#include "index_rows.h"
#include "scratch.h"
#include "seed.h"
#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 24, DIM = INDEX_DIM, ROWS = 2000, STEPS = 150, EACH = 8 };

/* The store holds the records gone .. written - 1, and some that are about to come or go. */
typedef struct scene {
    evdb_store *store;
    uint64_t seed;
    atomic_llong gone, written;
    atomic_bool done;
    atomic_ulong searches, missed, wrong;
} scene;

static void vector_of(const scene *s, int64_t id, float *out)
{
    uint64_t seed = s->seed + (uint64_t)id * 1000003;
    seed_floats(&seed, out, DIM);
}

static evdb_status write_records(scene *s, int64_t from, size_t count, evdb_write kind)
{
    static float vectors[ROWS * DIM];
    for (size_t i = 0; i < count; i++) vector_of(s, from + (int64_t)i, vectors + i * DIM);
    return index_write(s->store, from, count, vectors, kind, NULL);
}

static void *write_on(void *context)
{
    scene *s = context;
    for (int i = 0; i < STEPS; i++) {
        int64_t last = atomic_load(&s->written), first = atomic_load(&s->gone);
        if (write_records(s, last, EACH, EVDB_INSERT) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
        atomic_store(&s->written, last + EACH);
        if (write_records(s, first, EACH, EVDB_DELETE) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
        atomic_store(&s->gone, first + EACH);
    }
    atomic_store(&s->done, true);
    return NULL;
}

/* Looks for a record by its own vector. */
static void look_for_one(scene *s, uint64_t *seed)
{
    float v[DIM];
    evdb_result *r;
    int64_t gone = atomic_load(&s->gone), written = atomic_load(&s->written);
    int64_t id = gone + (int64_t)seed_below(seed, (uint64_t)(written - gone));
    vector_of(s, id, v);
    if (evdb_search(s->store, v, DIM, NULL, &r, NULL) != EVDB_OK) {
        atomic_fetch_add(&s->wrong, 1);
        return;
    }
    bool right = r->count == INDEX_K;
    for (size_t i = 0; i < r->count; i++) right &= r->numbers[i] >= gone && (!i || r->distances[i - 1] <= r->distances[i]);
    if (!right) atomic_fetch_add(&s->wrong, 1);
    if ((!r->count || r->numbers[0] != id) && id >= atomic_load(&s->gone)) atomic_fetch_add(&s->missed, 1);
    atomic_fetch_add(&s->searches, 1);
    evdb_result_free(r);
}

static void *read_on(void *context)
{
    scene *s = context;
    uint64_t seed = s->seed ^ (uint64_t)(uintptr_t)&seed;
    do look_for_one(s, &seed);
    while (!atomic_load(&s->done));
    return NULL;
}

static void twenty_four_readers_find_what_one_writer_leaves(void **state)
{
    scratch *t = *state;
    scene s = { .seed = seed_print() };
    pthread_t writer, readers[READERS];
    s.store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    assert_int_equal(write_records(&s, 0, ROWS, EVDB_INSERT), EVDB_OK);
    atomic_store(&s.written, ROWS);
    ok(evdb_index_build(s.store, 2, &why));
    for (int i = 0; i < READERS; i++) assert_int_equal(pthread_create(&readers[i], NULL, read_on, &s), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_on, &s), 0);
    while (!atomic_load(&s.done)) ok(evdb_index_build(s.store, 1, &why)); /* what was written is linked while they search */
    pthread_join(writer, NULL);
    for (int i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    assert_int_equal(s.wrong, 0);
    assert_true(s.searches >= READERS);
    assert_true(s.missed * 50 <= s.searches);
    ok(evdb_index_build(s.store, 2, &why));
    evdb_index_status at = index_status(s.store);
    assert_int_equal(at.linked, ROWS);
    assert_int_equal(at.waiting, 0);
    uint64_t seed = s.seed;
    assert_true(index_recall(s.store, &seed, 0) >= 0.95);
    evdb_store_close(s.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(twenty_four_readers_find_what_one_writer_leaves, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
