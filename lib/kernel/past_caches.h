/* past_caches.h - copying to memory without a stay in the caches, made by instruction sets that can.
 *
 * An ordinary store reads the line that it writes to first, and pushes out another one. Where more is written than the caches hold, both
 * are for nothing. The instruction set has LOAD(), WIDTH and PAST_STORE(), which wants whole vectors at their own alignment, and
 * PAST_FENCE(): what was stored is seen before what is stored next. Other stores wait for a fence, so there is one, at the end. */
#ifndef EVDB_KERNEL_PAST_CACHES_H
#define EVDB_KERNEL_PAST_CACHES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PAST_LINE = 64 };

#define PAST_CACHES(isa)                                                                                               \
    isa static void copy_past_caches(const float *from, size_t n, float *to)                                           \
    {                                                                                                                  \
        size_t i = (PAST_LINE - (uintptr_t)to % PAST_LINE) % PAST_LINE / sizeof(float);                                \
        if (i > n) i = n;                                                                                              \
        memcpy(to, from, i * sizeof(float));                                                                           \
        for (; i + PAST_LINE / sizeof(float) <= n; i += PAST_LINE / sizeof(float))                                     \
            for (size_t j = i; j < i + PAST_LINE / sizeof(float); j += WIDTH) PAST_STORE(to + j, LOAD(from + j));      \
        memcpy(to + i, from + i, (n - i) * sizeof(float));                                                             \
    }                                                                                                                  \
    isa static void end_past_caches(void) { PAST_FENCE(); }

#endif
