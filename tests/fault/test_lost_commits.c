/* test_lost_commits.c - sound commits behind a damaged frame of a write-ahead log, which SQLite's recovery would drop without a word: opening
 * a store says which frame is damaged and how many commits lie behind it, and so does verify; of the log of system.db, the database's own
 * log and verify do.
 *
 *   EVDB_SEED=n  repeats a run */
#include "client.h"
#include "gated.h"
#include "memory_io.h"
#include "tree.h"
#include <evdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 12, LOGINS = 12, WAL_HEADER = 32, FRAME_HEADER = 24, TEXT_MAX = 600 };

typedef struct scene {
    char *dir;
    tree files;
    client who;
    evdb_token tokens[LOGINS];
    uint64_t seed;
    char told[TEXT_MAX], found[TEXT_MAX]; /* the last line of the log, the last problem of verify */
} scene;

static void note(void *context, const char *text) { snprintf(((scene *)context)->told, TEXT_MAX, "%s", text); }

static void find(void *context, const char *store, const char *text)
{
    (void)store;
    snprintf(((scene *)context)->found, TEXT_MAX, "%s", text);
}

static evdb_status open_scene(scene *s, evdb **db, evdb_error *err)
{
    evdb_options o = EVDB_OPTIONS;
    o.log = note;
    o.log_context = s;
    *s->told = *s->found = 0;
    return gated_open((io_gate){ .before = gated_no_sync }, s->dir, &o, db, err);
}

/* Each record and each login is a commit of its own. The files are those that a killed process leaves. */
static int make(void **state)
{
    scene *s = calloc(1, sizeof(*s));
    evdb_error err;
    evdb_store *store;
    evdb *db;
    s->seed = seed_print();
    s->dir = dir_new();
    must(open_scene(s, &db, &err), &err, "open");
    must(evdb_store_create(db, "s", NULL, &store, &err), &err, "create");
    must(evdb_store_sync(store, &err), &err, "sync");
    for (int i = 0; i < RECORDS; i++)
        must(evdb_record_insert(store, (evdb_id){ .number = i }, (float[]){ 1, (float)i }, 2, NULL, NULL, &err), &err, "insert");
    s->who = client_new(db, "c");
    for (int i = 0; i < LOGINS; i++) s->tokens[i] = client_login(db, &s->who);
    s->files = tree_read(s->dir);
    evdb_store_close(store);
    evdb_close(db);
    *state = s;
    return 0;
}

static int drop(void **state)
{
    scene *s = *state;
    tree_free(&s->files);
    dir_remove(s->dir);
    free(s);
    return 0;
}

