/* test_trash_model.c - random inserts, deletes, returns, merges and codecs through two handles of one database, as two processes have
 * them, against a model: each record is there or in the trash with the vector, metadata and author it had, and searches find just those
 * that are there. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <string.h>

enum { DIM = 16, IDS = 24, STEPS = 160 };

typedef struct modelled {
    bool there, trashed;
    float vector[2][DIM]; /* of the record, and of what is in the trash; so below */
    int n[2];
    const char *author[2];
} modelled;

typedef struct scene {
    evdb *db[2];
    evdb_store *store[2];
    modelled at[IDS];
    bool codecs; /* the store may have some */
    uint64_t seed;
} scene;

static const char *const names[] = { NULL, "ann", "bob" };
static const char *const exact[] = { "none", "zstd", "f16", "bf16" }; /* codecs that lose nothing of these vectors */

static void open_of(scene *s, scratch *t, evdb_dtype dtype)
{
    static const char *const fields[] = { "n" };
    evdb_store_options o = EVDB_STORE_OPTIONS;
    o.dtype = dtype;
    s->codecs = o.dtype == EVDB_F32;
    o.metric = o.dtype == EVDB_BIT ? EVDB_HAMMING : EVDB_EUCLIDEAN;
    o.dim = DIM;
    o.trash_ms = EVDB_TRASH_DAY_MS;
    o.authors = 1;
    o.fields = fields;
    o.field_count = 1;
    ok(evdb_store_create(t->db, "s", &o, NULL, &why));
    for (int i = 0; i < 2; i++) {
        ok(evdb_open(t->path, NULL, &s->db[i], &why));
        ok(evdb_store_open(s->db[i], "s", &s->store[i], &why));
    }
}

static void close_scene(const scene *s)
{
    for (int i = 0; i < 2; i++) {
        evdb_store_close(s->store[i]);
        evdb_close(s->db[i]);
    }
}

static evdb_status write_as(scene *s, evdb_store *store, evdb_write kind, int64_t id, modelled *to)
{
    evdb_batch b = EVDB_BATCH;
    char text[16];
    const char *metadata = text;
    to->n[0] = (int)seed_below(&s->seed, 5);
    to->author[0] = names[seed_below(&s->seed, 3)];
    for (int i = 0; i < DIM; i++) to->vector[0][i] = (float)seed_below(&s->seed, 2);
    snprintf(text, sizeof(text), "{\"n\":%d}", to->n[0]);
    b.kind = kind;
    b.count = 1;
    b.numbers = &id;
    b.vectors = kind == EVDB_DELETE ? NULL : to->vector[0];
    b.dim = kind == EVDB_DELETE ? 0 : DIM;
    b.metadata = kind == EVDB_DELETE ? NULL : &metadata;
    b.author = to->author[0];
    if (s->codecs && kind != EVDB_DELETE && !seed_below(&s->seed, 4)) b.codec = exact[seed_below(&s->seed, 4)];
    return evdb_batch_write(store, &b, NULL, &why);
}

static void move(modelled *m, int from, int to)
{
    memcpy(m->vector[to], m->vector[from], sizeof(m->vector[to]));
    m->n[to] = m->n[from];
    m->author[to] = m->author[from];
}

static void bring_back(evdb_store *store, int64_t id, modelled *m)
{
    evdb_undelete u = EVDB_UNDELETE;
    u.ids = &(evdb_id){ .number = id };
    u.count = 1;
    evdb_status rc = evdb_trash_restore(store, &u, NULL, &why);
    assert_int_equal(rc, m->trashed ? m->there ? EVDB_EXISTS : EVDB_OK : EVDB_NOT_FOUND);
    if (rc != EVDB_OK) return;
    move(m, 1, 0);
    m->there = true;
    m->trashed = false;
}

static void merge(scene *s, evdb_store *store, int64_t id, modelled *m)
{
    int n = (int)seed_below(&s->seed, 5);
    const char *author = names[seed_below(&s->seed, 3)];
    char patch[32];
    snprintf(patch, sizeof(patch), "{\"\\u006e\":%d,\"x\":null}", n);
    evdb_status rc = evdb_record_merge(store, num(id), patch, author, 0, NULL, &why);
    assert_int_equal(rc, m->there ? EVDB_OK : EVDB_NOT_FOUND);
    if (rc != EVDB_OK) return;
    m->n[0] = n;
    m->author[0] = author;
}

static void step(scene *s)
{
    evdb_store *store = s->store[seed_below(&s->seed, 2)];
    int64_t id = (int64_t)seed_below(&s->seed, IDS);
    modelled *m = &s->at[id], next = *m;
    uint64_t what = seed_below(&s->seed, 40);
    if (what < 12) {
        evdb_status rc = write_as(s, store, EVDB_INSERT, id, &next);
        assert_int_equal(rc, m->there ? EVDB_EXISTS : EVDB_OK);
        next.there = true;
        if (rc == EVDB_OK) *m = next;
    } else if (what < 22) {
        assert_int_equal(write_as(s, store, EVDB_DELETE, id, &next), m->there ? EVDB_OK : EVDB_NOT_FOUND);
        if (m->there) {
            move(m, 0, 1);
            m->there = false;
            m->trashed = true;
        }
    } else if (what < 32) bring_back(store, id, m);
    else if (what < 37) merge(s, store, id, m);
    else if (what == 37) ok(evdb_index_build(store, 1, &why));
    else if (s->codecs && what == 38) ok(evdb_store_set_codec(store, exact[seed_below(&s->seed, 4)], &why));
    else if (s->codecs) ok(evdb_store_recode(store, &why));
}

