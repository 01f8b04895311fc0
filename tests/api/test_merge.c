/* test_merge.c - evdb_record_merge() of evdb/record.h: members change one by one, and merges at once are all there afterwards. */
#include "expect.h"
#include "scratch.h"
#include <evdb/expiry.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float one[1] = { 1 };

static void assert_stored(evdb_store *store, int64_t id, const char *metadata, uint64_t version)
{
    evdb_record *r;
    ok(evdb_record_get(store, num(id), &r, &why));
    assert_string_equal(r->metadata, metadata);
    assert_true(r->vector[0] == one[0]);
    assert_int_equal(r->version, version);
    evdb_record_free(r);
}

static void a_merge_changes_what_it_names_and_tells_what_is_stored(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_record *r;
    ok(evdb_record_insert(store, num(1), one, 1, "{\"n\":1.50,\"lang\":\"en\",\"o\":{\"a\":1,\"b\":2}}", NULL, &why));
    ok(evdb_record_set_expiry(store, num(1), INT64_C(4000000000000), 0, NULL, &why));
    ok(evdb_record_merge(store, num(1), " {\"lang\" : null, \"o\":{\"b\":3.0}, \"x\":[1] }", NULL, 0, &r, &why));
    assert_string_equal(r->metadata, "{\"n\":1.50,\"o\":{\"a\":1,\"b\":3.0},\"x\":[1]}");
    assert_int_equal(r->metadata_length, strlen(r->metadata));
    assert_null(r->vector);
    assert_int_equal(r->expires_ms, INT64_C(4000000000000));
    assert_int_equal(r->version, 3);
    assert_int_equal(r->id.number, 1);
    evdb_record_free(r);
    assert_stored(store, 1, "{\"n\":1.50,\"o\":{\"a\":1,\"b\":3.0},\"x\":[1]}", 3);
    ok(evdb_record_merge(store, num(1), "{}", NULL, 0, NULL, &why));
    assert_stored(store, 1, "{\"n\":1.50,\"o\":{\"a\":1,\"b\":3.0},\"x\":[1]}", 4);
    evdb_store_close(store);
}

static void a_merge_that_is_refused_changes_nothing(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_record *r = NULL;
    char *large = malloc(EVDB_METADATA_BYTES_MAX + 1), *more = malloc(EVDB_METADATA_BYTES_MAX + 1);
    assert_true(large && more);
    snprintf(large, EVDB_METADATA_BYTES_MAX, "{\"a\":\"%0*d\"}", (int)EVDB_METADATA_BYTES_MAX / 2, 0);
    snprintf(more, EVDB_METADATA_BYTES_MAX, "{\"b\":\"%0*d\"}", (int)EVDB_METADATA_BYTES_MAX / 2, 0);
    ok(evdb_record_insert(store, num(1), one, 1, large, NULL, &why));
    refused(EVDB_LIMIT, evdb_record_merge(store, num(1), more, NULL, 0, &r, &why));
    refused(EVDB_NOT_FOUND, evdb_record_merge(store, num(2), "{}", NULL, 0, &r, &why));
    refused(EVDB_CONFLICT, evdb_record_merge(store, num(1), "{\"a\":1}", NULL, 7, &r, &why));
    refused(EVDB_INVALID, evdb_record_merge(store, num(1), "[]", NULL, 0, &r, &why));
    refused(EVDB_INVALID, evdb_record_merge(store, num(1), "{\"a\":1,\"a\":2}", NULL, 0, &r, &why));
    refused(EVDB_INVALID, evdb_record_merge(store, num(1), NULL, NULL, 0, &r, &why));
    assert_null(r);
    assert_stored(store, 1, large, 1);
    ok(evdb_record_merge(store, num(1), "{\"a\":1}", NULL, 1, NULL, &why));
    assert_stored(store, 1, "{\"a\":1}", 2);
    free(large), free(more);
    evdb_store_close(store);
}

enum { THREADS = 8, MEMBERS = 25 };

typedef struct crew {
    evdb_store *store;
    atomic_int turn, failures;
} crew;

static void *add_members(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    for (int i = 0; i < MEMBERS; i++) {
        char patch[48];
        snprintf(patch, sizeof(patch), "{\"t%d\":{\"m%d\":%d}}", me, i, i);
        if (evdb_record_merge(c->store, num(1), patch, NULL, 0, NULL, NULL) != EVDB_OK) atomic_fetch_add(&c->failures, 1);
    }
    return NULL;
}

static void merges_of_many_threads_are_all_there(void **state)
{
    scratch *t = *state;
    crew c = { .store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN) };
    pthread_t running[THREADS];
    evdb_record *r;
    size_t members = 0;
    ok(evdb_record_insert(c.store, num(1), one, 1, NULL, NULL, &why));
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&running[i], NULL, add_members, &c), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(running[i], NULL);
    assert_int_equal(atomic_load(&c.failures), 0);
    ok(evdb_record_get(c.store, num(1), &r, &why));
    for (const char *p = r->metadata; (p = strstr(p, "\"m")) != NULL; p++) members++;
    assert_int_equal(members, THREADS * MEMBERS);
    assert_int_equal(r->version, THREADS * MEMBERS + 1);
    evdb_record_free(r);
    evdb_store_close(c.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_merge_changes_what_it_names_and_tells_what_is_stored, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_merge_that_is_refused_changes_nothing, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(merges_of_many_threads_are_all_there, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
