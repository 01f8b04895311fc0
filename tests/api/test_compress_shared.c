/* test_compress_shared.c - stores with codecs that several handles of a database have open, which know no more of each other than
 * processes do: each has an idea of its own of which codec is in force. */
#include "compressed_rows.h"
#include "expect.h"
#include "seed.h"
#include <evdb.h>
#include <math.h>
#include <string.h>

enum { SOME = 600 /* of the rows */ };

typedef struct user {
    evdb *db;
    evdb_store *store;
} user;

static user enter(scratch *t)
{
    user u;
    ok(evdb_open(t->path, NULL, &u.db, &why));
    ok(evdb_store_open(u.db, "docs", &u.store, &why));
    return u;
}

static void leave(user u)
{
    evdb_store_close(u.store);
    evdb_close(u.db);
}

static user create(scratch *t, const char *codec)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    o.codec = codec;
    o.dim = DIM;
    o.metric = EVDB_EUCLIDEAN;
    ok(evdb_store_create(t->db, "docs", &o, NULL, &why));
    return enter(t);
}

/* Whoever comes next finds every record as it was written, but for what codecs may round, and nothing that is damaged. */
static void others_find(scratch *t, int64_t count, double relative)
{
    user u = enter(t);
    evdb_verify_report report;
    evdb_compression c = EVDB_COMPRESSION;
    evdb_result *found;
    for (int64_t i = 0; i < count; i++) {
        evdb_record *r;
        double off = 0, all = 0;
        ok(evdb_record_get(u.store, num(i), &r, &why));
        for (int j = 0; j < DIM; j++) off += pow(r->vector[j] - rows[i][j], 2), all += pow(rows[i][j], 2);
        assert_true(sqrt(off) <= relative * sqrt(all));
        evdb_record_free(r);
    }
    ok(evdb_search(u.store, rows[0], DIM, NULL, &found, &why));
    assert_int_equal(found->numbers[0], 0);
    evdb_result_free(found);
    ok(evdb_verify(u.db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    ok(evdb_store_recode(u.store, &why));
    ok(evdb_store_get_compression(u.store, &c, &why));
    assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
    assert_string_equal(c.in_force, c.codec);
    leave(u);
}

static const char *const codecs[] = { "i8", "i8:trained", "zlib", "pca:12+zstd", "none" };
enum { CODECS = sizeof(codecs) / sizeof(*codecs) };

/* What it writes is of a codec that nobody else has any more. */
static void a_writer_that_has_not_heard_of_another_codec_loses_nothing(void **state)
{
    scratch *t = *state;
    for (int i = 0; i < CODECS; i++) {
        user a = create(t, codecs[i]), b;
        put(a.store, 0, SOME);
        ok(evdb_store_recode(a.store, &why));
        b = enter(t);
        put(b.store, 0, 10);
        ok(evdb_store_set_codec(a.store, "bf16", &why));
        ok(evdb_store_recode(a.store, &why));
        leave(a);
        put(b.store, SOME, SOME);
        others_find(t, 2 * SOME, 1);
        leave(b);
        others_find(t, 2 * SOME, 1);
        ok(evdb_store_drop(t->db, "docs", &why));
    }
}

static void a_writer_that_has_never_written_takes_what_is_in_force(void **state)
{
    scratch *t = *state;
    for (int i = 0; i < CODECS; i++) {
        user a = create(t, codecs[i]), b;
        put(a.store, 0, SOME);
        ok(evdb_store_recode(a.store, &why));
        b = enter(t);
        ok(evdb_store_set_codec(a.store, "f16", &why));
        ok(evdb_store_recode(a.store, &why));
        put(b.store, SOME, 10);
        leave(b);
        leave(a);
        others_find(t, SOME + 10, 1);
        ok(evdb_store_drop(t->db, "docs", &why));
    }
}

static const struct { const char *name, *codec; bool used; } replaced[] = {
    { "a", "f16", true }, { "b", "f16", false }, { "c", "i8:trained", true }, { "d", "i8:trained", false },
};

static void who_has_not_heard_of_another_codec_writes_what_can_be_read(void **state)
{
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(replaced) / sizeof(*replaced); i++) {
        evdb_store *store = store_with(t, replaced[i].name, replaced[i].codec, EVDB_COSINE), *late;
        evdb *other;
        put(store, 0, ROWS);
        ok(evdb_store_recode(store, &why));
        ok(evdb_open(t->path, NULL, &other, &why));
        ok(evdb_store_open(other, replaced[i].name, &late, &why));
        if (replaced[i].used) put(late, 0, 10); /* else it knows the codec by name alone */
        ok(evdb_store_set_codec(store, "bf16", &why));
        ok(evdb_store_recode(store, &why));
        put(late, 0, 20);
        all_there(store, 0x1p-6);
        all_there(late, 0x1p-6);
        sound(t);
        ok(evdb_store_recode(store, &why));
        all_there(store, 0x1p-6);
        put(late, 0, 20);
        assert_string_equal(compression(late).in_force, "bf16");
        evdb_store_close(late);
        evdb_close(other);
        evdb_store_close(store);
    }
    sound(t);
}

/* ... although each has found out that vectors have changed. */
static void of_many_writers_one_trains_a_codec_anew(void **state)
{
    enum { USERS = 3 };
    scratch *t = *state;
    user users[USERS];
    evdb_compression before = EVDB_COMPRESSION, after = EVDB_COMPRESSION;
    float kept[ROWS][DIM];
    memcpy(kept, rows, sizeof(rows));
    for (int i = 0; i < 2 * SOME; i++) /* first some elements matter, and then others */
        for (int j = 0; j < DIM; j++) rows[i][j] *= (i < SOME) == (j < DIM / 2) ? 1 : 0.001f;
    users[0] = create(t, "pca:8+i8");
    put(users[0].store, 0, SOME);
    ok(evdb_store_recode(users[0].store, &why));
    ok(evdb_store_get_compression(users[0].store, &before, &why));
    for (int i = 1; i < USERS; i++) users[i] = enter(t);
    for (int i = 0; i < USERS; i++) { /* enough to tell, and too few to tell of the codec that somebody trains meanwhile */
        put(users[i].store, SOME, SOME);
        put(users[i].store, SOME, SOME / 2);
    }
    for (int i = 0; i < USERS; i++) ok(evdb_store_recode(users[i].store, &why));
    ok(evdb_store_get_compression(users[0].store, &after, &why));
    assert_int_equal(after.version, before.version + 1);
    for (int i = 0; i < USERS; i++) leave(users[i]);
    memcpy(rows, kept, sizeof(rows));
}

int main(void)
{
    uint64_t seed = seed_print();
    seed_floats(&seed, rows[0], ROWS * DIM);
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_writer_that_has_not_heard_of_another_codec_loses_nothing),
        TEST(a_writer_that_has_never_written_takes_what_is_in_force),
        TEST(who_has_not_heard_of_another_codec_writes_what_can_be_read),
        TEST(of_many_writers_one_trains_a_codec_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
