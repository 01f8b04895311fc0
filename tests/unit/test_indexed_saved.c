/* test_indexed_saved.c - index/saved.h: an index as bytes, and back. */
#include "indexed_world.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct part {
    char name[16];
    char *at;
    size_t size, room;
} part;

typedef struct kept {
    part parts[24];
    size_t count;
    int released;
} kept;

static evdb_status keep_begin(void *context, const char *name, evdb_error *err)
{
    kept *k = context;
    (void)err;
    assert_true(k->count < 24);
    memcpy(k->parts[k->count++].name, name, strlen(name) + 1);
    return EVDB_OK;
}

static evdb_status keep_write(void *context, const void *bytes, size_t size, evdb_error *err)
{
    kept *k = context;
    part *p = &k->parts[k->count - 1];
    (void)err;
    if (p->size + size > p->room) {
        p->room = (p->size + size) * 2;
        p->at = realloc(p->at, p->room);
        assert_non_null(p->at);
    }
    memcpy(p->at + p->size, bytes, size);
    p->size += size;
    return EVDB_OK;
}

static evdb_status keep_find(void *context, const char *name, size_t size, const void **out, size_t *found, evdb_error *err)
{
    kept *k = context;
    (void)err;
    for (size_t i = 0; i < k->count; i++) {
        if (strcmp(k->parts[i].name, name) != 0 || (size != SIZE_MAX && k->parts[i].size != size)) continue;
        *out = k->parts[i].at;
        if (found) *found = k->parts[i].size;
        return EVDB_OK;
    }
    return EVDB_CORRUPT;
}

static void keep_release(void *owner) { ((kept *)owner)->released++; }

static void keep_free(kept *k)
{
    for (size_t i = 0; i < k->count; i++) free(k->parts[i].at);
}

static void expect_sound(const indexed *x)
{
    char text[160] = "";
    if (indexed_problem(x, text, sizeof(text))) fail_msg("%s", text);
}

static void what_was_saved_is_found_again_and_goes_on(void **state)
{
    (void)state;
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_COSINE, EVDB_MANHATTAN, EVDB_IP };
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
        kept k = { .count = 0 };
        world w = world_make(metrics[m]), again = { 0 };
        flat_snapshot s;
        world_fill(&w, 0, 4000);
        world_index(&w, 2);
        for (uint64_t i = 0; i < 4000; i += 7) world_take(&w, i);
        world_fill(&w, 4000, 4100); /* waiting, when it is saved */
        uint64_t there = flat_count(indexed_flat(w.x));
        flat_begin(indexed_flat(w.x), &s);
        assert_int_equal(indexed_save(w.x, &s, &(saver){ &k, keep_begin, keep_write }, NULL), EVDB_OK);
        flat_end(&s);
        indexed_options o = world_options(metrics[m]);
        assert_int_equal(indexed_load(&o, w.sequence, &(loader){ &k, keep_find }, &k, keep_release, &again.x, NULL), EVDB_OK);
        again.sequence = w.sequence;
        expect_sound(again.x);
        assert_int_equal(flat_sequence(indexed_flat(again.x)), w.sequence);
        assert_int_equal(flat_count(indexed_flat(again.x)), there);
        assert_int_equal(world_state(&again).waiting, 100);
        assert_int_equal(world_state(&again).linked, there - 100);
        expect_recall(&again, 0.96);
        assert_int_equal(world_state(&again).scans, 0);
        for (uint64_t i = 0; i < 4100; i += 3) world_put(&again, i); /* replaces, and comes again to slots that were free */
        for (uint64_t i = 1; i < 4100; i += 3) world_take(&again, i);
        world_publish(&again);
        expect_recall(&again, 0.96);
        world_index(&again, 2);
        expect_recall(&again, 0.96);
        indexed_free(w.x);
        indexed_free(again.x);
        assert_int_equal(k.released, 1);
        keep_free(&k);
    }
}

static void a_graph_without_a_tail_is_walked_once_it_is_loaded(void **state)
{
    (void)state;
    kept k = { .count = 0 };
    world w = world_make(EVDB_COSINE), again = { 0 };
    indexed_options o = world_options(EVDB_COSINE);
    flat_snapshot s;
    world_fill(&w, 0, 3000);
    world_index(&w, 2);
    flat_begin(indexed_flat(w.x), &s);
    assert_int_equal(indexed_save(w.x, &s, &(saver){ &k, keep_begin, keep_write }, NULL), EVDB_OK);
    flat_end(&s);
    assert_int_equal(indexed_load(&o, w.sequence, &(loader){ &k, keep_find }, &k, keep_release, &again.x, NULL), EVDB_OK);
    expect_recall(&again, 0.96);
    assert_int_equal(world_state(&again).scans, 0);
    indexed_free(w.x);
    indexed_free(again.x);
    keep_free(&k);
}

