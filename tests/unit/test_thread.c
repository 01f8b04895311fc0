/* test_thread.c - lib/platform/thread: work shared out among threads. */
#include "platform/thread.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What the parts of one thread_share() saw. Threads note, the test asserts. */
typedef struct notes {
    atomic_int times[THREAD_PARTS_MAX];
    pthread_t by[THREAD_PARTS_MAX];
    sigset_t blocked[THREAD_PARTS_MAX];
    pthread_barrier_t *meeting; /* of all parts, or NULL */
} notes;

static void note(void *context, size_t part)
{
    notes *n = context;
    atomic_fetch_add(&n->times[part], 1);
    n->by[part] = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &n->blocked[part]);
    if (n->meeting) pthread_barrier_wait(n->meeting);
}

static void share(notes *n, size_t parts)
{
    memset(n, 0, sizeof(*n));
    thread_share(parts, note, n);
    for (size_t i = 0; i < THREAD_PARTS_MAX; i++) assert_int_equal(atomic_load(&n->times[i]), i < parts);
}

static void every_part_is_done_once_and_waited_for(void **state)
{
    (void)state;
    notes n;
    for (size_t parts = 0; parts <= THREAD_PARTS_MAX; parts++) share(&n, parts);
}

static void parts_run_at_once_and_the_first_on_the_thread_of_the_caller(void **state)
{
    (void)state;
    notes n = { .meeting = NULL };
    pthread_barrier_t meeting;
    assert_int_equal(pthread_barrier_init(&meeting, NULL, THREAD_PARTS_MAX), 0);
    n.meeting = &meeting;
    thread_share(THREAD_PARTS_MAX, note, &n); /* ends only if all are there together */
    pthread_barrier_destroy(&meeting);
    assert_true(pthread_equal(n.by[0], pthread_self()));
    for (size_t i = 1; i < THREAD_PARTS_MAX; i++) assert_false(pthread_equal(n.by[i], pthread_self()));
}

static void the_host_keeps_its_signals_and_faults_stay_where_they_happen(void **state)
{
    (void)state;
    static const int asked_for[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGPIPE };
    static const int faults[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV };
    notes n;
    sigset_t before, now, usr2;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &usr2, &before);
    share(&n, 3);
    pthread_sigmask(SIG_SETMASK, &before, &now);
    for (size_t part = 1; part < 3; part++) {
        for (size_t i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++)
            assert_true(sigismember(&n.blocked[part], asked_for[i]));
        for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
            assert_false(sigismember(&n.blocked[part], faults[i]));
    }
    for (int s = 1; s < SIGRTMIN; s++) { /* the caller's own mask is what it was, during its part and after */
        bool blocked = sigismember(&before, s) == 1 || s == SIGUSR2;
        assert_int_equal(sigismember(&n.blocked[0], s) == 1, blocked);
        assert_int_equal(sigismember(&now, s) == 1, blocked);
    }
}

static void parts_of_threads_that_cannot_be_started_are_done_by_the_caller(void **state)
{
    (void)state;
    notes n;
    pthread_attr_t usual, impossible;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&impossible), 0);
    const size_t no_machine_has_it = SIZE_MAX / 4 / 4096 * 4096; /* so pthread_create() fails */
    assert_int_equal(pthread_attr_setstacksize(&impossible, no_machine_has_it), 0);
    assert_int_equal(pthread_setattr_default_np(&impossible), 0);
    share(&n, 9);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    for (size_t i = 0; i < 9; i++) assert_true(pthread_equal(n.by[i], pthread_self()));
    pthread_attr_destroy(&impossible);
    pthread_attr_destroy(&usual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_done_once_and_waited_for),
        cmocka_unit_test(parts_run_at_once_and_the_first_on_the_thread_of_the_caller),
        cmocka_unit_test(the_host_keeps_its_signals_and_faults_stay_where_they_happen),
        cmocka_unit_test(parts_of_threads_that_cannot_be_started_are_done_by_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
