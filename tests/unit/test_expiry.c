/* test_expiry.c - evdb/expiry.h beside a model, under a clock of its own: what has expired is never returned, whatever asks. */
#include "database_private.h"
#include "expect.h"
#include "memory_io.h"
#include "scratch.h"
#include "seed.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { IDS = 60, DIM = 4, STEPS = 160, HANDLES = 2, START = 1000000 };

static _Atomic int64_t now_ms;
static atomic_bool disk_full;

static int64_t clock_ms(void *context)
{
    (void)context;
    return atomic_load(&now_ms);
}

static int before(void *context, const io_event *event)
{
    (void)context;
    return event->kind == IO_WRITE && atomic_load(&disk_full) ? ENOSPC : 0;
}

static evdb *open_database(const scratch *t)
{
    platform p = platform_real;
    evdb *db;
    p.clock_ms = clock_ms;
    p.io = (io_gate){ NULL, before };
    ok(db_open_with(&p, t->path, NULL, &db, &why));
    return db;
}

static int begin(void **state)
{
    atomic_store(&now_ms, START);
    atomic_store(&disk_full, false);
    return scratch_closed(state);
}

/* ---- the model ---- */

typedef struct model_record {
    bool there, odd; /* its metadata */
    int64_t expires; /* INT64_MAX = never */
    float vector[DIM];
} model_record;

typedef struct world {
    scratch *t;
    evdb *db[HANDLES]; /* two of one database are as two processes */
    evdb_store *store[HANDLES];
    bool texts;
    int64_t ttl;
    uint64_t seed;
    model_record at[IDS];
} world;

static void open_world(world *w)
{
    for (int i = 0; i < HANDLES; i++) {
        w->db[i] = open_database(w->t);
        if (evdb_store_open(w->db[i], "s", &w->store[i], &why) == EVDB_OK) continue;
        evdb_store_options o = EVDB_STORE_OPTIONS;
        o.metric = EVDB_EUCLIDEAN;
        o.id_type = w->texts ? EVDB_ID_STRING : EVDB_ID_INTEGER;
        ok(evdb_store_create(w->db[i], "s", &o, &w->store[i], &why));
    }
}

static void close_world(world *w)
{
    for (int i = 0; i < HANDLES; i++) {
        evdb_store_close(w->store[i]);
        evdb_close(w->db[i]);
    }
}

static bool live(const model_record *r) { return r->there && r->expires > atomic_load(&now_ms); }

static size_t number_of(const evdb_id *id)
{
    size_t number = (size_t)id->number;
    if (id->text) assert_int_equal(sscanf(id->text, "%zu", &number), 1);
    assert_true(number < IDS);
    return number;
}

/* ---- asking ---- */

static void check_hits(const world *w, const evdb_result *r, bool odd_only)
{
    bool seen[IDS] = { false };
    size_t expected = 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t n = number_of(&r->ids[i]);
        assert_false(seen[n]);
        seen[n] = true;
        if (!live(&w->at[n]))
            fail_msg("record %zu was found: expires %lld, now %lld", n, (long long)w->at[n].expires, (long long)atomic_load(&now_ms));
        assert_true(!odd_only || w->at[n].odd);
    }
    for (size_t n = 0; n < IDS; n++) expected += live(&w->at[n]) && (!odd_only || w->at[n].odd);
    assert_int_equal(r->count, expected);
}

static void check_searches(world *w, evdb_store *store)
{
    float query[DIM];
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    uint64_t odd = 0, expected = 0;
    seed_floats(&w->seed, query, DIM);
    o.k = IDS;
    for (int way = 0; way < 4; way++) {
        o.flags = (way & 1 ? EVDB_SEARCH_METADATA : 0) | (seed_below(&w->seed, 2) ? EVDB_SEARCH_EXACT : 0);
        o.filter = way & 2 ? "{\"odd\":true}" : NULL;
        ok(evdb_search(store, query, DIM, &o, &r, &why));
        check_hits(w, r, o.filter != NULL);
        evdb_result_free(r);
    }
    o.filter = NULL;
    ok(evdb_search_range(store, query, DIM, 100, &o, &r, &why));
    check_hits(w, r, false);
    evdb_result_free(r);
    for (size_t n = 0; n < IDS; n++) expected += live(&w->at[n]) && w->at[n].odd;
    ok(evdb_filter_count(store, "{\"odd\":true}", &odd, &why));
    assert_int_equal(odd, expected);
}

