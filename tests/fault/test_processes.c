/* test_processes.c - several processes on one database: what one was told, all see. */
#include "together.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PROCESSES = 3, TURNS = 150, INCREMENTS = 60 };

/* ---- seeing what others write ---- */

static void expect_seen(evdb_store *store, int64_t n)
{
    evdb_record *record;
    evdb_result *result;
    evdb_changes *changes;
    evdb_error err;
    uint64_t count;
    float vector[TOGETHER_DIM];
    together_vector(n, vector);
    child_must(evdb_record_get(store, (evdb_id){ .number = n }, &record, &err), &err, "get the others' record");
    child_expect(memcmp(record->vector, vector, sizeof(vector)) == 0, "its vector is the one written");
    evdb_record_free(record);
    child_must(evdb_search(store, vector, TOGETHER_DIM, NULL, &result, &err), &err, "search");
    child_expect(result->count > 0 && result->numbers[0] == n, "a search finds the others' record");
    evdb_result_free(result);
    child_must(evdb_store_count(store, &count, &err), &err, "count");
    child_expect(count == (uint64_t)n + 1, "the others' records are counted");
    child_must(evdb_changes_read(store, (uint64_t)n, 0, &changes, &err), &err, "read changes");
    child_expect(changes->count == 1 && changes->at[0].id.number == n, "the feed ends with the others' record");
    evdb_changes_free(changes);
}

