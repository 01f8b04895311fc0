/* test_database.c - evdb/database.h: opening, what is refused, allocators and the log. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static void opening_creates_the_last_directory_only(void **state)
{
    scratch *t = *state;
    evdb *db = NULL;
    refused(EVDB_NOT_FOUND, evdb_open(scratch_path(t, "missing/db"), NULL, &db, &why));
    assert_null(db);
    assert_false(exists(scratch_path(t, "missing")));
    ok(evdb_open(t->path, NULL, &db, &why));
    assert_string_equal(evdb_path(db), t->path);
    assert_true(exists(scratch_path(t, "db/system.db")));
    evdb_close(db);
    assert_int_equal(mkdir(scratch_path(t, "empty"), 0777), 0);
    ok(evdb_open(scratch_path(t, "empty"), NULL, &db, &why));
    evdb_close(db);
    evdb_close(NULL);
}

static void an_existing_database_can_be_demanded(void **state)
{
    scratch *t = *state;
    evdb *db = NULL;
    evdb_options o = EVDB_OPTIONS;
    o.flags = EVDB_OPEN_EXISTING;
    refused(EVDB_NOT_FOUND, evdb_open(t->path, &o, &db, &why));
    assert_false(exists(t->path));
    refused(EVDB_NOT_FOUND, evdb_open(t->dir, &o, &db, &why)); /* an empty directory is none */
    assert_false(exists(scratch_path(t, "system.db")));
    assert_null(db);
    ok(evdb_open(t->path, NULL, &db, &why));
    evdb_close(db);
    ok(evdb_open(t->path, &o, &db, &why));
    evdb_close(db);
}

static void a_directory_of_something_else_is_left_alone(void **state)
{
    scratch *t = *state;
    evdb *db = NULL;
    FILE *file = fopen(scratch_path(t, "photo.jpg"), "w");
    assert_non_null(file);
    fclose(file);
    refused(EVDB_INVALID, evdb_open(t->dir, NULL, &db, &why));
    expect_says(t->dir);
    assert_false(exists(scratch_path(t, "system.db")));
    assert_false(exists(scratch_path(t, "system.lock")));
    refused(EVDB_INVALID, evdb_open(scratch_path(t, "photo.jpg"), NULL, &db, &why));
    expect_says("not a directory");
    refused(EVDB_INVALID, evdb_open("", NULL, &db, &why));
    refused(EVDB_INVALID, evdb_open(NULL, NULL, &db, &why));
    assert_null(db);
}

