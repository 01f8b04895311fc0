/* test_generation.c - engine/generation.h: whatever becomes of the index's file, searches find what is there. */
#include "database_private.h"
#include "memory_io.h"
#include "seed.h"
#include "tree.h"
#include <errno.h>
#include <evdb.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DIM = 8, ROWS = 700, K = 5, SECTOR = 512, FLIPS = 400 };

static const char CODEC[] = "pca:6+i8"; /* learns, and rows of the index are codes */

static uint64_t seed;
static evdb_error why;

#define must(call) do { if ((call) != EVDB_OK) fail_msg("%s: %s", #call, why.message); } while (0)

typedef struct scene {
    char *dir;
    char file[4096]; /* of the index */
    unsigned notes;  /* what the library had to say */
    float query[DIM];
    int64_t expected[K];
} scene;

static void note(void *context, const char *message)
{
    (void)message;
    ((scene *)context)->notes++;
}

static evdb *open_scene(scene *s, const platform *p, evdb_store **store)
{
    evdb_options o = EVDB_OPTIONS;
    evdb *db;
    o.log = note;
    o.log_context = s;
    must(db_open_with(p, s->dir, &o, &db, &why));
    must(evdb_store_open(db, "s", store, &why));
    return db;
}

static void write_rows(evdb_store *store, int64_t from, size_t count)
{
    float *vectors = malloc(count * DIM * sizeof(*vectors));
    int64_t *ids = malloc(count * sizeof(*ids));
    evdb_batch b = EVDB_BATCH;
    seed_floats(&seed, vectors, count * DIM);
    for (size_t i = 0; i < count; i++) ids[i] = from + (int64_t)i;
    b.kind = EVDB_UPSERT;
    b.count = count;
    b.numbers = ids;
    b.vectors = vectors;
    b.dim = DIM;
    must(evdb_batch_write(store, &b, NULL, &why));
    free(vectors), free(ids);
}

static void search(evdb_store *store, const float *query, uint32_t flags, int64_t out[K])
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    o.k = K;
    o.ef = 300;
    o.flags = flags;
    must(evdb_search(store, query, DIM, &o, &r, &why));
    assert_int_equal(r->count, K);
    memcpy(out, r->numbers, K * sizeof(*out));
    evdb_result_free(r);
}

static evdb_index_status status_of(evdb_store *store)
{
    evdb_index_status status = EVDB_INDEX_STATUS;
    must(evdb_index_get_status(store, &status, &why));
    return status;
}

/* codec NULL = rows are floats. */
static void make_scene(scene *s, const char *codec)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store_info *info;
    evdb_store *store;
    evdb *db;
    memset(s, 0, sizeof(*s));
    s->dir = dir_new();
    o.metric = EVDB_EUCLIDEAN;
    o.codec = codec;
    o.m = 8; /* with fewer links a record now and then has none that leads to it, and a graph is to answer like a scan */
    o.ef_construction = 40;
    must(evdb_open(s->dir, NULL, &db, &why));
    must(evdb_store_create(db, "s", &o, &store, &why));
    must(evdb_store_describe(store, &info, &why));
    snprintf(s->file, sizeof(s->file), "%s/stores/%s/index", s->dir, info->uuid);
    evdb_store_info_free(info);
    write_rows(store, 0, ROWS);
    must(evdb_store_recode(store, &why));
    must(evdb_index_build(store, 1, &why));
    seed_floats(&seed, s->query, DIM);
    search(store, s->query, EVDB_SEARCH_EXACT, s->expected);
    evdb_store_close(store);
    evdb_close(db);
}

static char *slurp(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0) fail_msg("%s: %s", path, strerror(errno));
    char *bytes = malloc((size_t)st.st_size + 1);
    *size = (size_t)st.st_size;
    assert_int_equal(read(fd, bytes, *size), st.st_size);
    close(fd);
    return bytes;
}

