/* together.c - implements together.h. */
#include "together.h"
#include "tree.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void together_wait_until(_Atomic uint32_t *value, uint32_t wanted)
{
    while (atomic_load(value) < wanted) sched_yield();
}

void together_wait_for_all(together *s, uint32_t count)
{
    atomic_fetch_add(&s->ready, 1);
    together_wait_until(&s->ready, count);
}

void together_vector(int64_t n, float out[TOGETHER_DIM])
{
    for (int i = 0; i < TOGETHER_DIM; i++) out[i] = (float)((n * 37 + i * i * 11) % 101) + (float)n / 16;
}

together *together_begin(bool with_store)
{
    together *s = shared_memory(sizeof(*s));
    char *dir = dir_new();
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb *db;
    evdb_error err;
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    free(dir);
    signal_open(&s->reached);
    if (!with_store) return s;
    o.metric = EVDB_EUCLIDEAN;
    assert_int_equal(evdb_open(s->dir, NULL, &db, &err), EVDB_OK);
    assert_int_equal(evdb_store_create(db, "s", &o, NULL, &err), EVDB_OK);
    evdb_close(db);
    return s;
}

void together_sound(const char *path)
{
    evdb *db;
    evdb_verify_report report;
    evdb_error err;
    assert_int_equal(evdb_open(path, NULL, &db, &err), EVDB_OK);
    assert_int_equal(evdb_verify(db, NULL, NULL, NULL, &report, &err), EVDB_OK);
    assert_int_equal(report.problems, 0);
    evdb_close(db);
}

void together_end(together *s)
{
    together_sound(s->dir);
    signal_close(&s->reached);
    dir_remove(strdup(s->dir));
    shared_memory_free(s, sizeof(*s));
}

/* Runs body in `count` processes at once; all must end well. */
void together_run(together *s, int (*body)(void *context), uint32_t count)
{
    together_process processes[TOGETHER_MAX];
    pid_t pids[TOGETHER_MAX];
    assert_true(count <= TOGETHER_MAX);
    atomic_store(&s->ready, 0);
    for (uint32_t i = 0; i < count; i++) {
        processes[i] = (together_process){ s, i };
        pids[i] = child_start(body, &processes[i]);
    }
    for (uint32_t i = 0; i < count; i++) assert_int_equal(child_wait(pids[i]), 0);
}
