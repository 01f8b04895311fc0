/* test_flat_memory.c - what a flat index allocates, what it says of it, and what it does when there is no more. */
#include "index/flat.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An allocator that counts and that ends. Each block is preceded by its size. */
typedef struct scarce {
    size_t left; /* allocations */
    long blocks;
    size_t bytes;
} scarce;

enum { HEAD = 64, CHUNK = 1024, TEXT_MAX = 64 };

static void scarce_release(void *context, void *block)
{
    scarce *s = context;
    if (!block) return;
    s->blocks--;
    s->bytes -= *(size_t *)(void *)((char *)block - HEAD);
    free((char *)block - HEAD);
}

static void *scarce_resize(void *context, void *block, size_t bytes)
{
    scarce *s = context;
    if (!s->left) return NULL;
    size_t old = block ? *(size_t *)(void *)((char *)block - HEAD) : 0;
    char *new = realloc(block ? (char *)block - HEAD : NULL, HEAD + bytes);
    if (!new) return NULL;
    s->left--;
    s->blocks += block == NULL;
    s->bytes += bytes - old;
    *(size_t *)(void *)new = bytes;
    return new + HEAD;
}

static void *scarce_take(void *context, size_t bytes) { return scarce_resize(context, NULL, bytes); }

static evdb_allocator allocator(scarce *s) { return (evdb_allocator){ s, scarce_take, scarce_resize, scarce_release }; }

static evdb_status make(const evdb_allocator *mem, evdb_metric metric, bool strings, flat **out, evdb_error *err)
{
    flat_options o = { .mem = mem, .kernel = kernel_best(), .dim = 2, .metric = metric, .string_ids = strings };
    return flat_create(&o, out, err);
}

/* The ids are "1", "2" .. or the numbers. Slots have gaps, as they have on disk. */
static evdb_status put(flat *f, uint64_t i, uint64_t sequence, evdb_error *err)
{
    char text[TEXT_MAX];
    int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
    evdb_id id = { .number = (int64_t)i, .text = text, .length = (size_t)length };
    return flat_put(f, i * 3, sequence, &id, (float[]){ 1, (float)i }, err);
}

static size_t all_rows(flat *f, hit *hits, uint32_t most)
{
    size_t found;
    flat_snapshot now;
    flat_query q = { .queries = (float[]){ 1, 0 }, .count = 1, .k = most, .radius = INFINITY, .threads = 1 };
    flat_begin(f, &now);
    assert_int_equal(flat_search(&now, &q, hits, &found, NULL, NULL), EVDB_OK);
    flat_end(&now);
    return found;
}

static void fill_until_memory_ends(evdb_metric metric, bool strings)
{
    enum { ROWS = 1500 };
    static hit hits[ROWS + 1];
    bool failed = true;
    for (size_t allocations = 0; failed; allocations += allocations < 40 ? 1 : 97) {
        scarce s = { .left = allocations };
        evdb_allocator mem = allocator(&s);
        evdb_error err;
        flat *f = NULL;
        uint64_t done = 0;
        failed = make(&mem, metric, strings, &f, &err) != EVDB_OK;
        for (; !failed && done < ROWS; done += !failed) failed = put(f, done, done + 1, &err) != EVDB_OK;
        if (failed) {
            assert_int_equal(err.status, EVDB_NO_MEMORY);
            assert_non_null(strstr(err.message, "out of memory"));
        }
        if (f) {
            flat_publish(f, ROWS + 1);
            assert_true(flat_count(f) == done);
            assert_int_equal(all_rows(f, hits, ROWS + 1), done);
            s.left = 100; /* and goes on when there is some again */
            assert_int_equal(put(f, done, ROWS + 2, &err), EVDB_OK);
            flat_publish(f, ROWS + 2);
            assert_int_equal(all_rows(f, hits, ROWS + 1), done + 1);
        }
        flat_free(f);
        assert_int_equal(s.blocks, 0);
        assert_int_equal(s.bytes, 0);
    }
}

static void running_out_of_memory_anywhere_leaves_the_index_as_it_was(void **state)
{
    (void)state;
    fill_until_memory_ends(EVDB_COSINE, true);
    fill_until_memory_ends(EVDB_COSINE, false);
    fill_until_memory_ends(EVDB_MANHATTAN, false);
    flat_free(NULL);
}

static void a_replacement_that_fails_leaves_the_old_record(void **state)
{
    (void)state;
    scarce s = { .left = 1000 };
    evdb_allocator mem = allocator(&s);
    evdb_error err;
    flat *f;
    hit hits[2];
    assert_int_equal(make(&mem, EVDB_EUCLIDEAN, true, &f, &err), EVDB_OK);
    assert_int_equal(put(f, 0, 1, &err), EVDB_OK);
    flat_publish(f, 1);
    uint64_t before = flat_memory(f);
    s.left = 0;
    evdb_id other = { .text = "other", .length = 5 };
    assert_int_equal(flat_put(f, 0, 2, &other, (float[]){ 7, 7 }, &err), EVDB_NO_MEMORY);
    flat_publish(f, 2);
    assert_true(flat_count(f) == 1);
    assert_true(flat_memory(f) == before);
    assert_int_equal(all_rows(f, hits, 2), 1);
    assert_true(hits[0].distance == 0);
    flat_snapshot now;
    flat_begin(f, &now);
    assert_string_equal(flat_id(&now, hits[0].row).text, "0");
    flat_end(&now);
    flat_free(f);
    assert_int_equal(s.blocks, 0);
}

/* An index whose chunks are full holds what it has allocated but for the alignment of its two blocks of vectors. */
static void compare_with_allocator(evdb_metric metric, bool strings)
{
    enum { SLACK = 2 * 64 };
    scarce s = { .left = SIZE_MAX };
    evdb_allocator mem = allocator(&s);
    evdb_error err;
    flat *f;
    assert_int_equal(make(&mem, metric, strings, &f, &err), EVDB_OK);
    assert_int_equal(flat_memory(f), s.bytes);
    uint64_t last = flat_memory(f);
    for (uint64_t i = 0; i < 3 * CHUNK; i++, last = flat_memory(f)) {
        assert_int_equal(put(f, i, i + 1, &err), EVDB_OK);
        assert_true(flat_memory(f) > last && flat_memory(f) <= s.bytes);
    }
    flat_publish(f, 3 * CHUNK);
    assert_int_equal(flat_memory(f) + SLACK, s.bytes);
    for (uint64_t i = 0; i < 3 * CHUNK; i++) flat_remove(f, i * 3, 3 * CHUNK + 1);
    flat_publish(f, 3 * CHUNK + 1);
    for (uint64_t i = 0; i < 3 * CHUNK; i++) assert_int_equal(put(f, i + 5000, 3 * CHUNK + 2, &err), EVDB_OK);
    assert_int_equal(flat_memory(f) + SLACK, s.bytes); /* longer ids, a longer map of slots, the same rows */
    flat_free(f);
    assert_int_equal(s.bytes, 0);
}

static void the_memory_it_states_is_what_it_has_allocated(void **state)
{
    (void)state;
    compare_with_allocator(EVDB_COSINE, true);
    compare_with_allocator(EVDB_COSINE, false);
    compare_with_allocator(EVDB_IP, true);
    compare_with_allocator(EVDB_IP, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_of_memory_anywhere_leaves_the_index_as_it_was),
        cmocka_unit_test(a_replacement_that_fails_leaves_the_old_record),
        cmocka_unit_test(the_memory_it_states_is_what_it_has_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