static int take_turns(void *context)
{
    together_process *p = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(p->scene->dir, "s", &store);
    for (uint32_t turn = p->number; turn < TURNS; turn += PROCESSES) {
        float vector[TOGETHER_DIM];
        together_wait_until(&p->scene->turn, turn);
        if (turn) expect_seen(store, (int64_t)turn - 1);
        together_vector(turn, vector);
        child_must(evdb_record_insert(store, (evdb_id){ .number = turn }, vector, TOGETHER_DIM, NULL, NULL, &err), &err,
                   "insert");
        atomic_store(&p->scene->turn, turn + 1);
    }
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void what_one_process_was_told_all_others_see_at_once(void **state)
{
    together *s = together_begin(true);
    (void)state;
    together_run(s, take_turns, PROCESSES);
    assert_int_equal(s->turn, TURNS);
    together_end(s);
}

/* Reads a number, adds one, and writes it back unless somebody else did meanwhile. */
static int count_up(void *context)
{
    together_process *p = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(p->scene->dir, "s", &store);
    float vector[TOGETHER_DIM] = { 1 };
    evdb_id id = { .number = 7 };
    evdb_status rc = evdb_record_insert(store, id, vector, TOGETHER_DIM, "{\"n\":0}", NULL, &err);
    if (rc != EVDB_EXISTS) child_must(rc, &err, "insert");
    together_wait_for_all(p->scene, PROCESSES);
    for (int done = 0; done < INCREMENTS;) {
        evdb_record *record;
        char metadata[64];
        child_must(evdb_record_get(store, id, &record, &err), &err, "get");
        snprintf(metadata, sizeof(metadata), "{\"n\":%ld}", strtol(record->metadata + strlen("{\"n\":"), NULL, 10) + 1);
        rc = evdb_record_update(store, id, NULL, 0, metadata, record->version, NULL, &err);
        evdb_record_free(record);
        if (rc == EVDB_OK) done++;
        else if (rc != EVDB_CONFLICT) child_must(rc, &err, "update");
    }
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void no_update_with_a_version_is_lost_between_processes(void **state)
{
    together *s = together_begin(true);
    evdb *db;
    evdb_store *store;
    evdb_record *record;
    char expected[64];
    (void)state;
    together_run(s, count_up, PROCESSES);
    assert_int_equal(evdb_open(s->dir, NULL, &db, NULL), EVDB_OK);
    assert_int_equal(evdb_store_open(db, "s", &store, NULL), EVDB_OK);
    assert_int_equal(evdb_record_get(store, (evdb_id){ .number = 7 }, &record, NULL), EVDB_OK);
    snprintf(expected, sizeof(expected), "{\"n\":%d}", PROCESSES * INCREMENTS);
    assert_string_equal(record->metadata, expected);
    evdb_record_free(record);
    evdb_store_close(store);
    evdb_close(db);
    together_end(s);
}

/* ---- stores that come and go ---- */

static void expect_not_found(evdb_status rc, const char *what) { child_expect(rc == EVDB_NOT_FOUND, what); }

static int hold_a_dropped_store(together *s)
{
    evdb_store *store, *made;
    evdb_record *record;
    evdb_result *result;
    evdb_changes *changes;
    evdb_error err;
    float vector[TOGETHER_DIM];
    uint64_t count;
    evdb *db = child_open(s->dir, "s", &store);
    together_vector(1, vector);
    child_must(evdb_record_insert(store, (evdb_id){ .number = 1 }, vector, TOGETHER_DIM, NULL, NULL, &err), &err,
               "insert");
    child_must(evdb_search(store, vector, TOGETHER_DIM, NULL, &result, &err), &err, "search");
    evdb_result_free(result);
    atomic_store(&s->turn, 1);
    together_wait_until(&s->turn, 2); /* dropped, created anew, and another one made */
    expect_not_found(evdb_record_get(store, (evdb_id){ .number = 1 }, &record, &err),
                     "get knows that the store is gone");
    expect_not_found(evdb_record_upsert(store, (evdb_id){ .number = 2 }, vector, TOGETHER_DIM, NULL, NULL, &err),
                     "so does upsert");
    expect_not_found(evdb_search(store, vector, TOGETHER_DIM, NULL, &result, &err), "so does search");
    expect_not_found(evdb_store_count(store, &count, &err), "so does count");
    expect_not_found(evdb_changes_read(store, 0, 0, &changes, &err), "so does the feed");
    expect_not_found(evdb_store_sync(store, &err), "so does sync");
    evdb_store_close(store);
    child_must(evdb_store_open(db, "s", &store, &err), &err, "open its successor");
    child_must(evdb_store_count(store, &count, &err), &err, "count");
    child_expect(count == 0, "the successor is empty");
    evdb_store_close(store);
    child_must(evdb_store_open(db, "made", &made, &err), &err, "open what another process made");
    evdb_store_close(made);
    evdb_close(db);
    return 0;
}

static int drop_under_another(together *s)
{
    evdb *db;
    evdb_error err;
    together_wait_until(&s->turn, 1);
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_drop(db, "s", &err), &err, "drop");
    child_must(evdb_store_create(db, "s", NULL, NULL, &err), &err, "create again");
    child_must(evdb_store_create(db, "made", NULL, NULL, &err), &err, "create another");
    evdb_close(db);
    atomic_store(&s->turn, 2);
    return 0;
}

static int drop_or_hold(void *context)
{
    together_process *p = context;
    return p->number ? drop_under_another(p->scene) : hold_a_dropped_store(p->scene);
}

static void a_store_dropped_by_one_process_is_gone_for_all(void **state)
{
    together *s = together_begin(true);
    (void)state;
    together_run(s, drop_or_hold, 2);
    together_end(s);
}

/* ---- clients ---- */

/* What they tell each other; in memory that both share. */
typedef struct mail {
    char first[EVDB_SECRET_BYTES], second[EVDB_SECRET_BYTES];
    evdb_token token, next;
} mail;
static mail *post;

static bool token_good(evdb *db, const evdb_token *token)
{
    evdb_principal who;
    evdb_error err;
    evdb_status rc = evdb_auth_token_check(db, token->access, NULL, &who, &err);
    if (rc != EVDB_DENIED) child_must(rc, &err, "check a token");
    return rc == EVDB_OK;
}

static evdb_status login(evdb *db, const char *secret)
{
    evdb_token token;
    return evdb_auth_token_issue(db, "c", secret, NULL, &token, NULL);
}

/* Knows the client from its first request on, and asks again after each change of the other process. */
static int serve(together *s)
{
    evdb *db;
    evdb_token token;
    evdb_error err;
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    together_wait_until(&s->turn, 1);
    child_expect(token_good(db, &post->token), "a token of another process is good");
    child_must(evdb_auth_token_refresh(db, "c", post->first, post->token.refresh, NULL, &post->next, &err), &err, "refresh");
    atomic_store(&s->turn, 2);
    together_wait_until(&s->turn, 3); /* another secret */
    child_expect(!token_good(db, &post->token) && !token_good(db, &post->next), "tokens of the old secret are void");
    child_expect(login(db, post->first) == EVDB_DENIED, "so is the old secret");
    child_expect(evdb_auth_token_refresh(db, "c", post->second, post->next.refresh, NULL, &token, NULL) == EVDB_GONE,
                 "so are its refresh tokens");
    child_must(evdb_auth_token_issue(db, "c", post->second, NULL, &post->token, &err), &err, "the new secret");
    atomic_store(&s->turn, 4);
    together_wait_until(&s->turn, 5); /* removed, and made again */
    child_expect(!token_good(db, &post->token), "a removed client's token is void");
    child_expect(login(db, post->second) == EVDB_DENIED, "and its secret");
    child_expect(login(db, post->first) == EVDB_OK, "its successor has another");
    evdb_close(db);
    return 0;
}

static int administer(together *s)
{
    evdb *db;
    evdb_error err;
    evdb_token token;
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_auth_client_add(db, "c", NULL, 0, EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN, post->first, &err),
               &err, "add a client");
    child_must(evdb_auth_token_issue(db, "c", post->first, NULL, &post->token, &err), &err, "log in");
    atomic_store(&s->turn, 1);
    together_wait_until(&s->turn, 2); /* its refresh token was used there */
    child_expect(token_good(db, &post->next), "what the other process issued is good here");
    child_expect(evdb_auth_token_refresh(db, "c", post->first, post->token.refresh, NULL, &token, NULL) == EVDB_GONE,
                 "a token used by another process is used");
    child_must(evdb_auth_client_rotate(db, "c", NULL, post->second, &err), &err, "rotate");
    atomic_store(&s->turn, 3);
    together_wait_until(&s->turn, 4);
    child_must(evdb_auth_client_remove(db, "c", &err), &err, "remove");
    child_must(evdb_auth_client_add(db, "c", NULL, 0, 0, post->first, &err), &err, "add it again");
    atomic_store(&s->turn, 5);
    evdb_close(db);
    return 0;
}

static int serve_or_administer(void *context)
{
    together_process *p = context;
    return p->number ? serve(p->scene) : administer(p->scene);
}

static void a_client_changed_by_one_process_is_changed_for_all(void **state)
{
    together *s = together_begin(false);
    (void)state;
    post = shared_memory(sizeof(*post));
    together_run(s, serve_or_administer, 2);
    assert_int_equal(s->turn, 5);
    shared_memory_free(post, sizeof(*post));
    together_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_process_was_told_all_others_see_at_once),
        cmocka_unit_test(no_update_with_a_version_is_lost_between_processes),
        cmocka_unit_test(a_store_dropped_by_one_process_is_gone_for_all),
        cmocka_unit_test(a_client_changed_by_one_process_is_changed_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
