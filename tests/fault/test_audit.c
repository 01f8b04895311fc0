/* test_audit.c - the audit log under several processes, kill -9, a full disk, and files that fail.
 *   EVDB_KILLS=n  rounds of kill -9 (20) */
#include "children.h"
#include "expect.h"
#include "gated.h"
#include "seed.h"
#include "small_disk.h"
#include "tree.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 3, EACH = 40, KILLS = 20, FULL_ENTRIES = 50 };

static evdb_status append(evdb *db, const char *who, uint64_t *number, evdb_error *err)
{
    evdb_audit_act act = EVDB_AUDIT_ACT;
    act.who = who;
    act.via = "test";
    act.act = "nothing";
    return evdb_audit_append(db, &act, number, err);
}

static void print(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

/* Sound, with this many entries or more; how many there are. */
static uint64_t sound(evdb *db, uint64_t least)
{
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    ok(evdb_audit_verify(db, NULL, print, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    assert_true(report.entries >= least);
    return report.entries;
}

typedef struct scene {
    char *dir;
    signal_pipe begun;
    atomic_ulong acknowledged; /* the highest number that a child was told */
} scene;

static scene *scene_new(void)
{
    scene *s = shared_memory(sizeof(*s));
    evdb *db;
    s->dir = dir_new();
    ok(evdb_open(s->dir, NULL, &db, &why));
    evdb_close(db);
    signal_open(&s->begun);
    return s;
}

static void scene_end(scene *s)
{
    signal_close(&s->begun);
    dir_remove(s->dir);
    shared_memory_free(s, sizeof(*s));
}

static evdb *scene_open(const scene *s)
{
    evdb *db;
    ok(evdb_open(s->dir, NULL, &db, &why));
    return db;
}

static evdb *child_database(const scene *s)
{
    evdb *db;
    evdb_error err;
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    return db;
}

static int append_each(void *context)
{
    scene *s = context;
    evdb *db = child_database(s);
    evdb_error err;
    for (int i = 0; i < EACH; i++) {
        uint64_t number;
        child_must(append(db, "child", &number, &err), &err, "append");
        atomic_fetch_add(&s->acknowledged, number);
    }
    evdb_close(db);
    return 0;
}

static void entries_of_several_processes_take_turns(void **state)
{
    (void)state;
    scene *s = scene_new();
    pid_t children[PROCESSES];
    unsigned long all = PROCESSES * EACH;
    for (int i = 0; i < PROCESSES; i++) children[i] = child_start(append_each, s);
    for (int i = 0; i < PROCESSES; i++) assert_int_equal(child_wait(children[i]), 0);
    assert_int_equal(atomic_load(&s->acknowledged), all * (all + 1) / 2); /* each number was given once */
    evdb *db = scene_open(s);
    assert_int_equal(sound(db, 0), all);
    evdb_close(db);
    scene_end(s);
}

static int append_for_ever(void *context)
{
    scene *s = context;
    evdb *db = child_database(s);
    evdb_error err;
    for (bool alive = true; alive;) { /* until it is killed */
        uint64_t number;
        child_must(append(db, "victim", &number, &err), &err, "append");
        unsigned long known = atomic_load(&s->acknowledged);
        while (known < number && !atomic_compare_exchange_weak(&s->acknowledged, &known, number)) continue;
        signal_send(&s->begun);
    }
    return 0;
}

static void what_was_acknowledged_outlives_kill_9(void **state)
{
    (void)state;
    scene *s = scene_new();
    uint64_t seed = seed_print();
    const char *given = getenv("EVDB_KILLS");
    unsigned kills = given ? (unsigned)strtoul(given, NULL, 10) : KILLS;
    for (unsigned i = 0; i < kills; i++) {
        pid_t victims[] = { child_start(append_for_ever, s), child_start(append_for_ever, s) };
        assert_true(signal_await(&s->begun, 2 + (unsigned)seed_below(&seed, 20)));
        for (int v = 0; v < 2; v++) assert_true(child_kill(victims[v], "a writer"));
        signal_close(&s->begun); /* with what they still said */
        signal_open(&s->begun);
        evdb *db = scene_open(s);
        sound(db, atomic_load(&s->acknowledged));
        ok(append(db, "survivor", NULL, &why));
        sound(db, atomic_load(&s->acknowledged) + 1);
        evdb_close(db);
    }
    scene_end(s);
}

static void on_a_full_disk_there_is_room_for_entries(void **state)
{
    (void)state;
    char *dir = dir_new();
    evdb *db;
    if (small_disk_mount(dir, 4 << 20)) {
        char *path = dir_path(dir, "db");
        ok(evdb_open(path, NULL, &db, &why));
        ok(append(db, "before", NULL, &why));
        small_disk_fill(dir);
        uint64_t count = 1;
        evdb_status rc = EVDB_OK;
        while (rc == EVDB_OK && count < 10000) {
            rc = append(db, "on a full disk", NULL, &why);
            count += rc == EVDB_OK;
        }
        assert_int_equal(rc, EVDB_FULL);
        printf("%llu entries on a full disk\n", (unsigned long long)count - 1);
        assert_true(count > FULL_ENTRIES);
        uint64_t found = sound(db, count);
        assert_true(found <= count + 1); /* the last one is in the file, and could not be counted in system.db */
        small_disk_clear(dir);
        ok(append(db, "behind it", NULL, &why));
        assert_int_equal(sound(db, 0), found + 1);
        evdb_close(db);
        free(path);
        small_disk_unmount(dir);
    }
    dir_remove(dir);
}

/* Fails the n-th operation on the log from now on, and those after it where it is to. */
typedef struct failing_log {
    unsigned fail_at, asked;
    int how;
} failing_log;

static int fail_log(void *context, const io_event *event)
{
    failing_log *f = context;
    const char *name = event->path ? strrchr(event->path, '/') : NULL;
    bool log = name && strcmp(name, "/audit.log") == 0;
    if (log && f->fail_at && ++f->asked == f->fail_at) return f->how;
    return event->kind == IO_SYNC || event->kind == IO_SYNC_DIR ? IO_SKIP : 0;
}

static void any_operation_on_the_log_may_fail(void **state)
{
    (void)state;
    static const int errors[] = { EIO, ENOSPC };
    for (size_t e = 0; e < 2; e++) {
        failing_log f = { .how = errors[e] };
        char *dir = dir_new();
        evdb *db;
        uint64_t acknowledged = 0, number;
        bool reached = true;
        ok(gated_open((io_gate){ &f, fail_log }, dir, NULL, &db, &why));
        for (unsigned n = 1; reached; n++) {
            f.asked = 0;
            f.fail_at = n;
            evdb_status rc = append(db, "x", &number, &why);
            reached = f.asked >= n;
            f.fail_at = 0;
            if (rc == EVDB_OK) acknowledged = number;
            else assert_true(rc == EVDB_IO || rc == EVDB_FULL);
            assert_true(rc == EVDB_OK || reached);
            sound(db, acknowledged);
            ok(append(db, "y", &acknowledged, &why));
            assert_int_equal(sound(db, 0), acknowledged);
            assert_true(n < 100);
        }
        evdb_close(db);
        dir_remove(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_several_processes_take_turns),
        cmocka_unit_test(what_was_acknowledged_outlives_kill_9),
        cmocka_unit_test(any_operation_on_the_log_may_fail),
        cmocka_unit_test(on_a_full_disk_there_is_room_for_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
