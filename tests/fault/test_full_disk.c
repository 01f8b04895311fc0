/* test_full_disk.c - a disk without room: writes are refused with EVDB_FULL and nothing else happens. Reads and deletes go on, and so do
 * writes once there is room, whether deletes made it or somebody else, all without reopening.
 *
 * On a small file system in memory, where one may be mounted, and on a disk that only says that it is full, from each write on. */
#include "expect.h"
#include "gated.h"
#include "scratch.h"
#include "seed.h"
#include "small_disk.h"
#include "tree.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISK = 8 << 20, DIM = 384, ROWS = 5000, WRITERS = 4 };

/* A store, and what it must hold. */
typedef struct scene {
    char *dir, *path;
    evdb *db;
    evdb_store *store;
    bool there[ROWS];
    unsigned said; /* messages to the log */
    char last[512];
} scene;

static void note(void *context, const char *message)
{
    scene *s = context;
    s->said++;
    snprintf(s->last, sizeof(s->last), "%s", message);
}

static void open_scene(scene *s, io_gate gate)
{
    evdb_options o = EVDB_OPTIONS;
    o.log = note;
    o.log_context = s;
    ok(gated_open(gate, s->path, &o, &s->db, &why));
}

static void close_scene(scene *s)
{
    evdb_store_close(s->store);
    evdb_close(s->db);
    s->store = NULL;
}

static void reopen(scene *s)
{
    close_scene(s);
    open_scene(s, (io_gate){ NULL, gated_no_sync });
    ok(evdb_store_open(s->db, "s", &s->store, &why));
}

static void make_vector(int64_t n, float out[DIM])
{
    for (unsigned i = 0; i < DIM; i++) out[i] = (float)((n * 31 + i * 7) % 101) + 0.5f;
}

static evdb_status put(scene *s, int64_t n)
{
    float vector[DIM];
    make_vector(n, vector);
    evdb_status rc = evdb_record_upsert(s->store, num(n), vector, DIM, "{\"a\": 1}", NULL, &why);
    if (rc == EVDB_OK) s->there[n] = true;
    return rc;
}

static evdb_status take(scene *s, int64_t n)
{
    evdb_status rc = evdb_record_delete(s->store, num(n), 0, &why);
    if (rc == EVDB_OK) s->there[n] = false;
    return rc;
}

static void search(scene *s)
{
    evdb_result *found;
    float query[DIM];
    make_vector(5, query);
    ok(evdb_search(s->store, query, DIM, NULL, &found, &why));
    evdb_result_free(found);
}

