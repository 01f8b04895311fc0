/* test_auth_threads.c - evdb/auth.h on many threads at once: what works once works for one of them. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 25 };

/* Threads count what goes wrong: only the thread of cmocka may leave a test. */
typedef struct crew {
    evdb *db[2]; /* two handles to one directory, or one twice */
    client shared;
    evdb_token token;
    pthread_barrier_t barrier;
    atomic_int turn, failures, won, gone;
    atomic_bool removed;
} crew;

static bool expect(crew *c, bool right, const char *what)
{
    if (!right && atomic_fetch_add(&c->failures, 1) < 5) fprintf(stderr, "wrong: %s\n", what);
    return right;
}

static void run(crew *c, void *(*work)(void *))
{
    pthread_t running[THREADS];
    pthread_barrier_init(&c->barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&running[i], NULL, work, c), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(running[i], NULL);
    pthread_barrier_destroy(&c->barrier);
    assert_int_equal(atomic_load(&c->failures), 0);
}

static void *add_and_use(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    evdb *db = c->db[me % 2], *other = c->db[(me + 1) % 2];
    char id[20], secret[EVDB_SECRET_BYTES], new_secret[EVDB_SECRET_BYTES];
    evdb_token one, two;
    evdb_principal who;
    snprintf(id, sizeof(id), "client-%d", me);
    pthread_barrier_wait(&c->barrier); /* the first call of all makes the key */
    for (int i = 0; i < ROUNDS; i++) {
        if (!expect(c, evdb_auth_client_add(db, id, NULL, 0, EVERY_GRANT, secret, NULL) == EVDB_OK, "adding a client")) break;
        expect(c, evdb_auth_token_issue(other, id, secret, NULL, &one, NULL) == EVDB_OK, "logging in");
        expect(c, evdb_auth_token_check(db, one.access, NULL, &who, NULL) == EVDB_OK && strcmp(who.client, id) == 0, "checking");
        expect(c, evdb_auth_token_refresh(db, id, secret, one.refresh, NULL, &two, NULL) == EVDB_OK, "refreshing");
        expect(c, evdb_auth_token_refresh(other, id, secret, one.refresh, NULL, &one, NULL) == EVDB_GONE, "refreshing again");
        expect(c, evdb_auth_client_rotate(other, id, NULL, new_secret, NULL) == EVDB_OK, "rotating");
        expect(c, evdb_auth_token_issue(db, id, secret, NULL, &one, NULL) == EVDB_DENIED, "the old secret");
        expect(c, evdb_auth_token_check(db, two.access, NULL, &who, NULL) == EVDB_DENIED, "a token of the old secret");
        expect(c, evdb_auth_token_issue(db, id, new_secret, NULL, &one, NULL) == EVDB_OK, "the new secret");
        expect(c, evdb_auth_client_remove(db, id, NULL) == EVDB_OK, "removing");
        expect(c, evdb_auth_token_check(other, one.access, NULL, &who, NULL) == EVDB_DENIED, "a token of nobody");
    }
    return NULL;
}

static void clients_of_many_threads_do_not_disturb_each_other(void **state)
{
    scratch *t = *state;
    crew c = { .db = { t->db } };
    evdb_client *list;
    evdb_verify_report report;
    size_t count;
    ok(evdb_open(t->path, NULL, &c.db[1], &why));
    run(&c, add_and_use);
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_client_list_free(list);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    evdb_close(c.db[1]);
}

