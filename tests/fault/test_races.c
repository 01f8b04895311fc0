/* test_races.c - processes that do the same at the same moment, and processes that die holding a lock. */
#include "client.h"
#include "database_private.h"
#include "together.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RACES = 12 };

/* ---- races ---- */

/* Even processes write integers of one dimension, odd ones strings of another, all at the same moment. */
static int write_first(void *context)
{
    together_process *p = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(p->scene->dir, "s", &store);
    bool odd = p->number % 2;
    float vector[TOGETHER_DIM] = { 1, 2, 3 };
    char name[32];
    snprintf(name, sizeof(name), "name-%u", p->number);
    evdb_id id = odd ? (evdb_id){ .text = name } : (evdb_id){ .number = p->number };
    together_wait_for_all(p->scene, 4);
    evdb_status rc = evdb_record_insert(store, id, vector, odd ? 4 : 3, NULL, NULL, &err);
    if (rc == EVDB_OK) atomic_fetch_or(&p->scene->won, 1u << p->number);
    else if (rc != EVDB_INVALID) child_must(rc, &err, "insert");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void one_dimension_and_one_kind_of_id_win_a_race_of_first_records(void **state)
{
    (void)state;
    for (int race = 0; race < RACES; race++) {
        together *s = together_begin(true);
        evdb *db;
        evdb_store *store;
        evdb_store_info *info;
        uint64_t count;
        together_run(s, write_first, 4);
        assert_true(s->won == 5 || s->won == 10); /* both even ones, or both odd ones */
        assert_int_equal(evdb_open(s->dir, NULL, &db, NULL), EVDB_OK);
        assert_int_equal(evdb_store_open(db, "s", &store, NULL), EVDB_OK);
        assert_int_equal(evdb_store_describe(store, &info, NULL), EVDB_OK);
        assert_int_equal(info->dim, s->won == 5 ? 3 : 4);
        assert_int_equal(info->id_type, s->won == 5 ? EVDB_ID_INTEGER : EVDB_ID_STRING);
        evdb_store_info_free(info);
        assert_int_equal(evdb_store_count(store, &count, NULL), EVDB_OK);
        assert_int_equal(count, 2);
        evdb_store_close(store);
        evdb_close(db);
        together_end(s);
    }
}

static int create_at_once(void *context)
{
    together_process *p = context;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    char path[4200], own[32];
    snprintf(path, sizeof(path), "%s/new-%u", p->scene->dir, p->scene->round);
    snprintf(own, sizeof(own), "own-%u", p->number);
    together_wait_for_all(p->scene, 4);
    child_must(evdb_open(path, NULL, &db, &err), &err, "open what all create");
    evdb_status rc = evdb_store_create(db, "shared", NULL, &store, &err);
    if (rc == EVDB_OK) atomic_fetch_add(&p->scene->won, 1);
    else if (rc == EVDB_EXISTS) rc = evdb_store_open(db, "shared", &store, &err);
    child_must(rc, &err, "create or open the shared store");
    evdb_store_close(store);
    child_must(evdb_store_create(db, own, NULL, NULL, &err), &err, "create a store of its own");
    evdb_close(db);
    return 0;
}

static void processes_may_create_one_database_and_one_store_at_the_same_time(void **state)
{
    together *s = together_begin(true);
    (void)state;
    for (; s->round < RACES; s->round++) {
        evdb *db;
        evdb_store_info **list;
        size_t count;
        char path[4200];
        atomic_store(&s->won, 0);
        together_run(s, create_at_once, 4);
        assert_int_equal(s->won, 1);
        snprintf(path, sizeof(path), "%s/new-%u", s->dir, s->round);
        together_sound(path);
        assert_int_equal(evdb_open(path, NULL, &db, NULL), EVDB_OK);
        assert_int_equal(evdb_store_list(db, &list, &count, NULL), EVDB_OK);
        assert_int_equal(count, 5);
        evdb_store_list_free(list, count);
        evdb_close(db);
    }
    together_end(s);
}

static char *secret_of_all, *refresh_of_all; /* in memory that they share */

/* The first call of each handle also looks for, or makes, the key. */
static int trade_at_once(void *context)
{
    together_process *p = context;
    evdb *db;
    evdb_token token;
    evdb_error err;
    char own[32], secret[EVDB_SECRET_BYTES];
    child_must(evdb_open(p->scene->dir, NULL, &db, &err), &err, "open");
    snprintf(own, sizeof(own), "own-%u", p->number);
    together_wait_for_all(p->scene, 4);
    evdb_status rc = evdb_auth_client_add(db, "shared", NULL, 0, EVERY_GRANT, secret, &err);
    if (rc == EVDB_OK) {
        child_must(evdb_auth_token_issue(db, "shared", secret, NULL, &token, &err), &err, "log in");
        memcpy(secret_of_all, secret, sizeof(secret));
        memcpy(refresh_of_all, token.refresh, EVDB_SECRET_BYTES);
    } else child_expect(rc == EVDB_EXISTS, "one of them adds the client");
    child_must(evdb_auth_client_add(db, own, NULL, 0, 0, secret, &err), &err, "add a client of its own");
    together_wait_for_all(p->scene, 8);
    rc = evdb_auth_token_refresh(db, "shared", secret_of_all, refresh_of_all, NULL, &token, &err);
    if (rc == EVDB_OK) atomic_fetch_add(&p->scene->won, 1);
    else child_expect(rc == EVDB_GONE, "the others come too late");
    child_must(evdb_auth_token_issue(db, own, secret, NULL, &token, &err), &err, "log in under one key");
    evdb_close(db);
    return 0;
}

static void one_process_wins_a_race_for_a_client_and_for_a_refresh_token(void **state)
{
    (void)state;
    secret_of_all = shared_memory(2 * EVDB_SECRET_BYTES);
    refresh_of_all = secret_of_all + EVDB_SECRET_BYTES;
    for (int race = 0; race < RACES; race++) {
        together *s = together_begin(false);
        together_run(s, trade_at_once, 4);
        assert_int_equal(s->won, 1);
        together_end(s);
    }
    shared_memory_free(secret_of_all, 2 * EVDB_SECRET_BYTES);
}

/* ---- dying with a lock ---- */

typedef struct dying {
    together *scene;
    io_kind kind;
    const char *suffix;
} dying;

/* Says that it got there, and waits to be killed. */
static int stop_there(void *context, const io_event *event)
{
    dying *d = context;
    size_t length = strlen(event->path), wanted = strlen(d->suffix);
    bool there = event->kind == d->kind && length >= wanted && strcmp(event->path + length - wanted, d->suffix) == 0;
    if (!there || !atomic_load(&d->scene->turn)) return 0;
    signal_send(&d->scene->reached);
    for (;;) pause();
}

static int die_in(void *context)
{
    dying *d = context;
    platform p = platform_real;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    char secret[EVDB_SECRET_BYTES];
    float vector[TOGETHER_DIM] = { 1 };
    p.io = (io_gate){ d, stop_there };
    child_must(db_open_with(&p, d->scene->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
    atomic_store(&d->scene->turn, 1);
    if (strcmp(d->suffix, "system.db-wal") == 0)
        (void)!evdb_auth_client_add(db, "c", NULL, 0, 0, secret, &err);
    else if (d->kind == IO_SYNC)
        (void)!evdb_record_insert(store, (evdb_id){ .number = 1 }, vector, TOGETHER_DIM, NULL, NULL, &err);
    else (void)!evdb_store_create(db, "new", NULL, NULL, &err);
    return 1; /* not reached: killed before */
}

static int write_and_create(void *context)
{
    together *s = context;
    evdb_store *store;
    evdb_error err;
    evdb_token token;
    char secret[EVDB_SECRET_BYTES];
    float vector[TOGETHER_DIM] = { 2 };
    evdb *db = child_open(s->dir, "s", &store);
    child_must(evdb_record_insert(store, (evdb_id){ .number = 2 }, vector, TOGETHER_DIM, NULL, NULL, &err), &err,
               "insert");
    child_must(evdb_store_create(db, "new", NULL, NULL, &err), &err, "create");
    child_must(evdb_auth_client_add(db, "c", NULL, 0, 0, secret, &err), &err, "add a client");
    child_must(evdb_auth_token_issue(db, "c", secret, NULL, &token, &err), &err, "log in");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void die_holding(io_kind kind, const char *suffix)
{
    together *s = together_begin(true);
    dying d = { s, kind, suffix };
    /* the survivor waits for the lock, or comes when it is free already: the kernel decides */
    pid_t victim = child_start(die_in, &d);
    assert_true(signal_await(&s->reached, 1));
    pid_t survivor = child_start(write_and_create, s);
    assert_true(child_kill(victim, "the holder of the lock"));
    assert_int_equal(child_wait(survivor), 0);
    together_end(s);
}

static void a_writer_killed_in_its_commit_holds_up_nobody(void **state)
{
    (void)state;
    die_holding(IO_SYNC, "rows.db-wal");
}
static void a_creator_killed_half_way_holds_up_nobody(void **state)
{
    (void)state;
    die_holding(IO_SYNC_DIR, "/stores");
}

/* ---- a store that goes while it is opened ---- */

typedef struct dropper {
    evdb *other;     /* drops store "s" before the last of `left` operations of the one that opens it */
    const char *folder;
    long left;
    bool dropped;
} dropper;

static int drop_in_time(void *context, const io_event *event)
{
    dropper *d = context;
    if (d->dropped || !d->folder || !strstr(event->path, d->folder) || --d->left > 0) return 0;
    d->dropped = true;
    assert_int_equal(evdb_store_drop(d->other, "s", NULL), EVDB_OK);
    return 0;
}

/* False when the store was opened in fewer operations. */
static bool open_while_dropped(long operation)
{
    together *s = together_begin(true);
    dropper d = { .left = operation };
    platform p = platform_real;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    const float vector[TOGETHER_DIM] = { 1 };
    p.io = (io_gate){ &d, drop_in_time };
    assert_int_equal(evdb_open(s->dir, NULL, &d.other, &err), EVDB_OK);
    assert_int_equal(db_open_with(&p, s->dir, NULL, &db, &err), EVDB_OK);
    d.folder = "/stores/";
    evdb_status rc = evdb_store_open(db, "s", &store, &err);
    if (d.dropped && rc == EVDB_OK) { /* it was dropped so late that the handle heard of it */
        rc = evdb_record_insert(store, (evdb_id){ .number = 1 }, vector, TOGETHER_DIM, NULL, NULL, &err);
        evdb_store_close(store);
    } else if (rc == EVDB_OK) evdb_store_close(store);
    if (d.dropped && rc != EVDB_NOT_FOUND) print_message("operation %ld: %d %s\n", operation, rc, err.message);
    assert_int_equal(rc, d.dropped ? EVDB_NOT_FOUND : EVDB_OK);
    evdb_close(db);
    evdb_close(d.other);
    together_end(s);
    return d.dropped;
}

static void a_store_dropped_while_it_is_opened_is_not_found(void **state)
{
    long operation = 1;
    (void)state;
    while (open_while_dropped(operation)) operation++;
    assert_true(operation > 5);
}

static void an_administrator_killed_in_its_commit_holds_up_nobody(void **state)
{
    (void)state;
    die_holding(IO_SYNC, "system.db-wal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dimension_and_one_kind_of_id_win_a_race_of_first_records),
        cmocka_unit_test(processes_may_create_one_database_and_one_store_at_the_same_time),
        cmocka_unit_test(one_process_wins_a_race_for_a_client_and_for_a_refresh_token),
        cmocka_unit_test(a_writer_killed_in_its_commit_holds_up_nobody),
        cmocka_unit_test(a_creator_killed_half_way_holds_up_nobody),
        cmocka_unit_test(a_store_dropped_while_it_is_opened_is_not_found),
        cmocka_unit_test(an_administrator_killed_in_its_commit_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