static void check(scene *s)
{
    evdb_verify_report report;
    uint64_t count = 0;
    for (int64_t n = 0; n < ROWS; n++) {
        evdb_record *record;
        evdb_status rc = evdb_record_get(s->store, num(n), &record, &why);
        if (rc != (s->there[n] ? EVDB_OK : EVDB_NOT_FOUND)) fail_msg("record %d, there: %d: %s", (int)n, s->there[n], why.message);
        if (rc == EVDB_OK) evdb_record_free(record);
        count += s->there[n];
    }
    assert_int_equal(scratch_count(s->store), count);
    ok(evdb_verify(s->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

/* Puts one by one until there is no room; answers how many. */
static int64_t fill_store(scene *s)
{
    int64_t n = 0;
    evdb_status rc = EVDB_OK;
    while (n < ROWS && (rc = put(s, n)) == EVDB_OK) n++;
    assert_int_equal(rc, EVDB_FULL);
    expect_says("no space left");
    return n;
}

static bool begin(scene *s, size_t bytes)
{
    *s = (scene){ .dir = dir_new() };
    s->path = dir_path(s->dir, "db");
    if (!small_disk_mount(s->dir, bytes)) {
        free(s->path);
        dir_remove(s->dir);
        return false;
    }
    open_scene(s, (io_gate){ NULL, gated_no_sync });
    ok(evdb_store_create(s->db, "s", NULL, &s->store, &why));
    return true;
}

static void end(scene *s)
{
    close_scene(s);
    small_disk_unmount(s->dir);
    free(s->path);
    dir_remove(s->dir);
}

/* ---- a real one ---- */

static void a_store_that_has_filled_the_disk_is_read_and_emptied_and_filled_again(void **state)
{
    scene s;
    uint64_t seed = seed_print();
    int64_t order[ROWS], again = 0;
    (void)state;
    if (!begin(&s, DISK)) skip();
    int64_t count = fill_store(&s);
    small_disk_fill(s.dir);
    printf("%d records of %d bytes in %d\n", (int)count, (int)(DIM * sizeof(float)), DISK);
    assert_true(count > 500);
    search(&s);
    check(&s);
    for (int64_t i = 0, j; i < count; i++) order[i] = order[j = (int64_t)seed_below(&seed, (uint64_t)i + 1)], order[j] = i;
    for (int64_t i = 0; i < count / 2; i++) ok(take(&s, order[i]));
    search(&s);
    while (again < count / 2 && put(&s, order[again]) == EVDB_OK) again++;
    printf("%d deleted, %d put in their room\n", (int)(count / 2), (int)again);
    assert_true(again > count / 8);
    search(&s);
    check(&s);
    reopen(&s);
    check(&s);
    for (int64_t i = 0; i < count; i++)
        if (s.there[order[i]]) ok(take(&s, order[i]));
    check(&s);
    for (int64_t n = 0; n < count / 2; n++) ok(put(&s, n));
    small_disk_clear(s.dir);
    for (int64_t n = count / 2; n < count * 3 / 4; n++) ok(put(&s, n));
    check(&s);
    end(&s);
}

static void room_that_others_take_and_give_back_needs_no_reopening(void **state)
{
    scene s;
    (void)state;
    if (!begin(&s, DISK)) skip();
    for (int64_t n = 0; n < 200; n++) ok(put(&s, n));
    for (int64_t n = 200, round = 0; round < 3; round++) {
        int64_t full = n;
        ok(evdb_store_sync(s.store, &why)); /* or the log is room that this store has alone */
        small_disk_fill(s.dir);
        while (put(&s, full) == EVDB_OK) full++; /* what rows.db, and the reserve for its log, have already */
        assert_int_equal(why.status, EVDB_FULL);
        search(&s);
        ok(take(&s, round));
        refused(EVDB_FULL, evdb_store_create(s.db, "another", NULL, NULL, &why));
        small_disk_clear(s.dir);
        for (n = full + 100; full < n; full++) ok(put(&s, full));
        check(&s);
    }
    end(&s);
}

static void a_full_disk_does_not_keep_a_store_from_being_opened(void **state)
{
    scene s;
    (void)state;
    if (!begin(&s, DISK)) skip();
    int64_t count = fill_store(&s);
    close_scene(&s);
    small_disk_fill(s.dir);
    open_scene(&s, (io_gate){ NULL, gated_no_sync });
    ok(evdb_store_open(s.db, "s", &s.store, &why));
    search(&s);
    for (int64_t n = 0; n < count; n++) ok(take(&s, n));
    ok(put(&s, 7));
    check(&s);
    end(&s);
}

static void a_store_can_be_dropped_and_its_room_is_there_at_once(void **state)
{
    scene s;
    evdb_store *other;
    float vector[DIM] = { 1 };
    (void)state;
    if (!begin(&s, DISK)) skip();
    ok(evdb_store_create(s.db, "other", NULL, &other, &why));
    ok(evdb_record_insert(other, num(1), vector, DIM, NULL, NULL, &why));
    (void)fill_store(&s);
    small_disk_fill(s.dir);
    evdb_store_close(s.store);
    ok(evdb_store_drop(s.db, "s", &why));
    for (int64_t n = 2; n < 300; n++) ok(evdb_record_insert(other, num(n), vector, DIM, NULL, NULL, &why));
    s.store = other;
    end(&s);
}

static void an_index_is_built_and_not_saved_and_backups_leave_nothing(void **state)
{
    scene s;
    evdb_index_status status = { .size = sizeof(status) };
    (void)state;
    if (!begin(&s, 2 * DISK)) skip();
    for (int64_t n = 0; n < 600; n++) ok(put(&s, n));
    small_disk_fill(s.dir);
    ok(evdb_index_build(s.store, 1, &why));
    assert_int_equal(s.said, 1);
    assert_non_null(strstr(s.last, "No space left"));
    search(&s);
    ok(evdb_index_get_status(s.store, &status, &why));
    assert_int_equal(status.disk_bytes, 0);
    refused(EVDB_FULL, evdb_backup_create(s.store, "b", NULL, NULL, &why));
    assert_int_equal(dir_entries(s.path, "backups", true), 1); /* the folder's lock */
    assert_int_equal(dir_entries(s.path, "backups", false), 1);
    small_disk_clear(s.dir);
    ok(evdb_index_build(s.store, 1, &why));
    ok(evdb_index_get_status(s.store, &status, &why));
    assert_int_equal(s.said, 1);
    assert_true(status.disk_bytes > 0);
    check(&s);
    end(&s);
}

typedef struct writer {
    scene *s;
    int64_t first, count;
    unsigned refused, deleted;
    evdb_status other;
} writer;

/* Deletes and puts in turns, so that groups of both come together. */
static void *write_both(void *context)
{
    writer *w = context;
    float vector[DIM];
    evdb_error err;
    for (int64_t i = 0; i < w->count; i++) {
        make_vector(i, vector);
        evdb_status rc = evdb_record_insert(w->s->store, num(ROWS + w->first + i), vector, DIM, NULL, NULL, &err);
        w->refused += rc == EVDB_FULL;
        if (rc != EVDB_OK && rc != EVDB_FULL) w->other = rc;
        rc = evdb_record_delete(w->s->store, num(w->first + i), 0, &err);
        w->deleted += rc == EVDB_OK;
        if (rc != EVDB_OK) w->other = rc;
    }
    return NULL;
}

static void deletes_that_share_a_commit_with_writes_go_on(void **state)
{
    scene s;
    writer w[WRITERS];
    pthread_t threads[WRITERS];
    (void)state;
    if (!begin(&s, DISK)) skip();
    int64_t count = fill_store(&s);
    unsigned refusals = 0;
    small_disk_fill(s.dir);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (writer){ .s = &s, .first = count / WRITERS * i, .count = count / WRITERS };
        assert_int_equal(pthread_create(&threads[i], NULL, write_both, &w[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].other, EVDB_OK);
        assert_int_equal(w[i].deleted, w[i].count);
        refusals += w[i].refused;
    }
    printf("%u writes refused\n", refusals);
    assert_true(refusals > 0);
    end(&s);
}

/* Small records of long names, deleted so that no page comes free for long: the feed of changes grows, until it gives up its oldest ones. */
static void deletes_go_on_beyond_the_reserve(void **state)
{
    enum { MANY = 12000, BATCH = 1000, NAME = 240 };
    static char names[BATCH][NAME + 1];
    evdb_id ids[BATCH];
    float vectors[BATCH];
    scene s;
    evdb_batch batch = EVDB_BATCH;
    evdb_changes *changes;
    (void)state;
    if (!begin(&s, 3 * DISK)) skip();
    batch.kind = EVDB_INSERT;
    batch.count = BATCH;
    batch.ids = ids;
    batch.vectors = vectors;
    batch.dim = 1;
    for (int first = 0; first < MANY; first += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            snprintf(names[i], sizeof(names[i]), "%0*d", NAME, first + i);
            ids[i] = str(names[i]);
            vectors[i] = (float)i + 1;
        }
        ok(evdb_batch_write(s.store, &batch, NULL, &why));
    }
    ok(evdb_store_sync(s.store, &why));
    small_disk_fill(s.dir);
    for (int turn = 0; turn < 3; turn++)
        for (int n = turn; n < MANY; n += 3) {
            snprintf(names[0], sizeof(names[0]), "%0*d", NAME, n);
            ok(evdb_record_delete(s.store, str(names[0]), 0, &why));
        }
    assert_int_equal(scratch_count(s.store), 0);
    refused(EVDB_GONE, evdb_changes_read(s.store, 0, 1, &changes, &why));
    end(&s);
}

/* ---- one that says so ---- */

static void expect_ok_or_full(evdb_status rc, long left)
{
    if (rc != EVDB_OK && rc != EVDB_FULL) fail_msg("%ld bytes left: %s", left, why.message);
}

/* Writes and deletes behind a disk that has `left` bytes; false when that was enough. */
static bool attempt(long left, uint64_t seed)
{
    enum { SOME = 120, STEPS = 160 };
    scene s = { .dir = dir_new() };
    told_disk disk = { .left = 64 << 20 };
    s.path = dir_path(s.dir, "db");
    open_scene(&s, told_disk_gate(&disk));
    ok(evdb_store_create(s.db, "s", NULL, &s.store, &why));
    for (int64_t n = 0; n < SOME; n++) ok(put(&s, n));
    atomic_store(&disk.left, left);
    for (int step = 0; step < STEPS; step++) {
        int64_t n = (int64_t)seed_below(&seed, SOME * 2);
        if (s.there[n] && step % 2) {
            if (take(&s, n) != EVDB_OK) fail_msg("a delete, %ld bytes left, step %d: %s", left, step, why.message);
        } else expect_ok_or_full(put(&s, n), left);
        if (step % 40 == 0) search(&s);
        if (step % 64 == 63) expect_ok_or_full(evdb_store_sync(s.store, &why), left);
    }
    bool met = atomic_load(&disk.refused) > 0;
    check(&s);
    reopen(&s);
    check(&s);
    close_scene(&s);
    free(s.path);
    dir_remove(s.dir);
    return met;
}

static void the_disk_may_be_full_behind_any_number_of_bytes(void **state)
{
    uint64_t seed = seed_print();
    long left = 0, tried = 0;
    (void)state;
    for (; attempt(left, seed); left += 8192 + (long)seed_below(&seed, 120000)) tried++;
    printf("%ld disks, of up to %ld bytes\n", tried, left);
    assert_true(tried > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_has_filled_the_disk_is_read_and_emptied_and_filled_again),
        cmocka_unit_test(room_that_others_take_and_give_back_needs_no_reopening),
        cmocka_unit_test(a_full_disk_does_not_keep_a_store_from_being_opened),
        cmocka_unit_test(a_store_can_be_dropped_and_its_room_is_there_at_once),
        cmocka_unit_test(an_index_is_built_and_not_saved_and_backups_leave_nothing),
        cmocka_unit_test(deletes_that_share_a_commit_with_writes_go_on),
        cmocka_unit_test(deletes_go_on_beyond_the_reserve),
        cmocka_unit_test(the_disk_may_be_full_behind_any_number_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