static void check_reads(const world *w, evdb_store *store)
{
    const evdb_record *record;
    evdb_record *one;
    evdb_cursor *cursor;
    char text[24];
    size_t expected = 0, walked = 0;
    for (size_t n = 0; n < IDS; n++) {
        evdb_id id = num((int64_t)n);
        snprintf(text, sizeof text, "%zu", n);
        if (w->texts) id = str(text);
        if (!live(&w->at[n])) refused(EVDB_NOT_FOUND, evdb_record_get(store, id, &one, &why));
        else {
            ok(evdb_record_get(store, id, &one, &why));
            assert_int_equal(one->expires_ms, w->at[n].expires == INT64_MAX ? 0 : w->at[n].expires);
            assert_memory_equal(one->vector, w->at[n].vector, sizeof w->at[n].vector);
            evdb_record_free(one);
            expected++;
        }
    }
    assert_int_equal(scratch_count(store), expected);
    ok(evdb_cursor_open(store, NULL, &cursor, &why));
    for (;; walked++) {
        ok(evdb_cursor_next(cursor, &record, &why));
        if (!record) break;
        assert_true(live(&w->at[number_of(&record->id)]));
    }
    evdb_cursor_close(cursor);
    assert_int_equal(walked, expected);
}

/* ---- doing ---- */

/* An expiry to give, 0 = none; *at: when the record expires then. */
static int64_t draw_expiry(world *w, evdb_write kind, const model_record *r, int64_t *at)
{
    int64_t now = atomic_load(&now_ms);
    switch (seed_below(&w->seed, 5)) {
    case 0: return *at = now + 1 + (int64_t)seed_below(&w->seed, 400);
    case 1: return *at = now - (int64_t)seed_below(&w->seed, 50); /* has passed */
    case 2: return *at = EVDB_NEVER;
    default: *at = kind == EVDB_UPDATE ? r->expires : w->ttl ? now + w->ttl : INT64_MAX; return 0;
    }
}

static evdb_status expected_status(const model_record *r, evdb_write kind)
{
    if (kind == EVDB_INSERT) return live(r) ? EVDB_EXISTS : EVDB_OK;
    return kind == EVDB_UPSERT || live(r) ? EVDB_OK : EVDB_NOT_FOUND;
}

static void write_one(world *w, evdb_store *store)
{
    size_t n = seed_below(&w->seed, IDS);
    model_record *r = &w->at[n], to = *r;
    evdb_batch b = EVDB_BATCH;
    char text[24];
    const char *metadata;
    int64_t number = (int64_t)n, expires;
    snprintf(text, sizeof text, "%zu", n);
    evdb_id id = w->texts ? str(text) : num(number);
    b.kind = (evdb_write)(1 + seed_below(&w->seed, 4));
    bool put = b.kind == EVDB_INSERT || b.kind == EVDB_UPSERT, vector = put || seed_below(&w->seed, 2);
    to.odd = seed_below(&w->seed, 2);
    metadata = to.odd ? "{\"odd\":true}" : "{}";
    seed_floats(&w->seed, to.vector, DIM);
    expires = draw_expiry(w, b.kind, r, &to.expires);
    b.count = 1;
    b.ids = &id;
    b.vectors = vector ? to.vector : NULL;
    b.dim = DIM;
    b.metadata = &metadata;
    b.expires = &expires;
    evdb_status wanted = expected_status(r, b.kind), got = evdb_batch_write(store, &b, NULL, &why);
    assert_int_equal(got, wanted);
    if (got != EVDB_OK) return;
    to.there = b.kind != EVDB_DELETE;
    if (!vector) memcpy(to.vector, r->vector, sizeof to.vector);
    *r = to;
}

static void step(world *w)
{
    int i = (int)seed_below(&w->seed, HANDLES);
    switch (seed_below(&w->seed, 12)) {
    case 0: atomic_fetch_add(&now_ms, (int64_t)seed_below(&w->seed, 100)); break;
    case 1:
        w->ttl = (int64_t)seed_below(&w->seed, 2) * 150;
        ok(evdb_store_set_ttl(w->store[i], w->ttl, &why));
        break;
    case 2: check_reads(w, w->store[i]); break;
    case 3:
        if (seed_below(&w->seed, 4) == 0) ok(evdb_index_build(w->store[i], 1, &why));
        break;
    case 4:
        if (seed_below(&w->seed, 8)) break;
        close_world(w);
        open_world(w);
        break;
    case 5: case 6: check_searches(w, w->store[i]); break;
    default: write_one(w, w->store[i]);
    }
}

static void no_problem(void *context, const char *store, const char *text)
{
    (void)context;
    fail_msg("%s: %s", store, text);
}

static void whatever_asks_gets_what_has_not_expired(void **state)
{
    world w = { .t = *state };
    evdb_verify_report report;
    w.seed = seed_print();
    w.texts = seed_below(&w.seed, 2);
    open_world(&w);
    for (int i = 0; i < STEPS; i++) step(&w);
    for (int i = 0; i < HANDLES; i++) {
        check_searches(&w, w.store[i]);
        check_reads(&w, w.store[i]);
        ok(evdb_verify(w.db[i], NULL, no_problem, NULL, &report, &why));
    }
    close_world(&w);
}