static void spill(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* Opens, searches and closes; whether the file was of use. */
static bool answers_right(scene *s)
{
    evdb_store *store;
    int64_t got[K];
    unsigned before = s->notes;
    evdb *db = open_scene(s, &platform_real, &store);
    search(store, s->query, 0, got);
    evdb_index_status status = status_of(store);
    bool used = status.linked > 0;
    assert_int_equal(strlen(status.problem) > 0, s->notes > before); /* what is told can be asked for */
    assert_memory_equal(got, s->expected, sizeof(got));
    evdb_store_close(store);
    evdb_close(db);
    return used;
}

static void flip(const char *codec, int flips)
{
    scene s;
    size_t size;
    unsigned noticed = 0;
    make_scene(&s, codec);
    char *bytes = slurp(s.file, &size);
    assert_true(answers_right(&s));
    for (int i = 0; i < flips; i++) {
        size_t at = i < 64 ? (size_t)i * 7 : seed_below(&seed, size); /* the header is small */
        char bit = (char)(1 << seed_below(&seed, 8));
        bytes[at] ^= bit;
        spill(s.file, bytes, size);
        unsigned before = s.notes;
        bool used = answers_right(&s);
        assert_true(used == (s.notes == before)); /* what is not used is told; zeros between sections may flip unseen */
        noticed += !used;
        bytes[at] ^= bit;
    }
    assert_true(noticed > (unsigned)flips / 4);
    spill(s.file, bytes, size);
    assert_true(answers_right(&s));
    free(bytes);
    dir_remove(s.dir);
}

static void a_flipped_bit_anywhere_is_noticed_and_does_no_harm(void **state)
{
    (void)state;
    flip(NULL, FLIPS);
    flip(CODEC, FLIPS / 3);
}

static void a_file_cut_anywhere_is_built_anew(void **state)
{
    scene s;
    size_t size;
    evdb_store *store;
    (void)state;
    make_scene(&s, NULL);
    char *bytes = slurp(s.file, &size);
    for (size_t cut = 0; cut < size; cut += SECTOR) {
        spill(s.file, bytes, cut);
        assert_false(answers_right(&s));
    }
    evdb *db = open_scene(&s, &platform_real, &store);
    must(evdb_index_build(store, 1, &why));
    evdb_store_close(store);
    evdb_close(db);
    assert_true(answers_right(&s));
    free(bytes);
    dir_remove(s.dir);
}

static void what_came_after_the_file_is_followed_or_loaded(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool trimmed = i % 2;
        scene s;
        evdb_store *store;
        int64_t got[K];
        make_scene(&s, i < 2 ? NULL : CODEC);
        evdb *db = open_scene(&s, &platform_real, &store);
        write_rows(store, ROWS / 2, ROWS / 2 + 50); /* without a search: the file stays behind */
        must(evdb_record_delete(store, (evdb_id){ .number = 3 }, 0, &why));
        search(store, s.query, EVDB_SEARCH_EXACT, s.expected);
        if (trimmed) must(evdb_changes_trim(store, UINT64_MAX, &why));
        evdb_store_close(store);
        evdb_close(db);
        assert_true(answers_right(&s) == !trimmed);
        db = open_scene(&s, &platform_real, &store);
        must(evdb_index_build(store, 2, &why));
        search(store, s.query, 0, got);
        assert_memory_equal(got, s.expected, sizeof(got));
        evdb_store_close(store);
        evdb_close(db);
        assert_int_equal(s.notes, 0);
        assert_true(answers_right(&s));
        dir_remove(s.dir);
    }
}