static void check_found(evdb_store *store, const modelled *at, int n)
{
    evdb_search_options o = { .size = sizeof(o), .k = IDS, .flags = EVDB_SEARCH_METADATA };
    const float query[DIM] = { 1, 0, 1 };
    bool found[IDS] = { false };
    char filter[24], metadata[24];
    evdb_result *r;
    snprintf(filter, sizeof(filter), "{\"n\":%d}", n);
    snprintf(metadata, sizeof(metadata), "{\"n\":%d}", n);
    o.filter = filter;
    ok(evdb_search(store, query, DIM, &o, &r, &why));
    for (size_t i = 0; i < r->count; i++) {
        found[r->numbers[i]] = true;
        assert_true(strstr(r->metadata[i], metadata + 1) != NULL);
    }
    evdb_result_free(r);
    for (int i = 0; i < IDS; i++) assert_int_equal(found[i], at[i].there && at[i].n[0] == n);
}

static void check(scene *s, evdb_store *store)
{
    evdb_trash *trash;
    size_t trashed = 0;
    ok(evdb_trash_list(store, 0, 0, &trash, &why));
    for (size_t i = 0; i < trash->count; i++) assert_true(s->at[trash->at[i].id.number].trashed);
    for (int i = 0; i < IDS; i++) {
        const modelled *m = &s->at[i];
        evdb_record *r = NULL;
        assert_int_equal(evdb_record_get(store, num(i), &r, &why), m->there ? EVDB_OK : EVDB_NOT_FOUND);
        if (r) assert_memory_equal(r->vector, m->vector[0], sizeof(m->vector[0]));
        if (r) assert_true(m->author[0] ? r->author && strcmp(r->author, m->author[0]) == 0 : !r->author);
        evdb_record_free(r);
        trashed += m->trashed;
    }
    assert_int_equal(trash->count, trashed);
    evdb_trash_free(trash);
    for (int n = 0; n < 5; n++) check_found(store, s->at, n);
}

static void two_processes_agree_with_a_model(void **state)
{
    static const evdb_dtype dtypes[] = { EVDB_F32, EVDB_F32, EVDB_F32, EVDB_F16, EVDB_I8, EVDB_BIT };
    scratch *t = *state;
    scene s = { .seed = seed_print() };
    evdb_verify_report report;
    open_of(&s, t, dtypes[seed_below(&s.seed, 6)]);
    for (int i = 0; i < STEPS; i++) {
        step(&s);
        if (i % 8 == 7) check(&s, s.store[seed_below(&s.seed, 2)]);
    }
    for (int i = 0; i < 2; i++) check(&s, s.store[i]);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    close_scene(&s);
}

/* Its parameters are of vectors there are no longer; they stay as long as one in the trash needs them. */
static void what_a_trained_codec_wrote_comes_back_under_others(void **state)
{
    enum { MANY = 300, BACK = 20 };
    scratch *t = *state;
    scene s = { .seed = seed_print() };
    evdb_undelete u = EVDB_UNDELETE;
    evdb_id ids[BACK];
    evdb_record *was[BACK], *is;
    evdb_verify_report report;
    float v[DIM];
    open_of(&s, t, EVDB_F32);
    for (int i = 0; i < MANY; i++) {
        seed_floats(&s.seed, v, DIM);
        ok(evdb_record_insert(s.store[0], num(i), v, DIM, NULL, NULL, &why));
    }
    ok(evdb_store_set_codec(s.store[0], "pq:4", &why));
    ok(evdb_store_recode(s.store[0], &why));
    for (int i = 0; i < BACK; i++) {
        ids[i] = num(i);
        ok(evdb_record_get(s.store[0], ids[i], &was[i], &why));
        ok(evdb_record_delete(s.store[0], ids[i], 0, &why));
    }
    ok(evdb_store_set_codec(s.store[0], "i8:trained", &why));
    ok(evdb_store_recode(s.store[0], &why));
    ok(evdb_store_set_codec(s.store[0], "none", &why));
    ok(evdb_store_recode(s.store[0], &why));
    u.ids = ids;
    u.count = BACK;
    ok(evdb_trash_restore(s.store[1], &u, NULL, &why));
    for (int i = 0; i < BACK; i++) {
        for (int by = 0; by < 2; by++) {
            ok(evdb_record_get(s.store[by], ids[i], &is, &why));
            assert_memory_equal(is->vector, was[i]->vector, DIM * sizeof(float));
            evdb_record_free(is);
            if (i == BACK / 2 && !by) ok(evdb_store_recode(s.store[1], &why));
        }
        evdb_record_free(was[i]);
    }
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_processes_agree_with_a_model, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_a_trained_codec_wrote_comes_back_under_others, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
