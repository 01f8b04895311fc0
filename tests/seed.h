/* seed.h - pseudo-random numbers that a printed seed repeats. */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H
#include <stddef.h>
#include <stdint.h>

/* $EVDB_SEED, else a new one; prints it, so that a failure can be repeated. */
uint64_t seed_print(void);
uint64_t seed_next(uint64_t *state);
uint64_t seed_below(uint64_t *state, uint64_t limit); /* 0 .. limit-1 */
/* How often a trial is made: `wished`, or $EVDB_EFFORT percent of it, once at least. For runs that are slow, as under valgrind. */
size_t seed_tries(size_t wished);
/* count floats in -1..1 */
void seed_floats(uint64_t *state, float *out, size_t count);
#endif
