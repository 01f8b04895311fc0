/* test_kill.c - kill -9 at random moments while two processes write to one store and a third reads it.
 *
 * After every kill: all that was acknowledged is there, a batch under way is there whole or not at all, nothing
 * deleted has come back, all of it is in the trash and can be brought back, verify finds nothing, and the sequence of changes has no gap. Clients are as their owner was told:
 * those added or given a new secret can log in, removed ones and old secrets cannot, a used refresh token stays used. The reader checks that it sees
 * what the writers were told, the moment they were told.
 *   EVDB_KILLS=n  rounds, each with one to three kills (200)
 *   EVDB_SEED=n   repeats a run's choices; what the kernel does in between it cannot repeat */
#include "accounts.h"
#include "children.h"
#include "ledger.h"
#include "memory_io.h"
#include "tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { WRITERS = 2, ROUNDS = 200, SIGNALS_MAX = 24, DELAY_NS_MAX = 1500000 };

typedef struct scene {
    ledger ledgers[WRITERS];
    accounts clients[WRITERS];
    _Atomic uint64_t reads, searches;
    uint64_t seed;
    char dir[4096];
    signal_pipe progress;
} scene;

typedef struct process {
    scene *scene;
    unsigned number; /* the reader's is WRITERS */
    pid_t pid;
    uint64_t seed;
    bool alive;
} process;

/* ---- what the processes do ---- */

static int write_until_killed(void *context)
{
    process *p = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(p->scene->dir, "s", &store);
    while ((seed_next(&p->seed) % 4 ? ledger_write_any(&p->scene->ledgers[p->number], store, &p->seed, &err)
                                    : accounts_change_any(&p->scene->clients[p->number], db, &p->seed, &err)) == EVDB_OK) {
        signal_send(&p->scene->progress);
        uint64_t r = seed_next(&p->seed) % 64;
        if (r == 0) child_must(evdb_store_sync(store, &err), &err, "sync");
        if (r != 1) continue;
        evdb_store_close(store);
        evdb_close(db);
        db = child_open(p->scene->dir, "s", &store);
    }
    fprintf(stderr, "writer %u: %s\n", p->number, err.message);
    return 1;
}

/* What is known of a record at one moment; `known` is false while it is being written. */
typedef struct moment {
    bool known;
    uint32_t tag;
    ledger_state state;
} moment;

static moment look(const ledger *l, uint32_t i)
{
    const volatile ledger_row *row = &l->rows[i];
    moment m = { .tag = *(const volatile uint32_t *)&l->tag, .known = row->under_way == 0 };
    atomic_thread_fence(memory_order_seq_cst);
    m.state.vector = row->acknowledged.vector;
    m.state.metadata = row->acknowledged.metadata;
    atomic_thread_fence(memory_order_seq_cst);
    m.known = m.known && row->under_way == 0;
    return m;
}

/* Nothing was written to the record between the two. */
static bool still(moment a, moment b)
{
    return a.known && b.known && a.tag == b.tag && memcmp(&a.state, &b.state, sizeof(a.state)) == 0;
}

static bool read_one(scene *s, evdb_store *store, const ledger *l, uint32_t i)
{
    evdb_record *record = NULL;
    evdb_error err;
    moment before = look(l, i);
    evdb_status rc = evdb_record_get(store, (evdb_id){ .number = l->first + i }, &record, &err);
    if (rc != EVDB_NOT_FOUND) child_must(rc, &err, "get");
    bool right = rc == EVDB_OK ? ledger_holds(record, l->first + i, before.state) : before.state.vector == 0;
    evdb_record_free(record);
    if (!still(before, look(l, i))) return true;
    atomic_fetch_add(&s->reads, 1);
    if (!right) fprintf(stderr, "reader: record %lld is not what was acknowledged\n", (long long)l->first + i);
    return right;
}

static bool search_one(scene *s, evdb_store *store, const ledger *l, uint32_t i)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    evdb_error err;
    float query[LEDGER_DIM];
    moment before = look(l, i);
    if (!before.known || !before.state.vector) return true;
    o.k = 1;
    ledger_vector(l->first + i, before.state.vector, query);
    child_must(evdb_search(store, query, LEDGER_DIM, &o, &result, &err), &err, "search");
    bool right = result->count == 1 && result->numbers[0] == l->first + i;
    evdb_result_free(result);
    if (!still(before, look(l, i))) return true;
    atomic_fetch_add(&s->searches, 1);
    if (!right) fprintf(stderr, "reader: a search does not find record %lld\n", (long long)l->first + i);
    return right;
}

