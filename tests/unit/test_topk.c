/* test_topk.c - lib/base/topk against sorting everything. */
#include "base/topk.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 600 };

static uint64_t seed;

static int nearer_first(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void add_all_and_compare(const hit *all, size_t n, size_t k)
{
    hit heap[MOST + 1], sorted[MOST];
    topk best;
    heap[k] = (hit){ 42, 42 }; /* must stay */
    topk_init(&best, heap, k);
    for (size_t i = 0; i < n; i++) topk_add(&best, all[i].distance, all[i].row);
    memcpy(sorted, all, n * sizeof(*all));
    qsort(sorted, n, sizeof(*sorted), nearer_first);
    size_t expected = n < k ? n : k;
    if (n >= k && k) assert_true(topk_bound(&best) == sorted[k - 1].distance);
    topk_sort(&best);
    assert_int_equal(best.count, expected);
    for (size_t i = 0; i < expected; i++) {
        assert_true(heap[i].distance == sorted[i].distance);
        assert_int_equal(heap[i].row, sorted[i].row);
    }
    assert_int_equal(heap[k].row, 42);
}

static void the_k_nearest_of_any_order_come_out_sorted(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        hit all[MOST];
        size_t n = seed_next(&seed) % MOST, k = 1 + seed_next(&seed) % (MOST - 1);
        uint64_t kinds = 1 + seed_next(&seed) % 1000; /* few kinds: many equal distances */
        for (size_t i = 0; i < n; i++) all[i] = (hit){ (float)(seed_next(&seed) % kinds) - 100, (uint32_t)i };
        for (size_t i = n; i > 1; i--) { /* rows in any order */
            size_t j = seed_next(&seed) % i;
            hit swap = all[i - 1];
            all[i - 1] = all[j];
            all[j] = swap;
        }
        add_all_and_compare(all, n, k);
    }
}

static void infinite_distances_are_kept_until_nearer_ones_come(void **state)
{
    (void)state;
    const hit all[] = { { INFINITY, 0 }, { INFINITY, 1 }, { 7, 2 }, { -INFINITY, 3 }, { -0.0f, 4 }, { 0, 5 } };
    for (size_t k = 1; k <= 6; k++) add_all_and_compare(all, sizeof(all) / sizeof(*all), k);
}

static void among_equal_distances_the_lower_row_wins(void **state)
{
    (void)state;
    const hit all[] = { { 1, 9 }, { 1, 3 }, { 1, 7 }, { 1, 1 } };
    for (size_t k = 1; k <= 4; k++) add_all_and_compare(all, 4, k);
}

static void everything_enters_until_k_were_seen_and_nothing_enters_a_heap_of_none(void **state)
{
    (void)state;
    hit heap[2];
    topk best;
    topk_init(&best, heap, 2);
    topk_add(&best, 5, 0);
    assert_true(topk_bound(&best) == INFINITY);
    topk_add(&best, 3, 1);
    assert_true(topk_bound(&best) == 5);
    topk_add(&best, 4, 2);
    assert_true(topk_bound(&best) == 4);
    topk_init(&best, NULL, 0);
    assert_true(topk_bound(&best) == -INFINITY);
    topk_add(&best, -1, 0);
    topk_sort(&best);
    assert_int_equal(best.count, 0);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_k_nearest_of_any_order_come_out_sorted),
        cmocka_unit_test(infinite_distances_are_kept_until_nearer_ones_come),
        cmocka_unit_test(among_equal_distances_the_lower_row_wins),
        cmocka_unit_test(everything_enters_until_k_were_seen_and_nothing_enters_a_heap_of_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
