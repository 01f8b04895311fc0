/* test_threads.c - handles shared by threads: what the headers call *shared* and "never one half-way". */
#include "expect.h"
#include "scratch.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 8, EACH = 60 };

/* Threads count what goes wrong: only the thread of cmocka may leave a test. */
typedef struct crew {
    evdb *db;
    evdb_store *store;
    atomic_int turn, failures, writers;
} crew;

static void expect(crew *c, bool right, const char *what)
{
    if (right) return;
    if (atomic_fetch_add(&c->failures, 1) < 5) fprintf(stderr, "wrong: %s\n", what);
}

/* The call succeeded; the caller passed err to it. */
static bool succeeds(crew *c, evdb_status rc, const evdb_error *err, const char *what)
{
    if (rc == EVDB_OK) return true;
    if (atomic_fetch_add(&c->failures, 1) < 5) fprintf(stderr, "wrong: %s: %s\n", what, err->message);
    return false;
}

static void run(crew *c, void *(*work)(void *), size_t threads)
{
    pthread_t running[THREADS];
    for (size_t i = 0; i < threads; i++) assert_int_equal(pthread_create(&running[i], NULL, work, c), 0);
    for (size_t i = 0; i < threads; i++) pthread_join(running[i], NULL);
    assert_int_equal(atomic_load(&c->failures), 0);
}

static void *insert_own(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    for (int i = 0; i < EACH; i++) {
        float v[2] = { (float)me, (float)i };
        uint64_t version = 0;
        evdb_status rc = evdb_record_insert(c->store, num(me * EACH + i), v, 2, NULL, &version, NULL);
        expect(c, rc == EVDB_OK && version > 0, "an insert of one's own id");
        rc = evdb_record_insert(c->store, num(-1 - i), v, 2, NULL, &version, NULL); /* all want it, one gets it */
        expect(c, rc == EVDB_OK || rc == EVDB_EXISTS, "an insert of an id all want");
        if (rc == EVDB_OK) atomic_fetch_add(&c->writers, 1);
    }
    return NULL;
}

static void threads_that_write_single_records_lose_none(void **state)
{
    scratch *t = *state;
    crew c = { .db = t->db, .store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN) };
    evdb_changes *changes;
    evdb_verify_report report;
    run(&c, insert_own, THREADS);
    assert_int_equal(atomic_load(&c.writers), EACH); /* of each contested id exactly one */
    assert_int_equal(scratch_count(c.store), THREADS * EACH + EACH);
    for (int i = 0; i < THREADS * EACH; i++) {
        evdb_record *r;
        ok(evdb_record_get(c.store, num(i), &r, &why));
        assert_true(r->vector[0] == (float)(i / EACH) && r->vector[1] == (float)(i % EACH));
        evdb_record_free(r);
    }
    ok(evdb_changes_read(c.store, 0, 0, &changes, &why));
    assert_int_equal(changes->count, THREADS * EACH + EACH);
    for (size_t i = 0; i < changes->count; i++) assert_int_equal(changes->at[i].sequence, i + 1);
    evdb_changes_free(changes);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    evdb_store_close(c.store);
}

/* A record's vector and metadata say the same number, and so must whatever is read. */
static evdb_status write_pair(crew *c, int64_t id, int value)
{
    float v[2] = { (float)value, 1 };
    char metadata[40];
    snprintf(metadata, sizeof(metadata), "{\"value\":%d}", value);
    return evdb_record_upsert(c->store, num(id), v, 2, metadata, NULL, NULL);
}

enum { PAIRS = 20, ROUNDS = 150 };

static void *write_pairs(crew *c)
{
    for (int i = 0; i < ROUNDS; i++) {
        expect(c, write_pair(c, i % PAIRS, i) == EVDB_OK, "an upsert");
        if (i % 7 == 0) {
            expect(c, evdb_record_delete(c->store, num(PAIRS + i), 0, NULL) == EVDB_NOT_FOUND, "a delete of nothing");
            expect(c, write_pair(c, PAIRS + i, i) == EVDB_OK, "an upsert");
            expect(c, evdb_record_delete(c->store, num(PAIRS + i), 0, NULL) == EVDB_OK, "a delete");
        }
    }
    atomic_fetch_sub(&c->writers, 1);
    return NULL;
}

static void search_pairs(crew *c)
{
    evdb_search_options o = { .size = sizeof(o), .k = 2 * PAIRS, .flags = EVDB_SEARCH_METADATA };
    const float origin[2] = { 0, 1 };
    evdb_result *found;
    if (evdb_search(c->store, origin, 2, &o, &found, NULL) != EVDB_OK) {
        expect(c, false, "a search");
        return;
    }
    /* one more while the writer's passing record is there */
    expect(c, found->count == PAIRS || found->count == PAIRS + 1, "the number of hits");
    for (size_t i = 0; i < found->count; i++) {
        int value = -1;
        expect(c, sscanf(found->metadata[i], "{\"value\":%d}", &value) == 1, "metadata of a hit");
        expect(c, found->distances[i] == (float)value, "metadata and vector of one version");
    }
    evdb_result_free(found);
}

