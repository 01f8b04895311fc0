/* pool.c - implements http/pool.h: threads of one mutex and one condition. */
#include "http/pool.h"
#include <pthread.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was queued, or the pool opened or stopped */
    pool_run *run;
    pool_job *first, **end;
    size_t waiting, capacity;
    bool open, stopped;
    uint32_t thread_count;
    pthread_t threads[];
};

/* The next job, or NULL when the pool has stopped and nothing waits; under the lock. */
static pool_job *next_job(pool *p)
{
    while (!p->stopped && !(p->open && p->first)) pthread_cond_wait(&p->work, &p->lock);
    pool_job *job = p->first;
    if (!job) return NULL;
    p->first = job->next;
    if (!p->first) p->end = &p->first;
    p->waiting--;
    return job;
}

static void *worker(void *context)
{
    pool *p = context;
    pool_job *job;
    pthread_mutex_lock(&p->lock);
    while ((job = next_job(p)) != NULL) {
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
    pthread_mutex_init(&p->lock, NULL);
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
    bool taken = !p->stopped && p->waiting < p->capacity;
    if (taken) {
        job->next = NULL;
        *p->end = job;
        p->end = &job->next;
        p->waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
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
