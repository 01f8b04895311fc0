/* test_indexed_threads.c - readers search while one thread writes and another links, refines and takes out. For the thread
 * sanitizer. */
#include "index/indexed.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIM = 16, SLOTS = 800, STEPS = 6000, READERS_AT_ONCE = 4, K = 8 };

typedef struct scene {
    indexed *x;
    pthread_mutex_t writer; /* serialises what the header says is to be */
    atomic_bool done;
    _Atomic uint64_t wrong, searches;
    uint64_t seed;
} scene;

static void *write_some(void *context)
{
    scene *s = context;
    uint64_t seed = s->seed;
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint64_t slot = seed_below(&seed, SLOTS);
        float v[DIM];
        seed_floats(&seed, v, DIM);
        pthread_mutex_lock(&s->writer);
        if (step > SLOTS && step % 3 == 0) flat_remove(indexed_flat(s->x), slot, step);
        else if (indexed_put(s->x, slot, step, &(evdb_id){ .number = (int64_t)slot }, v, NULL) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
        flat_publish(indexed_flat(s->x), step);
        pthread_mutex_unlock(&s->writer);
    }
    atomic_store(&s->done, true);
    return NULL;
}

static void *index_some(void *context)
{
    scene *s = context;
    atomic_bool stop = false;
    bool more = true;
    while (more || !atomic_load(&s->done)) {
        pthread_mutex_lock(&s->writer);
        evdb_status rc = indexed_begin(s->x, &more, NULL);
        pthread_mutex_unlock(&s->writer);
        if (rc == EVDB_OK && more) rc = indexed_work(s->x, 2, &stop, NULL);
        pthread_mutex_lock(&s->writer);
        indexed_end(s->x);
        pthread_mutex_unlock(&s->writer);
        if (rc != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
    }
    return NULL;
}

static void *read_some(void *context)
{
    scene *s = context;
    uint64_t seed = s->seed ^ (uint64_t)(uintptr_t)&seed;
    flat *f = indexed_flat(s->x);
    do {
        float q[DIM];
        hit hits[K];
        size_t found;
        flat_snapshot at;
        seed_floats(&seed, q, DIM);
        flat_begin(f, &at);
        flat_query query = { .queries = q, .count = 1, .stride = DIM, .k = K, .radius = INFINITY, .threads = 1 };
        if (indexed_search(s->x, &at, &query, 30, hits, &found, NULL) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
        for (size_t i = 0; i < found; i++) {
            bool right = flat_visible(&at, hits[i].row) && hits[i].distance == flat_distance(f, &(flat_ready){ .vector = q, .inverse = 1 }, hits[i].row) &&
                         flat_id(&at, hits[i].row).number < SLOTS && (!i || hits[i - 1].distance <= hits[i].distance);
            if (!right) atomic_fetch_add(&s->wrong, 1);
        }
        flat_end(&at);
        atomic_fetch_add(&s->searches, 1);
    } while (!atomic_load(&s->done));
    return NULL;
}

static void run_a_scene(evdb_metric metric, uint64_t seed)
{
    indexed_options o = { .flat = { .mem = &platform_real.mem, .kernel = kernel_best(), .dim = DIM, .metric = metric },
                          .m = 6, .ef_construction = 30, .seed = 1 };
    scene s = { .seed = seed };
    pthread_t writer, linker, readers[READERS_AT_ONCE];
    pthread_mutex_init(&s.writer, NULL);
    assert_int_equal(indexed_create(&o, &s.x, NULL), EVDB_OK);
    for (int i = 0; i < READERS_AT_ONCE; i++) assert_int_equal(pthread_create(&readers[i], NULL, read_some, &s), 0);
    assert_int_equal(pthread_create(&linker, NULL, index_some, &s), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_some, &s), 0);
    pthread_join(writer, NULL);
    pthread_join(linker, NULL);
    for (int i = 0; i < READERS_AT_ONCE; i++) pthread_join(readers[i], NULL);
    assert_int_equal(s.wrong, 0);
    assert_true(s.searches > 0);
    indexed_free(s.x);
    pthread_mutex_destroy(&s.writer);
}

/* One metric of each kind of graph. */
static void searches_are_right_while_rows_come_go_and_are_linked(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    run_a_scene(EVDB_EUCLIDEAN, seed);
    run_a_scene(EVDB_IP, seed);
    run_a_scene(EVDB_MANHATTAN, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_are_right_while_rows_come_go_and_are_linked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