static void expect_damage_is_refused(evdb_metric metric)
{
    enum { KIND_AT = 28 }; /* in the graph's head */
    kept k = { .count = 0 };
    world w = world_make(metric);
    flat_snapshot s;
    indexed *x = NULL;
    world_fill(&w, 0, 600);
    world_index(&w, 1);
    flat_begin(indexed_flat(w.x), &s);
    assert_int_equal(indexed_save(w.x, &s, &(saver){ &k, keep_begin, keep_write }, NULL), EVDB_OK);
    flat_end(&s);
    indexed_options o = world_options(metric);
    loader from = { &k, keep_find };
    for (size_t i = 0; i < k.count; i++) {
        if (!k.parts[i].size) continue;
        k.parts[i].size--;
        assert_int_equal(indexed_load(&o, 1, &from, &k, keep_release, &x, NULL), EVDB_CORRUPT);
        k.parts[i].size++;
    }
    for (size_t i = 0; i < k.count; i++) {
        bool links = strcmp(k.parts[i].name, "links") == 0 || strcmp(k.parts[i].name, "upper") == 0;
        if (!links) continue;
        k.parts[i].at[7] = 0x7f;
        assert_int_equal(indexed_load(&o, 1, &from, &k, keep_release, &x, NULL), EVDB_CORRUPT);
        k.parts[i].at[7] = 0;
    }
    for (size_t i = 0; i < k.count; i++) {
        if (strcmp(k.parts[i].name, "graph") != 0) continue;
        k.parts[i].at[KIND_AT] ^= 1;
        assert_int_equal(indexed_load(&o, 1, &from, &k, keep_release, &x, NULL), EVDB_CORRUPT);
        k.parts[i].at[KIND_AT] ^= 1;
    }
    o.flat.metric = metric == EVDB_COSINE ? EVDB_IP : EVDB_COSINE;
    assert_int_equal(indexed_load(&o, 1, &from, &k, keep_release, &x, NULL), EVDB_CORRUPT);
    assert_int_equal(k.released, 0);
    indexed_free(w.x);
    keep_free(&k);
}

static void a_part_of_the_wrong_size_or_with_links_to_nowhere_is_refused(void **state)
{
    (void)state;
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_COSINE, EVDB_MANHATTAN, EVDB_IP };
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) expect_damage_is_refused(metrics[m]);
}

static part *part_of(kept *k, const char *name)
{
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->parts[i].name, name) == 0) return &k->parts[i];
    fail_msg("no part %s", name);
    return NULL;
}

/* What is said of a graph whose node 0 has these first two links; they are as they were afterwards. */
static void expect_problem(kept *k, const indexed_options *o, uint32_t first, uint32_t second, const char *expected)
{
    uint32_t before[2], links[2] = { first, second };
    char text[160] = "";
    indexed *x = NULL;
    part *p = part_of(k, "links");
    memcpy(before, p->at, sizeof(before));
    memcpy(p->at, links, sizeof(links));
    assert_int_equal(indexed_load(o, 1, &(loader){ k, keep_find }, k, keep_release, &x, NULL), EVDB_OK);
    assert_true(indexed_problem(x, text, sizeof(text)));
    assert_string_equal(text, expected);
    indexed_free(x);
    memcpy(p->at, before, sizeof(before));
}

static void links_that_cannot_be_are_told_or_refused(void **state)
{
    (void)state;
    kept k = { .count = 0 };
    world w = world_make(EVDB_EUCLIDEAN);
    indexed_options o = world_options(EVDB_EUCLIDEAN);
    flat_snapshot s;
    indexed *x = NULL;
    uint32_t low = 0;
    world_fill(&w, 0, 600);
    world_index(&w, 2);
    flat_begin(indexed_flat(w.x), &s);
    assert_int_equal(indexed_save(w.x, &s, &(saver){ &k, keep_begin, keep_write }, NULL), EVDB_OK);
    flat_end(&s);
    expect_problem(&k, &o, 0, 1, "node 0 has a link to itself");
    expect_problem(&k, &o, 1, 1, "node 0 has a link twice");
    expect_problem(&k, &o, UINT32_MAX, 1, "node 0 has a link behind its last");
    while (part_of(&k, "levels")->at[low]) low++;
    memcpy(part_of(&k, "uplinks")->at + o.m * sizeof(low), &low, sizeof(low)); /* the first row is not used */
    assert_int_equal(indexed_load(&o, 1, &(loader){ &k, keep_find }, &k, keep_release, &x, NULL), EVDB_CORRUPT);
    indexed_free(w.x);
    keep_free(&k);
}

int main(void)
{
    world_seed(seed_print());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_found_again_and_goes_on),
        cmocka_unit_test(a_graph_without_a_tail_is_walked_once_it_is_loaded),
        cmocka_unit_test(links_that_cannot_be_are_told_or_refused),
        cmocka_unit_test(a_part_of_the_wrong_size_or_with_links_to_nowhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
