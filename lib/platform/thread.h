/* thread.h - work on several threads at once. */
#ifndef EVDB_PLATFORM_THREAD_H
#define EVDB_PLATFORM_THREAD_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls work(context, part) for part 0 .. parts-1, each on a thread of its own, the caller's being one, and waits for
 * all. A thread that cannot be started has its part done by the caller. */
void thread_share(size_t parts, void (*work)(void *context, size_t part), void *context);

enum { THREAD_PARTS_MAX = 64 };

/* A thread beside the caller's, which leaves the host's signals alone; false when it cannot be had. To be joined. */
bool thread_start(pthread_t *out, void *(*run)(void *context), void *context);

/* A thread that is there now and then: begun when there is something to do, and gone when that is done. Zeroed at first. */
typedef struct thread_job {
    pthread_t thread;
    bool started;        /* there is one to join */
    atomic_bool running; /* run() ends with storing false here */
} thread_job;
/* Begins it unless it runs; where no thread can be had it does not run, and who comes next tries again. Calls of one job take turns. */
void thread_job_begin(thread_job *job, void *(*run)(void *context), void *context);
/* Waits until it is gone. */
void thread_job_join(thread_job *job);

/* Processors this process may use; at least 1. */
uint32_t thread_cores(void);

/* Says to the processor that this thread spins until another has stored something. */
static inline void thread_spin(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
