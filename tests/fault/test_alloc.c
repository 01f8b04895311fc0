/* test_alloc.c - every public function with the n-th allocation failing, for every n: once, and from then on.
 *
 * Each answers EVDB_NO_MEMORY, or succeeds without the memory and then rightly. It changed nothing: the same call works
 * afterwards. Nothing leaks and verify is content. */
#include "alloc_calls.h"
#include "gated.h"
#include "tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ALLOCATIONS_MAX = 3000 };

static void build(alloc_scene *s, const tree *model)
{
    evdb_error err;
    tree_write(model, s->dir);
    must(alloc_open(s, &s->db, &err), &err, "open");
    must(evdb_store_open(s->db, "s", &s->store, &err), &err, "open the store");
}

/* One attempt; false when the call does not get as far as allocation n. */
static bool attempt(const alloc_call *call, const tree *model, char *dir, long n, bool once)
{
    alloc_scene s = { .dir = dir };
    evdb_error err;
    build(&s, model);
    s.memory.once = once;
    atomic_store(&s.memory.asked, 0);
    atomic_store(&s.memory.fail_at, n);
    evdb_status rc = call->act(&s, &err);
    bool reached = atomic_load(&s.memory.asked) >= n;
    atomic_store(&s.memory.fail_at, 0);
    if (rc != EVDB_OK && rc != EVDB_NO_MEMORY)
        fail_msg("%s, allocation %ld fails%s: %s: %s", call->name, n, once ? "" : " and all later ones",
                 evdb_status_name(rc), err.message);
    if (rc != EVDB_OK) {
        assert_int_equal(err.status, EVDB_NO_MEMORY);
        rc = call->act(&s, &err);
        if (rc != EVDB_OK)
            fail_msg("%s after allocation %ld failed: %s: %s", call->name, n, evdb_status_name(rc), err.message);
    }
    must(alloc_verify(&s, &err), &err, call->name);
    evdb_store_close(s.store);
    evdb_close(s.db);
    if (atomic_load(&s.memory.live))
        fail_msg("%s, allocation %ld: %ld blocks leak", call->name, n, atomic_load(&s.memory.live));
    return reached;
}

static void each_allocation_may_fail(void **state)
{
    const tree *model = *state;
    char *dir = dir_new();
    for (size_t i = 0; i < alloc_calls_count; i++) {
        long n = 1;
        for (int once = 0; once < 2; once++)
            for (n = 1; attempt(&alloc_calls[i], model, dir, n, once); n++) assert_true(n < ALLOCATIONS_MAX);
        printf("%s: %ld allocations\n", alloc_calls[i].name, n - 1);
    }
    dir_remove(dir);
}

static int make_model(void **state)
{
    static tree model;
    alloc_scene s = { .dir = dir_new() };
    bool made = alloc_build(&s);
    model = tree_read(s.dir);
    dir_remove(s.dir);
    *state = &model;
    return made ? 0 : -1;
}

static int free_model(void **state)
{
    tree_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_model, free_model);
}
