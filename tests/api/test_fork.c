/* test_fork.c - the fork rule of evdb.h: in a child every call on a handle of its parent answers EVDB_FORKED. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct handles {
    evdb *db;
    evdb_store *store;
    evdb_cursor *cursor; /* in the middle of a block */
    evdb_ticket *ticket; /* submitted */
    client client;
    evdb_token token;
    const char *path;
} handles;

static const float pair[2] = { 1, 2 };

/* Number of the first call that does not refuse, 0 = all do. */
static int refuses_everything(const handles *h)
{
    evdb_store *store;
    evdb_store_info *info, **list;
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_record *record;
    const evdb_record *next;
    evdb_result *found;
    evdb_changes *changes;
    evdb_cursor *cursor;
    evdb_ticket *ticket;
    evdb_verify_report report;
    evdb_batch batch = EVDB_BATCH;
    evdb_client *clients;
    evdb_token token;
    evdb_principal who;
    char secret[EVDB_SECRET_BYTES];
    uint64_t count64;
    size_t count;
    const evdb_status answers[] = {
        evdb_store_create(h->db, "new", NULL, &store, NULL),
        evdb_store_open(h->db, "s", &store, NULL),
        evdb_store_rename(h->db, "s", "t", NULL),
        evdb_store_drop(h->db, "s", NULL),
        evdb_store_list(h->db, &list, &count, NULL),
        evdb_verify(h->db, NULL, NULL, NULL, &report, NULL),
        evdb_store_describe(h->store, &info, NULL),
        evdb_store_get_stats(h->store, &stats, NULL),
        evdb_store_count(h->store, &count64, NULL),
        evdb_store_sync(h->store, NULL),
        evdb_record_insert(h->store, num(9), pair, 2, NULL, NULL, NULL),
        evdb_record_upsert(h->store, num(9), pair, 2, NULL, NULL, NULL),
        evdb_record_update(h->store, num(1), pair, 2, NULL, 0, NULL, NULL),
        evdb_record_delete(h->store, num(1), 0, NULL),
        evdb_record_get(h->store, num(1), &record, NULL),
        evdb_batch_write(h->store, &batch, NULL, NULL),
        evdb_batch_submit(h->store, &batch, &ticket, NULL),
        evdb_ticket_wait(h->ticket, NULL, NULL),
        evdb_cursor_open(h->store, NULL, &cursor, NULL),
        evdb_cursor_next(h->cursor, &next, NULL),
        evdb_search(h->store, pair, 2, NULL, &found, NULL),
        evdb_search_range(h->store, pair, 2, 1, NULL, &found, NULL),
        evdb_search_batch(h->store, pair, 1, 0, 2, NULL, &found, NULL),
        evdb_changes_read(h->store, 0, 0, &changes, NULL),
        evdb_changes_trim(h->store, 1, NULL),
        evdb_auth_client_add(h->db, "b", NULL, 0, 0, secret, NULL),
        evdb_auth_client_add(h->db, "c", "chosen by me", 0, 0, NULL, NULL),
        evdb_auth_client_rotate(h->db, "a", NULL, secret, NULL),
        evdb_auth_client_remove(h->db, "a", NULL),
        evdb_auth_client_list(h->db, &clients, &count, NULL),
        evdb_auth_token_issue(h->db, "a", h->client.secret, NULL, &token, NULL),
        evdb_auth_token_refresh(h->db, "a", h->client.secret, h->token.refresh, NULL, &token, NULL),
        evdb_auth_token_check(h->db, h->token.access, NULL, &who, NULL),
    };
    for (int i = 0; i < (int)(sizeof(answers) / sizeof(*answers)); i++)
        if (answers[i] != EVDB_FORKED) return i + 1;
    return 0;
}

/* What the child does with its copies; its exit status. */
static int in_child(const handles *h)
{
    evdb *own;
    evdb_store *store;
    evdb_principal who;
    int wrong = refuses_everything(h);
    if (wrong) return wrong;
    evdb_ticket_free(h->ticket); /* harmless, in this order or none */
    evdb_cursor_close(h->cursor);
    evdb_store_close(h->store);
    evdb_close(h->db);
    if (evdb_open(h->path, NULL, &own, NULL) != EVDB_OK) return 101; /* a database of its own is fine */
    if (evdb_store_open(own, "s", &store, NULL) != EVDB_OK) return 102;
    if (evdb_record_insert(store, num(100), pair, 2, NULL, NULL, NULL) != EVDB_OK) return 103;
    evdb_store_close(store);
    if (evdb_auth_token_check(own, h->token.access, NULL, &who, NULL) != EVDB_OK) return 104;
    evdb_close(own);
    return 0;
}

static void a_child_is_refused_and_its_closing_harms_nobody(void **state)
{
    scratch *t = *state;
    handles h = { .db = t->db, .store = scratch_store(t, "s", 2, EVDB_COSINE), .path = t->path };
    const int64_t submitted = 50;
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = 1, .numbers = &submitted, .vectors = pair, .dim = 2 };
    const evdb_record *next;
    evdb_result *found;
    evdb_verify_report report;
    int status;
    for (int i = 0; i < 5; i++) ok(evdb_record_insert(h.store, num(i), pair, 2, NULL, NULL, &why));
    ok(evdb_search(h.store, pair, 2, NULL, &found, &why));
    ok(evdb_cursor_open(h.store, NULL, &h.cursor, &why));
    ok(evdb_cursor_next(h.cursor, &next, &why));
    ok(evdb_batch_submit(h.store, &b, &h.ticket, &why));
    h.client = client_new(t->db, "a");
    h.token = client_login(t->db, &h.client);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(in_child(&h));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);

    ok(evdb_ticket_wait(h.ticket, NULL, &why));
    evdb_ticket_free(h.ticket);
    ok(evdb_cursor_next(h.cursor, &next, &why));
    assert_int_equal(next->id.number, 1);
    evdb_cursor_close(h.cursor);
    assert_int_equal(scratch_count(h.store), 7); /* five, the ticket's and the child's */
    evdb_result_free(found);
    ok(evdb_search(h.store, pair, 2, NULL, &found, &why));
    assert_int_equal(found->count, 7);
    evdb_result_free(found);
    evdb_store_close(h.store);
    (void)client_refresh(t->db, &h.client, h.token.refresh);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

static void the_message_tells_what_to_do(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    char said[sizeof(why.message)] = "";
    int pipes[2], status;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t count;
        evdb_error err;
        evdb_status rc = evdb_store_count(store, &count, &err);
        _exit(rc == EVDB_FORKED && err.status == rc && write(pipes[1], err.message, sizeof(err.message)) > 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(read(pipes[0], said, sizeof(said) - 1) > 0);
    assert_non_null(strstr(said, t->path));
    assert_non_null(strstr(said, "fork"));
    close(pipes[0]);
    close(pipes[1]);
    evdb_store_close(store);
}

static void results_of_the_parent_can_be_read_and_freed_in_the_child(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    evdb_record *record;
    evdb_result *found;
    int status;
    ok(evdb_record_insert(store, str("a"), pair, 2, NULL, NULL, &why));
    ok(evdb_record_get(store, str("a"), &record, &why));
    ok(evdb_search(store, pair, 2, NULL, &found, &why));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool good = record->vector[1] == 2 && found->ids[0].text[0] == 'a';
        evdb_record_free(record);
        evdb_result_free(found);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    evdb_record_free(record);
    evdb_result_free(found);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_child_is_refused_and_its_closing_harms_nobody),
        TEST(the_message_tells_what_to_do),
        TEST(results_of_the_parent_can_be_read_and_freed_in_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
