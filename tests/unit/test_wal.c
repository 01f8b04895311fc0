/* test_wal.c - disk/wal.h on logs that SQLite wrote: whole, torn, flipped, and overwritten from the start. */
#include "disk/wal.h"
#include "expect.h"
#include "platform/platform.h"
#include "scratch.h"
#include "seed.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 32, FRAME = 24 + 4096, COMMITS = 12 };

/* A log of COMMITS commits, as bytes. */
typedef struct log_bytes {
    unsigned char *at;
    size_t size, frames;
} log_bytes;

static log_bytes take(const char *path)
{
    log_bytes l = { 0 };
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    l.size = (size_t)ftell(file);
    rewind(file);
    l.at = malloc(l.size);
    assert_non_null(l.at);
    assert_int_equal(fread(l.at, 1, l.size, file), l.size);
    fclose(file);
    assert_int_equal((l.size - HEADER) % FRAME, 0);
    l.frames = (l.size - HEADER) / FRAME;
    return l;
}

static void run(sqlite3 *db, const char *text) { assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK); }

/* With `restarted` the log was checkpointed and has been overwritten from its start by fewer commits. */
static log_bytes write_log(const scratch *t, bool restarted)
{
    char path[2 * SCRATCH_PATH_MAX], text[100];
    sqlite3 *db;
    snprintf(path, sizeof(path), "%s/plain.db", t->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE a(x)");
    if (restarted) {
        for (int i = 0; i < COMMITS; i++) run(db, "INSERT INTO a VALUES(zeroblob(9000))");
        run(db, "PRAGMA wal_checkpoint");
    }
    for (int i = 0; i < COMMITS / (restarted ? 4 : 1); i++) {
        snprintf(text, sizeof(text), "INSERT INTO a VALUES(randomblob(%d))", 10 + i % 3 * 6000); /* one or more frames */
        run(db, text);
    }
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "-wal");
    log_bytes l = take(path);
    sqlite3_close(db);
    return l;
}

static bool commits(const log_bytes *l, size_t frame)
{
    static const unsigned char zero[4];
    return memcmp(l->at + HEADER + frame * FRAME + 4, zero, 4) != 0;
}

static wal_report inspect(const scratch *t, const void *bytes, size_t size)
{
    const char *path = scratch_path(t, "log");
    wal_report report;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    memset(&report, 0x5a, sizeof(report));
    ok(wal_inspect(&platform_real, path, &report, &why));
    return report;
}

static void a_log_that_is_not_there_or_empty_holds_nothing(void **state)
{
    scratch *t = *state;
    wal_report r;
    ok(wal_inspect(&platform_real, scratch_path(t, "missing"), &r, &why));
    assert_true(r.frames == 0 && r.broken == 0 && r.commits_behind == 0);
    r = inspect(t, "", 0);
    assert_true(r.frames == 0 && r.broken == 0 && r.commits_behind == 0);
}

static void a_sound_log_is_sound_to_its_end(void **state)
{
    scratch *t = *state;
    log_bytes l = write_log(t, false);
    wal_report r = inspect(t, l.at, l.size);
    assert_true(l.frames > COMMITS);
    assert_int_equal(r.frames, l.frames);
    assert_int_equal(r.bytes, l.size);
    assert_int_equal(r.broken, 0);
    assert_int_equal(r.commits_behind, 0);
    free(l.at);
}

static void a_torn_end_is_no_damage(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    log_bytes l = write_log(t, false);
    for (int round = 0; round < 50; round++) {
        size_t size = HEADER + seed_below(&seed, l.size - HEADER);
        wal_report r = inspect(t, l.at, size);
        assert_int_equal(r.frames, (size - HEADER) / FRAME);
        assert_int_equal(r.bytes, HEADER + r.frames * FRAME);
        assert_true(r.broken == 0 && r.commits_behind == 0);
    }
    free(l.at);
}

static void a_flipped_bit_is_found_and_so_are_the_commits_behind_it(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    log_bytes l = write_log(t, false);
    for (int round = 0; round < 300; round++) {
        size_t frame = seed_below(&seed, l.frames), at = seed_below(&seed, FRAME), behind = 0;
        unsigned char *byte = l.at + HEADER + frame * FRAME + at, bit = (unsigned char)(1 << seed_below(&seed, 8));
        /* what a frame says of itself is what the next one is computed from */
        size_t next = frame + (at >= 16 && at < 24 ? 2 : 1);
        for (size_t i = next; i < l.frames; i++) behind += commits(&l, i);
        *byte ^= bit;
        wal_report r = inspect(t, l.at, l.size);
        *byte ^= bit;
        assert_int_equal(r.frames, frame);
        assert_int_equal(r.broken, frame + 1);
        if (r.commits_behind != behind)
            fail_msg("bit %zu of frame %zu of %zu: %llu commits behind, not %zu", at, frame, l.frames,
                     (unsigned long long)r.commits_behind, behind);
    }
    free(l.at);
}

static void frames_of_an_earlier_round_are_not_counted(void **state)
{
    scratch *t = *state;
    log_bytes l = write_log(t, true);
    wal_report r = inspect(t, l.at, l.size);
    assert_true(r.frames > 0 && r.frames < l.frames);
    assert_int_equal(r.commits_behind, 0);
    assert_int_equal(r.bytes, HEADER + r.frames * FRAME);
    l.at[HEADER + 30] ^= 1; /* and damage is still told from them */
    size_t behind = 0;
    for (size_t i = 1; i < r.frames; i++) behind += commits(&l, i);
    r = inspect(t, l.at, l.size);
    assert_int_equal(r.frames, 0);
    assert_int_equal(r.broken, 1);
    assert_int_equal(r.commits_behind, behind);
    free(l.at);
}

static void any_bytes_are_inspected_without_harm(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    log_bytes l = write_log(t, false);
    for (int round = 0; round < 300; round++) {
        size_t size = seed_below(&seed, l.size + 1);
        unsigned char *bytes = malloc(size + 1);
        assert_non_null(bytes);
        memcpy(bytes, l.at, size);
        for (uint64_t n = seed_below(&seed, 20); n && size; n--)
            bytes[seed_below(&seed, seed_below(&seed, 2) || size < HEADER ? size : HEADER)] = (unsigned char)seed_next(&seed);
        wal_report r = inspect(t, bytes, size);
        assert_true(r.frames <= l.frames && r.broken <= l.frames && r.commits_behind <= l.frames);
        free(bytes);
    }
    free(l.at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_is_not_there_or_empty_holds_nothing),
        TEST(a_sound_log_is_sound_to_its_end),
        TEST(a_torn_end_is_no_damage),
        TEST(a_flipped_bit_is_found_and_so_are_the_commits_behind_it),
        TEST(frames_of_an_earlier_round_are_not_counted),
        TEST(any_bytes_are_inspected_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
