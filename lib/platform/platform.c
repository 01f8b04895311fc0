/* platform.c - the real surroundings. */
#include "platform/platform.h"
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

static void *real_allocate(void *context, size_t bytes) { (void)context; return malloc(bytes); }
static void *real_reallocate(void *context, void *block, size_t bytes) { (void)context; return realloc(block, bytes); }
static void real_release(void *context, void *block) { (void)context; free(block); }

static int64_t real_clock_ms(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t real_clock_ns(void *context) { (void)context; return nanoseconds(CLOCK_MONOTONIC); }
static uint64_t real_cpu_ns(void *context) { (void)context; return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

static void real_random(void *context, void *bytes, size_t count) { (void)context; randombytes_buf(bytes, count); }

const platform platform_real = {
    .mem = { NULL, real_allocate, real_reallocate, real_release },
    .clock_ms = real_clock_ms,
    .clock_ns = real_clock_ns,
    .cpu_ns = real_cpu_ns,
    .random = real_random,
};