static int read_until_killed(void *context)
{
    process *p = context;
    evdb_store *store;
    (void)child_open(p->scene->dir, "s", &store);
    for (;;) {
        uint64_t r = seed_next(&p->seed);
        const ledger *l = &p->scene->ledgers[r % WRITERS];
        uint32_t i = (uint32_t)(r >> 8) % LEDGER_ROWS;
        if (!(r & 0x80 ? read_one : search_one)(p->scene, store, l, i)) return 1;
    }
}

/* ---- the one who kills ---- */

static void start(process *p)
{
    p->seed = seed_next(&p->scene->seed);
    p->pid = child_start(p->number < WRITERS ? write_until_killed : read_until_killed, p);
    p->alive = true;
}

static void stop(process *p)
{
    if (!p->alive) return;
    p->alive = false;
    assert_true(child_kill(p->pid, p->number < WRITERS ? "a writer" : "the reader"));
}

/* A moment the writers cannot foresee: some of their writes from now, and a bit. */
static void wait_at_random(scene *s)
{
    struct timespec now;
    assert_true(signal_await(&s->progress, (unsigned)(seed_next(&s->seed) % SIGNALS_MAX)));
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until = now.tv_sec * 1000000000LL + now.tv_nsec + (int64_t)(seed_next(&s->seed) % DELAY_NS_MAX);
    while (now.tv_sec * 1000000000LL + now.tv_nsec < until) clock_gettime(CLOCK_MONOTONIC, &now);
}

/* While others may still be writing: only the ledgers of dead writers stand still. */
static void check(scene *s, const process *processes, uint64_t *fed)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    if (evdb_open(s->dir, NULL, &db, &err) != EVDB_OK) fail_msg("%s", err.message);
    if (evdb_store_open(db, "s", &store, &err) != EVDB_OK) fail_msg("%s", err.message);
    for (unsigned i = 0; i < WRITERS; i++) {
        if (processes[i].alive) continue;
        assert_int_equal(ledger_differences(&s->ledgers[i], store), 0);
        assert_int_equal(ledger_trash_differences(&s->ledgers[i], store), 0);
        if (seed_next(&s->seed) % 4 == 0) assert_int_equal(ledger_trash_restore(&s->ledgers[i], store), 0);
        assert_int_equal(accounts_differences(&s->clients[i], db), 0);
    }
    assert_int_equal(ledger_feed_problems(store, fed), 0);
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
}

static void make_store(const char *dir)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb *db;
    evdb_error err;
    o.metric = EVDB_EUCLIDEAN;
    o.trash_ms = EVDB_TRASH_DAY_MS;
    assert_int_equal(evdb_open(dir, NULL, &db, &err), EVDB_OK);
    assert_int_equal(evdb_store_create(db, "s", &o, NULL, &err), EVDB_OK);
    evdb_close(db);
}

static void what_was_acknowledged_survives_the_kill_of_its_writer(void **state)
{
    (void)state;
    const char *given = getenv("EVDB_KILLS");
    unsigned rounds = given ? (unsigned)strtoul(given, NULL, 10) : ROUNDS, kills = 0;
    char *dir = dir_new();
    scene *s = shared_memory(sizeof(*s));
    process processes[WRITERS + 1];
    uint64_t fed = 0;
    s->seed = seed_print();
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    signal_open(&s->progress);
    make_store(dir);
    for (unsigned i = 0; i <= WRITERS; i++) {
        if (i < WRITERS) s->ledgers[i].first = (int64_t)i * 1000000 - 7, s->clients[i].owner = (char)('a' + i);
        processes[i] = (process){ .scene = s, .number = i };
        start(&processes[i]);
    }
    for (unsigned round = 0; round < rounds; round++) {
        static const unsigned victims[] = { 1, 2, 3, 1, 2, 7 }; /* bits: writers, reader */
        wait_at_random(s);
        unsigned chosen = victims[seed_next(&s->seed) % 6];
        for (unsigned i = 0; i <= WRITERS; i++)
            if (chosen >> i & 1) stop(&processes[i]), kills++;
        check(s, processes, &fed);
        for (unsigned i = 0; i <= WRITERS; i++)
            if (!processes[i].alive) start(&processes[i]);
    }
    for (unsigned i = 0; i <= WRITERS; i++) stop(&processes[i]);
    check(s, processes, &fed);
    printf("%u rounds, %u kills: %llu writes acknowledged (%llu changes), %llu changes of clients, 0 lost, 0 corrupt; "
           "%llu reads and %llu searches by a third process, all up to date\n",
           rounds, kills, (unsigned long long)(s->ledgers[0].acknowledged + s->ledgers[1].acknowledged),
           (unsigned long long)fed, (unsigned long long)(s->clients[0].acknowledged + s->clients[1].acknowledged), (unsigned long long)s->reads, (unsigned long long)s->searches);
    signal_close(&s->progress);
    shared_memory_free(s, sizeof(*s));
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_the_kill_of_its_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
