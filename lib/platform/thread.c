/* thread.c - implements platform/thread.h. */
#include "platform/thread.h"
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

typedef struct share {
    void (*work)(void *context, size_t part);
    void *context;
    size_t part;
    pthread_t thread;
    bool started;
} share;

static void *run(void *argument)
{
    share *s = argument;
    s->work(s->context, s->part);
    return NULL;
}

/* Our threads leave the host's signals to the host's threads, but for faults of their own. */
static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    const int faults[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV };
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, before); /* threads inherit it; cannot fail with these arguments */
}

void thread_share(size_t parts, void (*work)(void *context, size_t part), void *context)
{
    share shares[THREAD_PARTS_MAX];
    sigset_t before;
    assert(parts <= THREAD_PARTS_MAX);
    if (parts > 1) block_signals(&before);
    for (size_t i = 1; i < parts; i++) {
        shares[i] = (share){ .work = work, .context = context, .part = i };
        shares[i].started = pthread_create(&shares[i].thread, NULL, run, &shares[i]) == 0;
    }
    if (parts > 1) pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (parts) work(context, 0);
    for (size_t i = 1; i < parts; i++) {
        if (shares[i].started) pthread_join(shares[i].thread, NULL);
        else work(context, i);
    }
}

bool thread_start(pthread_t *out, void *(*work)(void *context), void *context)
{
    sigset_t before;
    block_signals(&before);
    bool started = pthread_create(out, NULL, work, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void thread_job_begin(thread_job *job, void *(*work)(void *context), void *context)
{
    if (atomic_load(&job->running)) return;
    thread_job_join(job);
    atomic_store(&job->running, true);
    job->started = thread_start(&job->thread, work, context);
    if (!job->started) atomic_store(&job->running, false);
}

void thread_job_join(thread_job *job)
{
    if (job->started) pthread_join(job->thread, NULL);
    job->started = false;
}

uint32_t thread_cores(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (uint32_t)count : 1;
}