static void an_index_of_another_store_or_of_the_future_is_set_aside(void **state)
{
    scene mine, other;
    size_t size;
    evdb_store *store;
    (void)state;
    make_scene(&mine, NULL);
    make_scene(&other, NULL);
    char *theirs = slurp(other.file, &size);
    spill(mine.file, theirs, size);
    assert_false(answers_right(&mine));
    assert_int_equal(mine.notes, 1);
    free(theirs);

    tree before = tree_read(other.dir);
    evdb *db = open_scene(&other, &platform_real, &store);
    write_rows(store, ROWS, ROWS);
    must(evdb_index_build(store, 1, &why));
    evdb_store_close(store);
    evdb_close(db);
    char *later = slurp(other.file, &size);
    tree_write(&before, other.dir);
    spill(other.file, later, size);
    assert_false(answers_right(&other));
    assert_int_equal(other.notes, 1);
    free(later);
    tree_free(&before);
    dir_remove(mine.dir);
    dir_remove(other.dir);
}

static void told(void *context, const char *store, const char *text)
{
    char *all = context;
    assert_string_equal(store, "s");
    snprintf(all + strlen(all), 4096 - strlen(all), "%s\n", text);
}

static void expect_verified(scene *s, const char *problem)
{
    evdb_verify_report report;
    char all[4096] = "";
    evdb *db;
    must(evdb_open(s->dir, NULL, &db, &why));
    must(evdb_verify(db, NULL, told, all, &report, &why));
    evdb_close(db);
    if (problem && !strstr(all, problem)) fail_msg("not told: %s, but: %s", problem, all);
    if (!problem && report.problems) fail_msg("%s", all);
}

/* Two futures of one store: with as many changes, but other vectors. */
static void verify_tells_an_index_whose_rows_are_not_those_of_the_store(void **state)
{
    scene s;
    size_t size;
    evdb_store *store;
    (void)state;
    make_scene(&s, NULL);
    expect_verified(&s, NULL);
    tree before = tree_read(s.dir);
    evdb *db = open_scene(&s, &platform_real, &store);
    write_rows(store, ROWS, ROWS);
    must(evdb_index_build(store, 1, &why));
    evdb_store_close(store);
    evdb_close(db);
    expect_verified(&s, NULL);
    char *other = slurp(s.file, &size);
    tree_write(&before, s.dir);
    db = open_scene(&s, &platform_real, &store);
    write_rows(store, ROWS, ROWS); /* drawn anew */
    must(evdb_record_delete(store, (evdb_id){ .number = 3 }, 0, &why));
    evdb_store_close(store);
    evdb_close(db);
    expect_verified(&s, NULL); /* the old file, and what came after it */
    spill(s.file, other, size);
    expect_verified(&s, "index: has another vector for record 7");
    free(other);
    tree_free(&before);
    dir_remove(s.dir);
}

typedef struct failing_io {
    long left; /* operations on the index's file until one fails */
    bool failed;
} failing_io;

static int fail_one(void *context, const io_event *event)
{
    failing_io *f = context;
    if (!strstr(event->path, "/index") || f->failed || --f->left > 0) return 0;
    f->failed = true;
    return EIO;
}

static void saving_that_fails_at_any_operation_leaves_what_was_there(void **state)
{
    (void)state;
    for (long at = 1;; at++) {
        scene s;
        evdb_store *store;
        failing_io f = { .left = at };
        platform p = platform_real;
        make_scene(&s, NULL);
        p.io = (io_gate){ &f, fail_one };
        evdb *db = open_scene(&s, &p, &store);
        write_rows(store, ROWS, ROWS);
        must(evdb_index_build(store, 1, &why));
        search(store, s.query, EVDB_SEARCH_EXACT, s.expected);
        evdb_store_close(store);
        evdb_close(db);
        (void)answers_right(&s);
        dir_remove(s.dir);
        if (!f.failed) break;
        assert_true(at < 1000);
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_anywhere_is_noticed_and_does_no_harm),
        cmocka_unit_test(a_file_cut_anywhere_is_built_anew),
        cmocka_unit_test(what_came_after_the_file_is_followed_or_loaded),
        cmocka_unit_test(verify_tells_an_index_whose_rows_are_not_those_of_the_store),
        cmocka_unit_test(an_index_of_another_store_or_of_the_future_is_set_aside),
        cmocka_unit_test(saving_that_fails_at_any_operation_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