static void read_pairs(crew *c)
{
    const evdb_record *r;
    evdb_cursor *cursor;
    evdb_status rc = evdb_cursor_open(c->store, NULL, &cursor, NULL);
    size_t count = 0;
    if (rc != EVDB_OK) {
        expect(c, false, "opening a cursor");
        return;
    }
    while ((rc = evdb_cursor_next(cursor, &r, NULL)) == EVDB_OK && r) {
        int value = -1;
        count++;
        expect(c, sscanf(r->metadata, "{\"value\":%d}", &value) == 1 && r->vector[0] == (float)value, "a record in one piece");
    }
    expect(c, rc == EVDB_OK && (count == PAIRS || count == PAIRS + 1), "a walk over all records");
    evdb_cursor_close(cursor);
}

static void *write_or_read(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    if (me == 0) return write_pairs(c);
    while (atomic_load(&c->writers)) {
        if (me % 2) search_pairs(c);
        else read_pairs(c);
    }
    return NULL;
}

static void readers_never_see_a_write_half_way(void **state)
{
    scratch *t = *state;
    evdb *memory;
    ok(evdb_open(":memory:", NULL, &memory, &why));
    for (int i = 0; i < 2; i++) {
        crew c = { .db = i ? memory : t->db, .writers = 1 };
        evdb_store_options o = { .size = sizeof(o), .metric = EVDB_EUCLIDEAN };
        ok(evdb_store_create(c.db, "s", &o, &c.store, &why));
        for (int64_t id = 0; id < PAIRS; id++) assert_int_equal(write_pair(&c, id, 7), EVDB_OK);
        run(&c, write_or_read, 4);
        evdb_store_close(c.store);
    }
    evdb_close(memory);
}

/* Everything at once on handles that come and go. */
static void use_two_stores(crew *c, const char *name, int me)
{
    const float v[2] = { 1, (float)me };
    evdb_store *own, *shared;
    evdb_store_info **list;
    evdb_result *found;
    evdb_error err;
    size_t count;
    if (!succeeds(c, evdb_store_create(c->db, name, NULL, &own, &err), &err, "creating a store")) return;
    succeeds(c, evdb_record_insert(own, str("a"), v, 2, NULL, NULL, &err), &err, "writing to it");
    if (succeeds(c, evdb_store_open(c->db, "s", &shared, &err), &err, "opening the shared store")) {
        succeeds(c, evdb_record_upsert(shared, num(me), v, 2, NULL, NULL, &err), &err, "writing to the shared store");
        if (succeeds(c, evdb_search(shared, v, 2, NULL, &found, &err), &err, "searching it")) evdb_result_free(found);
        evdb_store_close(shared);
    }
    if (succeeds(c, evdb_store_list(c->db, &list, &count, &err), &err, "listing stores")) evdb_store_list_free(list, count);
    succeeds(c, evdb_store_drop(c->db, name, &err), &err, "dropping one's own store");
    expect(c, evdb_record_delete(own, str("a"), 0, NULL) == EVDB_NOT_FOUND, "writing to a dropped store");
    evdb_store_close(own);
}

static void *open_use_close(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    char name[30];
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "own-%d-%d", me, i);
        use_two_stores(c, name, me);
    }
    return NULL;
}

static void stores_come_and_go_on_many_threads(void **state)
{
    scratch *t = *state;
    crew c = { .db = t->db };
    evdb_store_info **list;
    size_t count;
    ok(evdb_store_create(t->db, "s", NULL, NULL, &why));
    run(&c, open_use_close, 4);
    ok(evdb_store_list(t->db, &list, &count, &why));
    assert_int_equal(count, 1);
    evdb_store_list_free(list, count);
}

/* Tickets of several threads, some never waited for, on one store. */
static void *submit_many(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    for (int i = 0; i < EACH; i++) {
        evdb_ticket *ticket;
        const int64_t id = me * EACH + i;
        const float v[2] = { 1, 2 };
        evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = 1, .numbers = &id, .vectors = v, .dim = 2 };
        if (evdb_batch_submit(c->store, &b, &ticket, NULL) != EVDB_OK) {
            expect(c, false, "submitting");
            continue;
        }
        if (i % 3) expect(c, evdb_ticket_wait(ticket, NULL, NULL) == EVDB_OK, "waiting");
        evdb_ticket_free(ticket);
    }
    return NULL;
}

static void tickets_of_many_threads_are_all_carried_out(void **state)
{
    scratch *t = *state;
    crew c = { .db = t->db, .store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN) };
    run(&c, submit_many, THREADS);
    assert_int_equal(scratch_count(c.store), THREADS * EACH);
    evdb_store_close(c.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_that_write_single_records_lose_none),
        TEST(readers_never_see_a_write_half_way),
        TEST(stores_come_and_go_on_many_threads),
        TEST(tickets_of_many_threads_are_all_carried_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
