/* test_backup_threads.c - backups and restores among threads that write, read and search: what comes back is one state of the store. */
#include "expect.h"
#include "scratch.h"
#include "tagged.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 120, READERS = 8, ROUNDS = 6 };

typedef struct scene {
    evdb *db;
    evdb_store *store;
    atomic_bool stop;
    _Atomic unsigned wrong;
    _Atomic uint64_t writes, reads;
} scene;

static void *write_on(void *context)
{
    scene *s = context;
    for (uint32_t tag = 2; !atomic_load(&s->stop); tag++) {
        if (tagged_write(s->store, ROWS, tag, NULL) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
        atomic_fetch_add(&s->writes, 1);
    }
    return NULL;
}

static void *read_on(void *context)
{
    scene *s = context;
    float q[TAGGED_DIM] = { 1 };
    for (int64_t id = 0; !atomic_load(&s->stop); id = (id + 7) % ROWS) {
        evdb_record *record = NULL;
        evdb_result *result = NULL;
        bool right = evdb_record_get(s->store, num(id), &record, NULL) == EVDB_OK && evdb_search(s->store, q, TAGGED_DIM, NULL, &result, NULL) == EVDB_OK &&
                     result->count == 10;
        if (!right) atomic_fetch_add(&s->wrong, 1);
        evdb_record_free(record);
        evdb_result_free(result);
        atomic_fetch_add(&s->reads, 1);
    }
    return NULL;
}

/* On a thread of its own: while others write without a pause there is always something more to link. */
static void *build(void *context)
{
    scene *s = context;
    if (evdb_index_build(s->store, 1, NULL) != EVDB_OK) atomic_fetch_add(&s->wrong, 1);
    return NULL;
}

static void keep_backups(scene *s)
{
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    char name[16], base[16] = "";
    o.replace = 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof(name), "b%u", i);
        b.base_name = i % 3 ? base : NULL;
        ok(evdb_backup_create(s->store, name, &b, NULL, &why));
        ok(evdb_backup_restore(s->db, name, "copy", &o, NULL, &why));
        tagged_expect(s->db, "copy", ROWS);
        memcpy(base, name, sizeof(base));
    }
}

static void a_backup_is_one_state_whoever_writes_meanwhile(void **state)
{
    scratch *t = *state;
    scene s = { .db = t->db, .store = scratch_store(t, "s", TAGGED_DIM, EVDB_EUCLIDEAN) };
    pthread_t threads[READERS + 1], builder;
    evdb_verify_report report;
    ok(tagged_write(s.store, ROWS, 1, &why));
    for (int i = 0; i <= READERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, i ? read_on : write_on, &s), 0);
    assert_int_equal(pthread_create(&builder, NULL, build, &s), 0); /* and a checkpoint of the index among them */
    keep_backups(&s);
    ok(evdb_backup_create(s.store, "last", NULL, NULL, &why));
    atomic_store(&s.stop, true);
    for (int i = 0; i <= READERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pthread_join(builder, NULL), 0);
    assert_int_equal(s.wrong, 0);
    printf("%llu commits of %d records, %llu reads\n", (unsigned long long)s.writes, ROWS, (unsigned long long)s.reads);
    evdb_store_close(s.store);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

/* A restore in place of a store that others are using: they are told that it is gone, and nothing else. */
static void a_store_in_use_is_replaced(void **state)
{
    scratch *t = *state;
    scene s = { .db = t->db, .store = scratch_store(t, "s", TAGGED_DIM, EVDB_EUCLIDEAN) };
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    pthread_t writer;
    ok(tagged_write(s.store, ROWS, 1, &why));
    ok(evdb_backup_create(s.store, "b", NULL, NULL, &why));
    assert_int_equal(pthread_create(&writer, NULL, write_on, &s), 0);
    o.replace = 1;
    ok(evdb_backup_restore(s.db, "b", "s", &o, NULL, &why));
    atomic_store(&s.stop, true);
    assert_int_equal(pthread_join(writer, NULL), 0);
    refused(EVDB_NOT_FOUND, tagged_write(s.store, ROWS, 9, &why));
    evdb_store_close(s.store);
    tagged_expect(s.db, "s", ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_one_state_whoever_writes_meanwhile, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_store_in_use_is_replaced, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