/* In a child that is not root, since root may do anything. */
static void an_unwritable_directory_is_denied(void **state)
{
    scratch *t = *state;
    int status;
    assert_int_equal(mkdir(t->path, 0555), 0);
    assert_int_equal(chmod(t->dir, 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        evdb *db;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(99);
        _exit((int)evdb_open(t->path, NULL, &db, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 99) skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EVDB_DENIED);
}

static void a_database_in_memory_is_private_and_vanishes(void **state)
{
    evdb *a, *b;
    evdb_store *store;
    float v[2] = { 1, 2 };
    evdb_result *found;
    (void)state;
    ok(evdb_open(":memory:", NULL, &a, &why));
    ok(evdb_open(":memory:", NULL, &b, &why));
    assert_string_equal(evdb_path(a), ":memory:");
    ok(evdb_store_create(a, "s", NULL, &store, &why));
    ok(evdb_record_insert(store, str("x"), v, 2, NULL, NULL, &why));
    evdb_store_close(store);
    ok(evdb_store_open(a, "s", &store, &why));
    ok(evdb_store_sync(store, &why));
    ok(evdb_search(store, v, 2, NULL, &found, &why));
    assert_int_equal(found->count, 1);
    evdb_result_free(found);
    evdb_store_close(store);
    refused(EVDB_NOT_FOUND, evdb_store_open(b, "s", &store, &why));
    ok(evdb_store_drop(a, "s", &why));
    refused(EVDB_NOT_FOUND, evdb_store_open(a, "s", &store, &why));
    evdb_close(a);
    evdb_close(b);
    ok(evdb_open(":memory:", NULL, &a, &why));
    refused(EVDB_NOT_FOUND, evdb_store_open(a, "s", &store, &why));
    evdb_close(a);
    assert_false(exists(":memory:"));
}

static void two_handles_to_one_directory_see_each_other(void **state)
{
    scratch *t = *state;
    evdb *a, *b;
    evdb_store *sa, *sb;
    evdb_result *found;
    float v[2] = { 1, 2 };
    ok(evdb_open(t->path, NULL, &a, &why));
    ok(evdb_open(t->path, NULL, &b, &why));
    ok(evdb_store_create(a, "s", NULL, &sa, &why));
    ok(evdb_store_open(b, "s", &sb, &why));
    for (int i = 0; i < 10; i++) {
        ok(evdb_record_insert(i % 2 ? sa : sb, num(i), v, 2, NULL, NULL, &why));
        assert_int_equal(scratch_count(i % 2 ? sb : sa), i + 1);
        ok(evdb_search(i % 2 ? sb : sa, v, 2, NULL, &found, &why));
        assert_int_equal(found->count, i + 1);
        evdb_result_free(found);
    }
    refused(EVDB_EXISTS, evdb_record_insert(sb, num(1), v, 2, NULL, NULL, &why));
    refused(EVDB_EXISTS, evdb_store_create(b, "s", NULL, NULL, &why));
    ok(evdb_store_drop(b, "s", &why));
    refused(EVDB_NOT_FOUND, evdb_record_insert(sa, num(99), v, 2, NULL, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_search(sa, v, 2, NULL, &found, &why));
    evdb_store_close(sa);
    evdb_store_close(sb);
    evdb_close(a);
    evdb_close(b);
}

/* ---- allocators ---- */

typedef struct ledger { atomic_long blocks, calls; } ledger;

static void *count_in(ledger *l, void *block)
{
    if (block) atomic_fetch_add(&l->blocks, 1);
    atomic_fetch_add(&l->calls, 1);
    return block;
}

static void *counting_allocate(void *context, size_t bytes) { return count_in(context, malloc(bytes)); }

static void *counting_reallocate(void *context, void *block, size_t bytes)
{
    void *to = realloc(block, bytes);
    return block ? to : count_in(context, to);
}

static void counting_release(void *context, void *block)
{
    ledger *l = context;
    if (block) atomic_fetch_sub(&l->blocks, 1);
    free(block);
}

static void use_clients(evdb *db)
{
    evdb_client *list;
    size_t count;
    client c = client_new(db, "a");
    evdb_token token = client_login(db, &c), next = client_refresh(db, &c, token.refresh);
    assert_true(client_token_good(db, next.access));
    client_refresh_gone(db, &c, token.refresh);
    refused(EVDB_EXISTS, evdb_auth_client_add(db, "a", NULL, 0, 0, c.secret, &why));
    ok(evdb_auth_client_list(db, &list, &count, &why));
    evdb_auth_client_list_free(list);
    ok(evdb_auth_client_rotate(db, "a", NULL, c.secret, &why));
    ok(evdb_auth_client_remove(db, "a", &why));
}

/* Calls that succeed and calls that fail, of every kind. */
static void use_everything(evdb *db)
{
    evdb_store *store;
    evdb_record *record;
    const evdb_record *next;
    evdb_result *found;
    evdb_cursor *cursor;
    evdb_changes *changes;
    evdb_ticket *ticket;
    evdb_store_info *info, **list;
    evdb_verify_report report;
    evdb_search_options with = EVDB_SEARCH_OPTIONS;
    evdb_batch batch = EVDB_BATCH;
    size_t count;
    char misaligned[4 * sizeof(float) + 1];
    float v[4] = { 1, 2, 3, 4 }, zero[4] = { 0 };
    evdb_id ids[2] = { str("b"), str("c") };
    const char *metadata[2] = { "{\"a\":1}", NULL };
    memcpy(misaligned + 1, v, sizeof(v));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    refused(EVDB_EXISTS, evdb_store_create(db, "s", NULL, NULL, &why));
    ok(evdb_record_insert(store, str("a"), (const float *)(const void *)(misaligned + 1), 4, "{\"x\":1}", NULL, &why));
    refused(EVDB_EXISTS, evdb_record_insert(store, str("a"), v, 4, "{\"x\":1}", NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert(store, str("b"), zero, 4, NULL, NULL, &why));
    batch.kind = EVDB_UPSERT;
    batch.count = 1;
    batch.ids = ids;
    batch.vectors = v;
    batch.dim = 4;
    batch.metadata = metadata;
    ok(evdb_batch_submit(store, &batch, &ticket, &why));
    ok(evdb_ticket_wait(ticket, NULL, &why));
    evdb_ticket_free(ticket);
    batch.vectors = zero;
    refused_item(EVDB_INVALID, 0, evdb_batch_submit(store, &batch, &ticket, &why));
    ok(evdb_record_get(store, str("a"), &record, &why));
    evdb_record_free(record);
    refused(EVDB_NOT_FOUND, evdb_record_get(store, str("nobody"), &record, &why));
    with.flags = EVDB_SEARCH_METADATA;
    ok(evdb_search(store, v, 4, &with, &found, &why));
    evdb_result_free(found);
    refused(EVDB_INVALID, evdb_search(store, zero, 4, &with, &found, &why));
    ok(evdb_cursor_open(store, NULL, &cursor, &why));
    ok(evdb_cursor_next(cursor, &next, &why));
    evdb_cursor_close(cursor);
    ok(evdb_changes_read(store, 0, 0, &changes, &why));
    evdb_changes_free(changes);
    ok(evdb_store_describe(store, &info, &why));
    evdb_store_info_free(info);
    ok(evdb_store_list(db, &list, &count, &why));
    evdb_store_list_free(list, count);
    ok(evdb_verify(db, NULL, NULL, NULL, &report, &why));
    ok(evdb_record_delete(store, str("a"), 0, &why));
    evdb_store_close(store);
    ok(evdb_store_rename(db, "s", "t", &why));
    ok(evdb_store_drop(db, "t", &why));
    use_clients(db);
}

static void a_custom_allocator_gets_everything_back(void **state)
{
    scratch *t = *state;
    ledger l = { 0 };
    evdb_options o = EVDB_OPTIONS;
    const char *const paths[] = { ":memory:", t->path, t->path };
    evdb *db;
    for (int i = 0; i < 3; i++) {
        evdb_allocator counting = { &l, counting_allocate, counting_reallocate, counting_release };
        o.allocator = &counting;
        ok(evdb_open(paths[i], &o, &db, &why));
        memset(&counting, 0, sizeof(counting)); /* the struct is copied */
        use_everything(db);
        evdb_close(db);
        assert_true(atomic_load(&l.calls) > 0);
        assert_int_equal(atomic_load(&l.blocks), 0);
    }
}

static void a_result_is_freed_after_its_database(void **state)
{
    ledger l = { 0 };
    evdb_allocator counting = { &l, counting_allocate, counting_reallocate, counting_release };
    evdb_options o = EVDB_OPTIONS;
    evdb *db;
    evdb_store *store;
    evdb_result *found;
    float v[1] = { 1 };
    (void)state;
    o.allocator = &counting;
    ok(evdb_open(":memory:", &o, &db, &why));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_record_insert(store, str("a"), v, 1, NULL, NULL, &why));
    ok(evdb_search(store, v, 1, NULL, &found, &why));
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(atomic_load(&l.blocks), 1);
    assert_string_equal(found->ids[0].text, "a");
    evdb_result_free(found);
    assert_int_equal(atomic_load(&l.blocks), 0);
}

static void an_allocator_lacking_a_function_is_refused(void **state)
{
    evdb *db;
    evdb_options o = EVDB_OPTIONS;
    evdb_allocator half = { NULL, counting_allocate, NULL, counting_release };
    (void)state;
    o.allocator = &half;
    refused(EVDB_INVALID, evdb_open(":memory:", &o, &db, &why));
}

/* ---- the log ---- */

static void remember_message(void *context, const char *message) { snprintf(context, 500, "%s", message); }

static void the_log_hears_of_files_that_resist_deletion(void **state)
{
    scratch *t = *state;
    char message[500] = "", stuck[2000];
    evdb_store *store;
    evdb_options o = EVDB_OPTIONS;
    o.log = remember_message;
    o.log_context = message;
    ok(evdb_open(t->path, &o, &t->db, &why));
    store = scratch_store(t, "s", 2, EVDB_COSINE);
    snprintf(stuck, sizeof(stuck), "%s/directory", scratch_folder(store, t));
    evdb_store_close(store);
    assert_string_equal(message, "");
    assert_int_equal(mkdir(stuck, 0777), 0);
    ok(evdb_store_drop(t->db, "s", &why));
    assert_true(strlen(message) > 0);
    refused(EVDB_NOT_FOUND, evdb_store_open(t->db, "s", &store, &why));
    evdb_close(t->db);
    assert_int_equal(rmdir(stuck), 0);
    message[0] = 0;
    ok(evdb_open(t->path, &o, &t->db, &why)); /* the next open clears what is left */
    assert_string_equal(message, "");
    *strrchr(stuck, '/') = 0;
    assert_false(exists(stuck));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_creates_the_last_directory_only),
        TEST(an_existing_database_can_be_demanded),
        TEST(a_directory_of_something_else_is_left_alone),
        TEST(an_unwritable_directory_is_denied),
        cmocka_unit_test(a_database_in_memory_is_private_and_vanishes),
        TEST(two_handles_to_one_directory_see_each_other),
        TEST(a_custom_allocator_gets_everything_back),
        cmocka_unit_test(a_result_is_freed_after_its_database),
        cmocka_unit_test(an_allocator_lacking_a_function_is_refused),
        TEST(the_log_hears_of_files_that_resist_deletion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
