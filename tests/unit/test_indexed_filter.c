/* test_indexed_filter.c - searching for some rows only: by codes or by a walk, the tail beside them, and never too few. */
#include "base/mem.h"
#include "expect.h"
#include "indexed_world.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <string.h>

enum { ROWS = 6000, TAIL = 700, QUERIES = 20, WORDS = (2 * ROWS + 63) / 64 };

/* The slots of one in so many, or of a stretch of neighbours. */
static void choose(uint64_t slots[WORDS], uint32_t percent, bool together)
{
    memset(slots, 0, WORDS * sizeof(*slots));
    for (uint32_t i = 0; i < ROWS + TAIL; i++) {
        bool in = together ? i % 1000 < 10 * percent : world_random() % 100 < percent;
        if (in) slots[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static bool has(const hit *hits, size_t count, uint32_t row)
{
    for (size_t i = 0; i < count; i++)
        if (hits[i].row == row) return true;
    return false;
}

/* The share of what an exact search of the chosen rows finds. */
static double recall(world *w, const uint64_t *slots)
{
    flat_snapshot s;
    row_set only;
    size_t right = 0, wanted = 0;
    flat_begin(indexed_flat(w->x), &s);
    ok(flat_select(&s, slots, WORDS * 64, &only, &why));
    for (int i = 0; i < QUERIES; i++) {
        float v[WORLD_DIM];
        hit exact[WORLD_K], found[WORLD_K];
        size_t exact_count, count;
        world_vector(v);
        flat_query q = { .queries = v, .count = 1, .stride = WORLD_DIM, .k = WORLD_K, .radius = INFINITY, .threads = 1, .only = &only };
        assert_int_equal(flat_search(&s, &q, exact, &exact_count, NULL, NULL), EVDB_OK);
        ok(indexed_search(w->x, &s, &q, WORLD_EF, found, &count, &why));
        assert_int_equal(exact_count, only.count < WORLD_K ? only.count : WORLD_K);
        assert_int_equal(count, exact_count);
        for (size_t j = 0; j < count; j++) {
            assert_true(row_set_has(&only, found[j].row) && flat_visible(&s, found[j].row));
            assert_true(j == 0 || found[j].distance >= found[j - 1].distance);
            assert_true(!has(found, j, found[j].row));
            right += has(exact, exact_count, found[j].row);
        }
        wanted += exact_count;
    }
    mem_free(&platform_real.mem, only.bits);
    flat_end(&s);
    return wanted ? (double)right / (double)wanted : 1;
}

static void expect_found(world *w)
{
    static const uint32_t percents[] = { 0, 1, 10, 50, 97, 100 };
    static uint64_t slots[WORDS];
    for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++)
        for (int together = 0; together < 2; together++) {
            choose(slots, percents[i], together);
            double found = recall(w, slots);
            if (found < 0.97) fail_msg("%u %%: recall %.3f", percents[i], found);
        }
}

static void some_rows_are_found_whatever_their_share_and_wherever_they_are(void **state)
{
    (void)state;
    static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_IP };
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
        world_seed(seed_print());
        world w = world_make(metrics[m]);
        world_fill(&w, 0, ROWS);
        expect_found(&w);
        world_index(&w, 2);
        expect_found(&w);
        world_fill(&w, ROWS, ROWS + TAIL); /* in the tail */
        for (uint64_t i = 0; i < ROWS; i += 11) world_take(&w, i);
        world_publish(&w);
        for (uint64_t i = 5; i < ROWS; i += 11) world_put(&w, i);
        world_publish(&w);
        expect_found(&w);
        world_index(&w, 2);
        expect_found(&w);
        indexed_free(w.x);
    }
}

static void a_set_is_of_its_snapshot(void **state)
{
    (void)state;
    world_seed(seed_print());
    world w = world_make(EVDB_EUCLIDEAN);
    uint64_t slots = 0x7f;
    flat_snapshot before, after;
    row_set then, now;
    world_fill(&w, 0, 10);
    flat_begin(indexed_flat(w.x), &before);
    world_take(&w, 3);
    world_put(&w, 5);
    world_publish(&w);
    flat_begin(indexed_flat(w.x), &after);
    ok(flat_select(&before, &slots, 64, &then, &why));
    ok(flat_select(&after, &slots, 6, &now, &why)); /* slots from 6 on have no bits */
    assert_int_equal(then.count, 7);
    assert_int_equal(now.count, 5);
    assert_true(row_set_has(&then, 3) && !row_set_has(&now, 3));
    assert_true(row_set_has(&then, 5) && !row_set_has(&now, 5) && row_set_has(&now, 10) && !row_set_has(&then, 10));
    assert_int_equal(row_set_next(&now, 3, 9), 4);
    assert_int_equal(row_set_next(&now, 5, 9), 9);
    assert_int_equal(row_set_next(&now, 5, UINT32_MAX), 10);
    mem_free(&platform_real.mem, then.bits);
    mem_free(&platform_real.mem, now.bits);
    flat_end(&before);
    flat_end(&after);
    indexed_free(w.x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_rows_are_found_whatever_their_share_and_wherever_they_are),
        cmocka_unit_test(a_set_is_of_its_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
