/* seed.c - implements seed.h. */
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t seed_print(void)
{
    const char *given = getenv("EVDB_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
    printf("seed: EVDB_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t seed_next(uint64_t *state)
{
    /* splitmix64 (public domain, Vigna) */
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t seed_below(uint64_t *state, uint64_t limit) { return seed_next(state) % limit; }

size_t seed_tries(size_t wished)
{
    const char *percent = getenv("EVDB_EFFORT");
    size_t tries = percent ? wished * strtoul(percent, NULL, 10) / 100 : wished;
    return tries ? tries : 1;
}

void seed_floats(uint64_t *state, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)(seed_next(state) >> 40) / (1 << 23) - 1;
}
