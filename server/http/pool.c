/* pool.c - implements http/pool.h: threads of one mutex and one condition.
 *
 * Waking a thread that sleeps costs more than many a request. So the mutex is let go before anybody is woken for it, and a worker
 * that runs out of jobs looks for the next one a while before it sleeps; one at a time, and giving way to whoever has work. */
#include "http/pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOKS = 60 }; /* some 30 us, when nobody else wants the processor */

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was queued, or the pool opened or stopped */
    pool_run *run;
    pool_job *first, **end;
    atomic_size_t waiting;
    size_t capacity, asleep;
    atomic_bool looking; /* a worker watches `waiting` */
    bool open, stopped;
    uint32_t thread_count;
    pthread_t threads[];
};

/* With the lock held, which it lets go meanwhile. */
static void look_for_work(pool *p)
{
    if (atomic_exchange(&p->looking, true)) return;
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < LOOKS && !atomic_load(&p->waiting); i++) sched_yield();
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->looking, false);
}

/* The next job, or NULL when the pool has stopped and nothing waits; under the lock. */
static pool_job *next_job(pool *p, bool worked)
{
    if (worked && p->open && !p->first && !p->stopped) look_for_work(p);
    while (!p->stopped && !(p->open && p->first)) {
        p->asleep++;
        pthread_cond_wait(&p->work, &p->lock);
        p->asleep--;
    }
    pool_job *job = p->first;
    if (!job) return NULL;
    p->first = job->next;
    if (!p->first) p->end = &p->first;
    atomic_fetch_sub(&p->waiting, 1);
    return job;
}

static void *worker(void *context)
{
    pool *p = context;
    pool_job *job;
    bool worked = false;
    pthread_mutex_lock(&p->lock);
    while ((job = next_job(p, worked)) != NULL) {
        worked = true;
        bool stopping = p->stopped;
        pthread_mutex_unlock(&p->lock);
        p->run(job, stopping);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

pool *pool_start(uint32_t threads, size_t capacity, pool_run *run)
{
    pool *p = calloc(1, sizeof *p + threads * sizeof *p->threads);
    if (!p) return NULL;
    p->run = run;
    p->capacity = capacity;
    p->end = &p->first;
    pthread_mutexattr_t short_waits; /* it is held for moments: whoever finds it taken looks again before it sleeps */
    pthread_mutexattr_init(&short_waits);
    pthread_mutexattr_settype(&short_waits, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&p->lock, &short_waits);
    pthread_mutexattr_destroy(&short_waits);
    pthread_cond_init(&p->work, NULL);
    while (p->thread_count < threads && pthread_create(&p->threads[p->thread_count], NULL, worker, p) == 0)
        p->thread_count++;
    if (p->thread_count == threads) return p;
    pool_free(p);
    return NULL;
}

void pool_open(pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->open = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

bool pool_push(pool *p, pool_job *job)
{
    pthread_mutex_lock(&p->lock);
    size_t before = atomic_load(&p->waiting);
    bool taken = !p->stopped && before < p->capacity;
    if (taken) {
        job->next = NULL;
        *p->end = job;
        p->end = &job->next;
        atomic_store(&p->waiting, before + 1);
    }
    bool wake = taken && p->asleep && (before || !atomic_load(&p->looking));
    pthread_mutex_unlock(&p->lock);
    if (wake) pthread_cond_signal(&p->work);
    return taken;
}

void pool_stop(pool *p)
{
    pthread_mutex_lock(&p->lock);
    bool before = p->stopped;
    p->stopped = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; !before && i < p->thread_count; i++) pthread_join(p->threads[i], NULL);
}

void pool_free(pool *p)
{
    if (!p) return;
    pool_stop(p);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
