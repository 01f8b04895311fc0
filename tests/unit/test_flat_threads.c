/* test_flat_threads.c - one writer and many readers of a flat index: every snapshot is exactly one state of it.
 *
 * The history is a function of the sequence, so a reader knows what its snapshot must hold without asking the writer.
 * Step i touches slot i % SLOTS: sequence 2i + 1 puts a vector whose elements are all 2i + 1, and on every third step
 * sequence 2i removes the slot before. */
#include "index/flat.h"
#include "platform/platform.h"
#include "platform/thread.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 40, DIM = 11, STEPS = 50000, READERS = 5, HELD_MAX = 26 };

typedef struct course {
    flat *index;
    bool strings;
    atomic_bool over;
    atomic_int wrong, searches;
    uint64_t seed;
    size_t held; /* snapshots a reader holds */
} course;

static bool removes(uint64_t step) { return step % 3 == 0 && step >= SLOTS; }

/* The last step that has touched slot at a sequence; false when the slot is empty then. */
static bool state_at(uint64_t sequence, uint64_t slot, uint64_t *value)
{
    uint64_t step = sequence / 2;
    bool half = sequence % 2 == 0; /* step's put is yet to come */
    if (half && removes(step) && step % SLOTS == slot) return false;
    if (half && step-- == 0) return false;
    if (step < slot) return false;
    *value = 2 * (step - (step - slot) % SLOTS) + 1;
    return true;
}

static void put(course *c, uint64_t step)
{
    float vector[DIM];
    char text[32];
    snprintf(text, sizeof(text), "id of slot %d", (int)(step % SLOTS));
    evdb_id id = { .number = (int64_t)(step % SLOTS) };
    if (c->strings) id.text = text, id.length = strlen(text);
    for (size_t i = 0; i < DIM; i++) vector[i] = (float)(2 * step + 1);
    if (flat_put(c->index, step % SLOTS, 2 * step + 1, &id, vector, NULL) != EVDB_OK) atomic_fetch_add(&c->wrong, 1);
}

static void write_all(course *c)
{
    for (uint64_t step = 0; step < STEPS; step++) {
        if (removes(step)) flat_remove(c->index, step % SLOTS, 2 * step);
        flat_publish(c->index, 2 * step);
        put(c, step);
        flat_publish(c->index, 2 * step + 1);
    }
    atomic_store(&c->over, true);
}

static int64_t slot_of(const flat_snapshot *s, uint32_t row)
{
    evdb_id id = flat_id(s, row);
    return id.text ? strtol(id.text + strlen("id of slot "), NULL, 10) : id.number;
}

/* True when the snapshot holds what its sequence says, each record once. */
static bool exact(const flat_snapshot *s)
{
    static const float origin[2 * DIM];
    hit hits[2 * (SLOTS + 1)];
    size_t found[2], expected = 0;
    uint64_t value;
    /* two queries, so that a tile's rows are looked at twice */
    flat_query q = { .queries = origin, .count = 2, .stride = DIM, .k = SLOTS + 1, .radius = INFINITY, .threads = 1 };
    if (flat_search(s, &q, hits, found, NULL, NULL) != EVDB_OK) return false;
    for (uint64_t slot = 0; slot < SLOTS; slot++) expected += state_at(s->sequence, slot, &value);
    if (found[0] != expected || found[1] != expected) return false;
    bool seen[SLOTS] = { false };
    for (size_t i = 0; i < expected; i++) {
        int64_t slot = slot_of(s, hits[i].row);
        if (slot < 0 || slot >= SLOTS || seen[slot] || !state_at(s->sequence, (uint64_t)slot, &value)) return false;
        seen[slot] = true;
        if (hits[i].distance != (float)(value * DIM)) return false;
    }
    return memcmp(hits, hits + SLOTS + 1, expected * sizeof(*hits)) == 0;
}

static void check(course *c, const flat_snapshot *s)
{
    if (!exact(s)) atomic_fetch_add(&c->wrong, 1);
    atomic_fetch_add(&c->searches, 1);
}

/* Keeps c->held snapshots in a ring: each is searched when it is new and again when it is the oldest. */
static void read_all(course *c, uint64_t random)
{
    flat_snapshot ring[HELD_MAX], extra;
    for (size_t i = 0; i < c->held; i++) flat_begin(c->index, &ring[i]);
    for (size_t turn = 0, last = 0; !last; turn++) {
        flat_snapshot *s = &ring[turn % c->held];
        last = atomic_load(&c->over);
        check(c, s);
        flat_end(s);
        flat_begin(c->index, s);
        check(c, s);
        if (seed_below(&random, 4)) continue;
        flat_begin(c->index, &extra); /* snapshots end in any order */
        if (extra.sequence < s->sequence) atomic_fetch_add(&c->wrong, 1);
        check(c, &extra);
        flat_end(&extra);
    }
    for (size_t i = 0; i < c->held; i++) {
        check(c, &ring[i]);
        flat_end(&ring[i]);
    }
}

/* Part 0 writes: it runs on the caller's thread, so the readers follow it where no other thread can be started. */
static void take_part(void *context, size_t part)
{
    course *c = context;
    if (part == 0) write_all(c);
    else read_all(c, c->seed + part);
}

static void run(uint64_t seed, bool strings, size_t held)
{
    course c = { .strings = strings, .seed = seed, .held = held };
    flat_options o = { .mem = &platform_real.mem, .kernel = kernel_best(), .dim = DIM, .metric = EVDB_MANHATTAN,
                       .string_ids = strings };
    assert_int_equal(flat_create(&o, &c.index, NULL), EVDB_OK);
    thread_share(1 + READERS, take_part, &c); /* a pthread_create for each reader */
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_true(atomic_load(&c.searches) >= READERS);
    assert_true(flat_count(c.index) == SLOTS);
    printf("%d searches during %d changes\n", atomic_load(&c.searches), 2 * STEPS);
    flat_free(c.index);
}

static uint64_t random_seed;

static void every_snapshot_is_one_state_while_rows_are_replaced_and_removed(void **state)
{
    (void)state;
    run(seed_next(&random_seed), false, 1);
}

static void ids_stay_with_their_rows_while_memory_is_used_again(void **state)
{
    (void)state;
    run(seed_next(&random_seed), true, 2);
}

static void readers_beyond_the_registered_ones_are_safe_too(void **state)
{
    (void)state;
    run(seed_next(&random_seed), true, HELD_MAX); /* 130 and more, about as many as there are places */
}

int main(void)
{
    random_seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_snapshot_is_one_state_while_rows_are_replaced_and_removed),
        cmocka_unit_test(ids_stay_with_their_rows_while_memory_is_used_again),
        cmocka_unit_test(readers_beyond_the_registered_ones_are_safe_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