static void *race_for_one(void *context)
{
    crew *c = context;
    evdb *db = c->db[atomic_fetch_add(&c->turn, 1) % 2];
    evdb_token token;
    for (int i = 0; i < ROUNDS; i++) {
        if (pthread_barrier_wait(&c->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            expect(c, evdb_auth_token_issue(db, c->shared.id, c->shared.secret, NULL, &c->token, NULL) == EVDB_OK, "logging in");
        pthread_barrier_wait(&c->barrier);
        evdb_status rc = evdb_auth_token_refresh(db, c->shared.id, c->shared.secret, c->token.refresh, NULL, &token, NULL);
        if (rc == EVDB_OK) atomic_fetch_add(&c->won, 1);
        else if (expect(c, rc == EVDB_GONE, "an answer to a used token")) atomic_fetch_add(&c->gone, 1);
    }
    return NULL;
}

static void a_refresh_token_that_all_want_is_traded_once(void **state)
{
    scratch *t = *state;
    crew c = { .db = { t->db }, .shared = client_new(t->db, "shared") };
    ok(evdb_open(t->path, NULL, &c.db[1], &why));
    run(&c, race_for_one);
    assert_int_equal(atomic_load(&c.won), ROUNDS);
    assert_int_equal(atomic_load(&c.gone), ROUNDS * (THREADS - 1));
    evdb_close(c.db[1]);
}

static void *want_one_id(void *context)
{
    crew *c = context;
    evdb *db = c->db[atomic_fetch_add(&c->turn, 1) % 2];
    char id[20], secret[EVDB_SECRET_BYTES];
    evdb_token token;
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(id, sizeof(id), "wanted-%d", i);
        pthread_barrier_wait(&c->barrier);
        evdb_status rc = evdb_auth_client_add(db, id, NULL, 0, 0, secret, NULL);
        if (rc == EVDB_OK) atomic_fetch_add(&c->won, 1);
        else expect(c, rc == EVDB_EXISTS, "an answer to a taken id");
        if (rc == EVDB_OK) expect(c, evdb_auth_token_issue(db, id, secret, NULL, &token, NULL) == EVDB_OK, "the winner's secret");
    }
    return NULL;
}

static void an_id_that_all_want_is_given_once(void **state)
{
    scratch *t = *state;
    crew c = { .db = { t->db } };
    ok(evdb_open(t->path, NULL, &c.db[1], &why));
    run(&c, want_one_id);
    assert_int_equal(atomic_load(&c.won), ROUNDS);
    evdb_close(c.db[1]);
}

/* A check that begins after the removal has returned must fail. */
static void *check_until_removed(void *context)
{
    crew *c = context;
    int me = atomic_fetch_add(&c->turn, 1);
    evdb_principal who;
    pthread_barrier_wait(&c->barrier);
    if (me == 0) {
        expect(c, evdb_auth_client_remove(c->db[0], c->shared.id, NULL) == EVDB_OK, "removing");
        atomic_store(&c->removed, true);
        return NULL;
    }
    for (;;) {
        bool removed = atomic_load(&c->removed);
        evdb_status rc = evdb_auth_token_check(c->db[me % 2], c->token.access, NULL, &who, NULL);
        expect(c, rc == EVDB_DENIED || (rc == EVDB_OK && !removed), "a check after the removal");
        if (removed) return NULL;
    }
}

static void a_removal_holds_from_the_moment_it_returns(void **state)
{
    scratch *t = *state;
    evdb *other;
    ok(evdb_open(t->path, NULL, &other, &why));
    for (int i = 0; i < ROUNDS; i++) {
        crew c = { .db = { t->db, other }, .shared = client_new(t->db, "shared") };
        c.token = client_login(other, &c.shared);
        run(&c, check_until_removed);
    }
    evdb_close(other);
}

static void *log_in_with_a_chosen_secret(void *context)
{
    crew *c = context;
    evdb_token token;
    bool right = atomic_fetch_add(&c->turn, 1) % 4 != 0;
    pthread_barrier_wait(&c->barrier);
    evdb_status rc = EVDB_BUSY; /* which those are told who come while others wait */
    while (rc == EVDB_BUSY) rc = evdb_auth_token_issue(c->db[0], "chosen", right ? "chosen by me" : "chosen by you", NULL, &token, NULL);
    expect(c, rc == (right ? EVDB_OK : EVDB_DENIED), "logging in with a chosen secret");
    return NULL;
}

static void a_chosen_secret_is_checked_on_many_threads(void **state)
{
    scratch *t = *state;
    crew c = { .db = { t->db } };
    ok(evdb_auth_client_add(t->db, "chosen", "chosen by me", 0, 0, NULL, &why));
    run(&c, log_in_with_a_chosen_secret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clients_of_many_threads_do_not_disturb_each_other),
        TEST(a_refresh_token_that_all_want_is_traded_once),
        TEST(an_id_that_all_want_is_given_once),
        TEST(a_removal_holds_from_the_moment_it_returns),
        TEST(a_chosen_secret_is_checked_on_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