/* ---- one by one ---- */

static evdb_store *one_store(const scratch *t, evdb **db)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = 1;
    o.metric = EVDB_EUCLIDEAN;
    o.ttl_ms = 100;
    *db = open_database(t);
    ok(evdb_store_create(*db, "s", &o, &store, &why));
    return store;
}

static size_t hits(evdb_store *store, uint32_t flags)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    o.flags = flags;
    ok(evdb_search(store, &(float){ 0 }, 1, &o, &r, &why));
    size_t count = r->count;
    evdb_result_free(r);
    return count;
}

/* A sweep that fails changes nothing, so that the clock can be set back. */
static void a_clock_that_is_set_back_brings_back_what_is_not_swept(void **state)
{
    evdb *db;
    evdb_store *store = one_store(*state, &db);
    for (int64_t i = 0; i < 10; i++) ok(evdb_record_insert(store, num(i), &(float){ (float)i }, 1, "{\"odd\":true}", NULL, &why));
    assert_int_equal(hits(store, EVDB_SEARCH_METADATA), 10);
    atomic_store(&disk_full, true);
    atomic_store(&now_ms, START + 100);
    assert_int_equal(hits(store, EVDB_SEARCH_METADATA), 0);
    assert_int_equal(scratch_count(store), 0);
    atomic_store(&now_ms, START + 99);
    assert_int_equal(hits(store, EVDB_SEARCH_METADATA), 10);
    assert_int_equal(scratch_count(store), 10);
    atomic_store(&now_ms, START + 100);
    assert_int_equal(hits(store, 0), 0);
    atomic_store(&disk_full, false);
    evdb_store_close(store);
    evdb_close(db);
}

static uint64_t kept_on_disk(evdb_store *store)
{
    evdb_changes *c;
    uint64_t deletes = 0;
    ok(evdb_changes_read(store, 0, 0, &c, &why));
    for (size_t i = 0; i < c->count; i++) deletes += c->at[i].kind == EVDB_CHANGE_DELETE;
    evdb_changes_free(c);
    return deletes;
}

/* The clock of the test has passed; the sweeper looks a few seconds later at the most, in the machine's time. */
static void what_has_expired_is_deleted_in_the_background_and_the_feed_tells_it(void **state)
{
    evdb *db;
    evdb_store *store = one_store(*state, &db);
    for (int64_t i = 0; i < 600; i++) {
        int64_t expires = i < 550 ? 0 : EVDB_NEVER;
        evdb_batch b = EVDB_BATCH;
        b.kind = EVDB_INSERT, b.count = 1, b.numbers = &i, b.vectors = &(float){ 1 }, b.dim = 1, b.expires = &expires;
        ok(evdb_batch_write(store, &b, NULL, &why));
    }
    assert_int_equal(kept_on_disk(store), 0);
    atomic_store(&now_ms, START + 1000000);
    assert_int_equal(scratch_count(store), 50);
    assert_int_equal(hits(store, 0), 10);
    while (kept_on_disk(store) < 550) continue;
    assert_int_equal(scratch_count(store), 50);
    evdb_store_close(store);
    evdb_close(db);
}

/* Its id is free for an import that goes on, as for any other. */
static void an_import_is_resumed_over_what_has_expired(void **state)
{
    static const char line[] = "{\"id\":1,\"vector\":[1,2],\"metadata\":{\"a\":2}}";
    scratch *t = *state;
    evdb *db = open_database(t);
    evdb_store *store;
    evdb_import_options o = EVDB_IMPORT_OPTIONS;
    evdb_import_report report;
    memory_source file = memory_from(line, sizeof(line) - 1);
    evdb_source source = memory_reading(&file);
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_record_insert(store, num(1), (float[]){ 5, 5 }, 2, NULL, NULL, &why));
    ok(evdb_record_insert(store, num(2), (float[]){ 5, 5 }, 2, NULL, NULL, &why));
    ok(evdb_record_set_expiry(store, num(1), START + 5, 0, NULL, &why));
    atomic_store(&now_ms, START + 5); /* the sweeper does not know */
    o.format = EVDB_FORMAT_JSONL;
    o.resume = 1;
    ok(evdb_import(store, &source, &o, &report, &why));
    assert_int_equal(report.written, 1);
    assert_int_equal(scratch_count(store), 2);
    evdb_store_close(store);
    evdb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_asks_gets_what_has_not_expired, begin, scratch_remove),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_brings_back_what_is_not_swept, begin, scratch_remove),
        cmocka_unit_test_setup_teardown(what_has_expired_is_deleted_in_the_background_and_the_feed_tells_it, begin, scratch_remove),
        cmocka_unit_test_setup_teardown(an_import_is_resumed_over_what_has_expired, begin, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