static uint32_t big32(const unsigned char *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static size_t frame_size(const tree_file *log) { return FRAME_HEADER + big32(log->bytes + 8); }
static size_t frames(const tree_file *log) { return (log->size - WAL_HEADER) / frame_size(log); }
static bool commits(const tree_file *log, size_t frame) { return big32(log->bytes + WAL_HEADER + frame * frame_size(log) + 4) != 0; }

static size_t commits_behind(const tree_file *log, size_t frame)
{
    size_t count = 0;
    for (size_t i = frame + 1; i < frames(log); i++) count += commits(log, i);
    return count;
}

/* A bit of the page in a frame. */
static unsigned char *bit_of(scene *s, tree_file *log, size_t frame, unsigned char *mask)
{
    size_t size = frame_size(log);
    *mask = (unsigned char)(1u << seed_below(&s->seed, 8));
    return log->bytes + WAL_HEADER + frame * size + FRAME_HEADER + seed_below(&s->seed, size - FRAME_HEADER);
}

static void expect_told(const char *text, size_t frame, size_t behind)
{
    char first[60], second[60];
    snprintf(first, sizeof(first), "frame %zu ", frame + 1);
    snprintf(second, sizeof(second), " %zu sound commits lie behind it", behind);
    if (!strstr(text, first) || !strstr(text, second)) fail_msg("frame %zu, with %zu commits behind: '%s'", frame + 1, behind, text);
}

/* ---- a store ---- */

static void examine_store(scene *s, size_t frame, size_t behind)
{
    evdb_verify_report report;
    evdb_store *store;
    evdb_error err;
    evdb *db;
    tree_write(&s->files, s->dir);
    must(open_scene(s, &db, &err), &err, "open");
    assert_int_equal(evdb_store_open(db, "s", &store, &err), EVDB_CORRUPT);
    expect_told(err.message, frame, behind);
    must(evdb_verify(db, NULL, find, s, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 1);
    expect_told(s->found, frame, behind);
    evdb_close(db);
}

static void lost_commits_of_a_store_are_told_by_opening_it_and_by_verify(void **state)
{
    scene *s = *state;
    tree_file *log = tree_find(&s->files, "rows.db-wal", 0), *hint = tree_find(&s->files, "/hint", 0);
    unsigned told = 0;
    assert_true(log && hint);
    for (hint->absent = 0; hint->absent < 2; hint->absent++) {
        for (size_t frame = 0; frame < frames(log); frame++) {
            unsigned char mask, *at = bit_of(s, log, frame, &mask);
            size_t behind = commits_behind(log, frame);
            /* without the hint, the only commit behind may be the one that the frame is of, cut short */
            if (!behind || (hint->absent && behind == 1 && !commits(log, frame))) continue;
            *at ^= mask;
            examine_store(s, frame, behind);
            *at ^= mask;
            told++;
        }
    }
    assert_true(told >= 2 * (RECORDS - 1));
}

/* ---- system.db ---- */

static bool works(evdb *db, const scene *s, const evdb_token *token)
{
    evdb_token next;
    evdb_error err;
    evdb_status rc = evdb_auth_token_refresh(db, s->who.id, s->who.secret, token->refresh, NULL, &next, &err);
    assert_true(rc == EVDB_OK || rc == EVDB_GONE);
    return rc == EVDB_OK;
}

static void lost_tokens_are_told_by_the_log_and_by_verify(void **state)
{
    scene *s = *state;
    tree_file *log = tree_find(&s->files, "system.db-wal", 0);
    evdb_verify_report report;
    evdb_error err;
    evdb *db;
    unsigned lost = 0;
    assert_non_null(log);
    for (size_t frame = 0; frame < frames(log); frame++) {
        unsigned char mask, *at = bit_of(s, log, frame, &mask);
        size_t behind = commits_behind(log, frame);
        if (!behind || (behind == 1 && !commits(log, frame))) continue;
        *at ^= mask;
        tree_write(&s->files, s->dir);
        *at ^= mask;
        must(open_scene(s, &db, &err), &err, "open");
        expect_told(s->told, frame, behind);
        must(evdb_verify(db, NULL, find, s, &report, &err), &err, "verify");
        assert_int_equal(report.problems, 1);
        expect_told(s->found, frame, behind);
        for (int i = 0; i < LOGINS; i++) lost += !works(db, s, &s->tokens[i]);
        evdb_close(db);
    }
    assert_true(lost > 0);
}

static void sound_logs_tell_of_nothing(void **state)
{
    scene *s = *state;
    evdb_verify_report report;
    evdb_store *store;
    evdb_error err;
    evdb *db;
    uint64_t count;
    tree_write(&s->files, s->dir);
    must(open_scene(s, &db, &err), &err, "open");
    assert_string_equal(s->told, "");
    must(evdb_verify(db, NULL, find, s, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 0);
    must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
    must(evdb_store_count(store, &count, &err), &err, "count");
    assert_int_equal(count, RECORDS);
    for (int i = 0; i < LOGINS; i++) assert_true(works(db, s, &s->tokens[i]));
    evdb_store_close(store);
    evdb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_logs_tell_of_nothing, make, drop),
        cmocka_unit_test_setup_teardown(lost_commits_of_a_store_are_told_by_opening_it_and_by_verify, make, drop),
        cmocka_unit_test_setup_teardown(lost_tokens_are_told_by_the_log_and_by_verify, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
