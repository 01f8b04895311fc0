/* pool.h - the threads that run handlers, and the bounded queue before them. */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of what is queued. */
typedef struct pool_job {
    struct pool_job *next;
} pool_job;

/* Runs on a worker; stopping: the pool ended before the job's turn came, so it is to be refused. */
typedef void pool_run(pool_job *job, bool stopping);

typedef struct pool pool;

/* NULL when memory or threads are missing. Jobs wait until pool_open(). */
pool *pool_start(uint32_t threads, size_t capacity, pool_run *run);
void pool_open(pool *p);
/* False when the queue is full or the pool has been stopped. */
bool pool_push(pool *p, pool_job *job);
/* Jobs that run are waited for, jobs that wait are refused; later pushes fail. */
void pool_stop(pool *p);
void pool_free(pool *p); /* NULL allowed; stops it when that was not done */

#endif
