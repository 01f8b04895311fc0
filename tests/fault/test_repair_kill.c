/* test_repair_kill.c - kill -9 at random moments of a repair.
 *
 * After every kill the store is the damaged one, which the next repair makes whole of all its records, or already the repaired one. In the
 * end nothing is left in `stores` but stores, and the damaged files are in quarantine.
 *   EVDB_KILLS=n  kills (12)
 *   EVDB_SEED=n   repeats a run's choices; what the kernel does in between it cannot repeat */
#include "children.h"
#include "gated.h"
#include "repair_store.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 12, PAGE = 16384, DELAY_NS_MAX = 120000000 };

typedef struct scene {
    repair_specimen specimen;
    signal_pipe begun;
} scene;

static int repair_until_killed(void *context)
{
    const scene *s = context;
    evdb *db;
    evdb_error err;
    child_must(evdb_open(s->specimen.dir, NULL, &db, &err), &err, "open");
    signal_send(&s->begun);
    child_must(evdb_store_repair(db, repair_names[REPAIR_PLAIN], NULL, NULL, &err), &err, "repair");
    while (pause() == -1) continue;
    return 1;
}

static unsigned there(const repair_specimen *s)
{
    unsigned count = 0;
    for (unsigned n = 0; n < REPAIR_IDS; n++) count += s->was[REPAIR_PLAIN][n].there;
    return count;
}

/* *again: the repair had not come to its end before. */
static void check(const scene *s, bool *again)
{
    const char *dir = s->specimen.dir;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_verify_report report;
    uint64_t count;
    must(evdb_open(dir, NULL, &db, &err), &err, "open");
    must(evdb_store_repair(db, repair_names[REPAIR_PLAIN], NULL, &r, &err), &err, "repair");
    *again = r.repaired;
    assert_true(!r.lost && !r.lost_unnamed && !r.missing_changes);
    must(evdb_store_open(db, repair_names[REPAIR_PLAIN], &store, &err), &err, "open");
    must(evdb_store_count(store, &count, &err), &err, "count");
    assert_int_equal(count, there(&s->specimen));
    evdb_store_close(store);
    must(evdb_verify(db, NULL, NULL, NULL, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 0);
    evdb_close(db);
    assert_int_equal(dir_entries(dir, "stores", false), REPAIR_KINDS);
    assert_int_equal(dir_entries(dir, "quarantine", false), 1);
}

static void wait_until(uint64_t delay)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until = now.tv_sec * 1000000000LL + now.tv_nsec + (int64_t)delay;
    while (now.tv_sec * 1000000000LL + now.tv_nsec < until) clock_gettime(CLOCK_MONOTONIC, &now);
}

static void a_killed_repair_leaves_the_old_store_or_the_new_one(void **state)
{
    (void)state;
    const char *given = getenv("EVDB_KILLS");
    unsigned kills = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)seed_tries(KILLS), unfinished = 0;
    uint64_t seed = seed_print();
    scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    repair_build(&s->specimen, REPAIR_CLOSED);
    tree_file *f = repair_file(&s->specimen, REPAIR_PLAIN, "");
    memset(f->bytes + PAGE - 500, 0x5a, 100); /* the schema's page: all records can be read, and no store opened */
    for (unsigned i = 0; i < kills; i++) {
        bool again;
        tree_write(&s->specimen.files, s->specimen.dir);
        signal_open(&s->begun);
        pid_t child = child_start(repair_until_killed, s);
        assert_true(signal_await(&s->begun, 1));
        wait_until(seed_below(&seed, DELAY_NS_MAX));
        assert_true(child_kill(child, "who repairs"));
        signal_close(&s->begun);
        check(s, &again);
        unfinished += again;
    }
    printf("%u kills, %u of them before the end of a repair\n", kills, unfinished);
    repair_free(&s->specimen);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_killed_repair_leaves_the_old_store_or_the_new_one) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
