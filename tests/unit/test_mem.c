/* test_mem.c - base/mem.h and base/buf.h: sizes that overflow, allocation that fails, blocks that know their allocator. */
#include "base/buf.h"
#include "base/mem.h"
#include "expect.h"
#include <stdlib.h>
#include <string.h>

typedef struct purse { long blocks, left; } purse; /* left: allocations before they begin to fail */

static void *take(void *context, size_t bytes)
{
    purse *p = context;
    if (p->left-- <= 0) return NULL;
    p->blocks++;
    return malloc(bytes);
}

static void *retake(void *context, void *block, size_t bytes)
{
    purse *p = context;
    if (p->left-- <= 0) return NULL;
    if (!block) p->blocks++;
    return realloc(block, bytes);
}

static void give(void *context, void *block)
{
    purse *p = context;
    if (block) p->blocks--;
    free(block);
}

static evdb_allocator from(purse *p) { return (evdb_allocator){ p, take, retake, give }; }

static void sizes_that_overflow_are_out_of_memory(void **state)
{
    purse p = { .left = 100 };
    evdb_allocator mem = from(&p);
    (void)state;
    assert_null(mem_array(&mem, SIZE_MAX / 2, 3));
    assert_null(mem_resize(&mem, NULL, SIZE_MAX, 2));
    assert_null(mem_text(&mem, "x", SIZE_MAX));
    assert_null(mem_owned(&mem, SIZE_MAX));
    assert_int_equal(p.blocks, 0);
    assert_int_equal(p.left, 100); /* nobody was asked */
}

static void nothing_is_a_block_of_its_own(void **state)
{
    purse p = { .left = 100 };
    evdb_allocator mem = from(&p);
    void *a = mem_alloc(&mem, 0), *b = mem_array(&mem, 0, 8), *c = mem_resize(&mem, NULL, 0, 8);
    char *text = mem_text(&mem, NULL, 0);
    (void)state;
    assert_true(a && b && c && a != b && b != c);
    assert_string_equal(text, "");
    mem_free(&mem, a);
    mem_free(&mem, b);
    mem_free(&mem, c);
    mem_free(&mem, text);
    mem_free(&mem, NULL);
    assert_int_equal(p.blocks, 0);
}

static void an_owned_block_is_zeroed_aligned_and_finds_its_way_back(void **state)
{
    purse p = { .left = 100 };
    (void)state;
    for (size_t size = 0; size < 70; size += 7) {
        evdb_allocator mem = from(&p);
        char *block = mem_owned(&mem, size);
        memset(&mem, 0, sizeof(mem)); /* remembered, not borrowed */
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(block[i], 0);
        assert_int_equal(p.blocks, 1);
        mem_owned_free(block);
        assert_int_equal(p.blocks, 0);
    }
    mem_owned_free(NULL);
}

static void a_buffer_grows_and_keeps_its_content(void **state)
{
    purse p = { .left = 100 };
    evdb_allocator mem = from(&p);
    buf b;
    (void)state;
    buf_init(&b, &mem);
    for (int i = 0; i < 5000; i++) assert_true(buf_byte(&b, (char)i));
    assert_true(buf_text(&b, "text"));
    assert_true(buf_add(&b, NULL, 0));
    assert_true(buf_terminate(&b));
    assert_int_equal(b.size, 5004);
    for (int i = 0; i < 5000; i++) assert_int_equal(b.at[i], (char)i);
    assert_string_equal(b.at + 5000, "text");
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_false(buf_reserve(&b, SIZE_MAX - 5004));
    assert_int_equal(b.size, 5004);
    buf_free(&b);
    buf_free(&b);
    assert_int_equal(p.blocks, 0);
    assert_int_equal(b.size, 0);
}

static void a_failed_append_leaves_the_buffer_unchanged(void **state)
{
    purse p = { .left = 1 };
    evdb_allocator mem = from(&p);
    char large[1000] = { 0 };
    buf b;
    (void)state;
    buf_init(&b, &mem);
    assert_true(buf_text(&b, "kept"));
    assert_false(buf_add(&b, large, sizeof(large)));
    assert_int_equal(b.size, 4);
    assert_memory_equal(b.at, "kept", 4);
    buf_free(&b);
    assert_int_equal(p.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_overflow_are_out_of_memory),
        cmocka_unit_test(nothing_is_a_block_of_its_own),
        cmocka_unit_test(an_owned_block_is_zeroed_aligned_and_finds_its_way_back),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_content),
        cmocka_unit_test(a_failed_append_leaves_the_buffer_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
