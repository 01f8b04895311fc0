/* mix.h - well mixed bits from a counter: chance that a seed repeats. */
#ifndef EVDB_BASE_MIX_H
#define EVDB_BASE_MIX_H
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* The next of a sequence. */
static inline uint64_t mix_next(uint64_t *state) { return mix64((*state)++); }
/* Above 0, at most 1. */
static inline double mix_unit(uint64_t bits) { return ((double)(bits >> 11) + 1) / 9007199254740993.0; }

#endif
