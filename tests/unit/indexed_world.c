/* indexed_world.c - implements indexed_world.h. */
#include "indexed_world.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLUSTERS = 40, QUERIES = 60 };

static uint64_t seed;
static float centres[CLUSTERS][WORLD_DIM];

void world_vector(float out[WORLD_DIM])
{
    const float *c = centres[seed_below(&seed, CLUSTERS)];
    float noise[WORLD_DIM];
    seed_floats(&seed, noise, WORLD_DIM);
    for (int i = 0; i < WORLD_DIM; i++) out[i] = c[i] + 0.4f * noise[i];
}


void world_seed(uint64_t from) { seed = from; }
uint64_t world_random(void) { return seed_next(&seed); }

indexed_options world_options(evdb_metric metric)
{
    return (indexed_options){ .flat = { .mem = &platform_real.mem, .kernel = kernel_best(), .dim = WORLD_DIM, .metric = metric },
                              .m = 12, .ef_construction = 80, .seed = 7 };
}

world world_make(evdb_metric metric)
{
    indexed_options o = world_options(metric);
    world w = { 0 };
    assert_int_equal(indexed_create(&o, &w.x, NULL), EVDB_OK);
    for (int i = 0; i < CLUSTERS; i++) seed_floats(&seed, centres[i], WORLD_DIM);
    return w;
}

void world_put(world *w, uint64_t slot)
{
    float v[WORLD_DIM];
    world_vector(v);
    assert_int_equal(indexed_put(w->x, slot, ++w->sequence, &(evdb_id){ .number = (int64_t)slot }, v, NULL), EVDB_OK);
}

void world_take(world *w, uint64_t slot) { flat_remove(indexed_flat(w->x), slot, ++w->sequence); }
void world_publish(world *w) { flat_publish(indexed_flat(w->x), w->sequence); }

void world_fill(world *w, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) world_put(w, i);
    world_publish(w);
}

/* Until nothing is left to do. */
void world_index(world *w, uint32_t threads)
{
    atomic_bool stop = false;
    for (bool more = true; more;) {
        assert_int_equal(indexed_begin(w->x, &more, NULL), EVDB_OK);
        if (!more) break;
        assert_int_equal(indexed_work(w->x, threads, &stop, NULL), EVDB_OK);
        indexed_end(w->x);
    }
}

indexed_state world_state(const world *w)
{
    indexed_state s;
    indexed_state_now(w->x, &s);
    return s;
}

/* The share of exact neighbours that a search by the graph finds; every hit must be visible and have its exact distance. */
double world_recall(world *w, uint32_t ef)
{
    static float queries[QUERIES * WORLD_DIM];
    static hit near[QUERIES * WORLD_K], exact[QUERIES * WORLD_K];
    size_t found[QUERIES], wanted[QUERIES], hits = 0, all = 0;
    flat_snapshot s;
    for (int i = 0; i < QUERIES; i++) world_vector(queries + i * WORLD_DIM);
    flat_begin(indexed_flat(w->x), &s);
    flat_query q = { .queries = queries, .count = QUERIES, .stride = WORLD_DIM, .k = WORLD_K, .radius = INFINITY, .threads = 2 };
    assert_int_equal(flat_search(&s, &q, exact, wanted, NULL, NULL), EVDB_OK);
    assert_int_equal(indexed_search(w->x, &s, &q, ef, near, found, NULL), EVDB_OK);
    for (int i = 0; i < QUERIES; i++) {
        assert_int_equal(found[i], wanted[i]);
        all += wanted[i];
        for (size_t a = 0; a < found[i]; a++) {
            const hit *h = &near[i * WORLD_K + (int)a];
            flat_ready ready;
            assert_int_equal(flat_ready_make(indexed_flat(w->x), queries + i * WORLD_DIM, &ready, NULL), EVDB_OK);
            assert_true(flat_visible(&s, h->row));
            assert_true(h->distance == flat_distance(indexed_flat(w->x), &ready, h->row));
            flat_ready_free(&ready);
            if (a) assert_true(h[-1].distance <= h->distance && h[-1].row != h->row);
            for (size_t b = 0; b < wanted[i]; b++) hits += exact[i * WORLD_K + (int)b].row == h->row;
        }
    }
    flat_end(&s);
    return all ? (double)hits / (double)all : 1;
}

void world_expect(world *w, double least, int line)
{
    double got = world_recall(w, WORLD_EF);
    if (got < least) fail_msg("line %d: recall %.4f is below %.4f", line, got, least);
}
