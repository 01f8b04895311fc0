/* test_indexed.c - index/indexed.h: what searches by the graph find, while rows come, go and are linked.
 *
 * The oracle is the exact scan of the same snapshot. Vectors lie in clusters, as real ones do. Also for the thread sanitizer. */
#include "indexed_world.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_graph_finds_nearly_all_neighbours(void **state)
{
    (void)state;
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_COSINE, EVDB_MANHATTAN, EVDB_IP };
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++)
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            world w = world_make(metrics[m]);
            world_fill(&w, 0, 6000);
            assert_int_equal(world_state(&w).waiting, 6000);
            expect_recall(&w, 1); /* nothing is linked: a scan */
            world_index(&w, threads);
            assert_int_equal(world_state(&w).waiting, 0);
            assert_int_equal(world_state(&w).linked, 6000);
            expect_recall(&w, 0.97);
            indexed_free(w.x);
        }
}

static void what_is_not_linked_yet_is_found_exactly(void **state)
{
    (void)state;
    world w = world_make(EVDB_EUCLIDEAN);
    world_fill(&w, 0, 3000);
    world_index(&w, 1);
    for (uint64_t slot = 3000; slot < 3200; slot++) {
        float v[WORLD_DIM];
        hit h;
        size_t found;
        flat_snapshot s;
        world_put(&w, slot);
        world_publish(&w);
        memcpy(v, flat_vector(indexed_flat(w.x), flat_row(indexed_flat(w.x), slot), NULL), sizeof(v));
        flat_query q = { .queries = v, .count = 1, .stride = WORLD_DIM, .k = 1, .radius = INFINITY, .threads = 1 };
        flat_begin(indexed_flat(w.x), &s);
        assert_int_equal(indexed_search(w.x, &s, &q, 10, &h, &found, NULL), EVDB_OK);
        assert_int_equal(found, 1);
        assert_int_equal(flat_id(&s, h.row).number, slot);
        flat_end(&s);
    }
    assert_int_equal(world_state(&w).waiting, 200);
    indexed_free(w.x);
}

static void replace_half_again_and_again(evdb_metric metric)
{
    world w = world_make(metric), fresh;
    enum { ROWS = 5000, ROUNDS = 6 };
    world_fill(&w, 0, ROWS);
    world_index(&w, 2);
    uint32_t most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < ROWS; i++)
            if (world_random() % 2) world_put(&w, i);
        world_publish(&w);
        world_index(&w, 2);
        world_index(&w, 2); /* rows that left are let go by the next step */
        if (round == 2) most = flat_used(indexed_flat(w.x));
    }
    assert_true(flat_used(indexed_flat(w.x)) <= most + ROWS / 2);
    double replaced = world_recall(&w, WORLD_EF);
    fresh = world_make(metric);
    world_fill(&fresh, 0, ROWS);
    world_index(&fresh, 2);
    double built = world_recall(&fresh, WORLD_EF);
    if (replaced < built - 0.02) fail_msg("recall %.4f where a fresh build has %.4f", replaced, built);
    indexed_free(w.x);
    indexed_free(fresh.x);
}

static void replacing_half_keeps_recall_and_uses_memory_again(void **state)
{
    (void)state;
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_MANHATTAN, EVDB_IP };
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) replace_half_again_and_again(metrics[m]);
}

static void removed_rows_never_appear_and_all_may_go(void **state)
{
    (void)state;
    world w = world_make(EVDB_COSINE);
    world_fill(&w, 0, 3000);
    world_index(&w, 1);
    for (uint64_t left = 3000; left;) {
        uint64_t go = left / 3 + 1;
        for (uint64_t i = left - go; i < left; i++) world_take(&w, i);
        left -= go;
        world_publish(&w);
        (void)world_recall(&w, WORLD_EF); /* checks that every hit is visible, and that k are found while there are k */
        world_index(&w, 1);
        (void)world_recall(&w, WORLD_EF);
    }
    assert_int_equal(flat_count(indexed_flat(w.x)), 0);
    world_fill(&w, 0, 500);
    world_index(&w, 1);
    expect_recall(&w, 0.97);
    indexed_free(w.x);
}

static void a_stopped_step_is_continued_by_the_next(void **state)
{
    (void)state;
    world w = world_make(EVDB_EUCLIDEAN);
    atomic_bool stop = true;
    bool more;
    world_fill(&w, 0, 2000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(indexed_begin(w.x, &more, NULL), EVDB_OK);
        assert_true(more);
        assert_int_equal(indexed_work(w.x, 2, &stop, NULL), EVDB_OK);
        indexed_end(w.x);
        expect_recall(&w, 1);
    }
    world_index(&w, 2);
    assert_int_equal(world_state(&w).linked, 2000);
    expect_recall(&w, 0.97);
    indexed_free(w.x);
}

static void an_old_snapshot_sees_what_it_saw(void **state)
{
    (void)state;
    world w = world_make(EVDB_EUCLIDEAN);
    flat_snapshot s;
    float v[WORLD_DIM];
    world_fill(&w, 0, 3000);
    world_index(&w, 1);
    flat_begin(indexed_flat(w.x), &s);
    memcpy(v, flat_vector(indexed_flat(w.x), flat_row(indexed_flat(w.x), 77), NULL), sizeof(v));
    world_take(&w, 77);
    world_publish(&w);
    world_index(&w, 1);
    hit h;
    size_t found;
    flat_query q = { .queries = v, .count = 1, .stride = WORLD_DIM, .k = 1, .radius = INFINITY, .threads = 1 };
    assert_int_equal(indexed_search(w.x, &s, &q, WORLD_EF, &h, &found, NULL), EVDB_OK);
    assert_int_equal(flat_id(&s, h.row).number, 77);
    flat_end(&s);
    indexed_free(w.x);
}

static void the_same_rows_make_the_same_graph_on_one_thread(void **state)
{
    (void)state;
    static hit first[WORLD_K], second[WORLD_K];
    uint64_t again = world_random();
    for (int turn = 0; turn < 2; turn++) {
        world_seed(again);
        world w = world_make(EVDB_EUCLIDEAN);
        flat_snapshot s;
        float v[WORLD_DIM];
        size_t found;
        world_fill(&w, 0, 3000);
        world_index(&w, 1);
        world_vector(v);
        flat_query q = { .queries = v, .count = 1, .stride = WORLD_DIM, .k = WORLD_K, .radius = INFINITY, .threads = 1 };
        flat_begin(indexed_flat(w.x), &s);
        assert_int_equal(indexed_search(w.x, &s, &q, WORLD_K, turn ? second : first, &found, NULL), EVDB_OK);
        flat_end(&s);
        indexed_free(w.x);
    }
    assert_memory_equal(first, second, sizeof(first));
}

int main(void)
{
    world_seed(seed_print());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_finds_nearly_all_neighbours),
        cmocka_unit_test(what_is_not_linked_yet_is_found_exactly),
        cmocka_unit_test(replacing_half_keeps_recall_and_uses_memory_again),
        cmocka_unit_test(removed_rows_never_appear_and_all_may_go),
        cmocka_unit_test(a_stopped_step_is_continued_by_the_next),
        cmocka_unit_test(an_old_snapshot_sees_what_it_saw),
        cmocka_unit_test(the_same_rows_make_the_same_graph_on_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
