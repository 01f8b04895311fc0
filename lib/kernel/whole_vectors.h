/* whole_vectors.h - the loop of a float kernel, the same for every instruction set: four accumulators, so that one multiplication
 * need not wait for the one before. */
#ifndef EVDB_KERNEL_WHOLE_VECTORS_H
#define EVDB_KERNEL_WHOLE_VECTORS_H

/* Adds step() of the whole vectors of a and b into s0 .. s3, and leaves i behind them. The instruction set has LOAD(), WIDTH (floats
 * of a vector) and STEP (of four). */
#define WHOLE_VECTORS(step)                                                                                           \
    for (; i + STEP <= n; i += STEP) {                                                                                \
        s0 = step(s0, LOAD(a + i), LOAD(b + i));                                                                      \
        s1 = step(s1, LOAD(a + i + WIDTH), LOAD(b + i + WIDTH));                                                      \
        s2 = step(s2, LOAD(a + i + 2 * WIDTH), LOAD(b + i + 2 * WIDTH));                                              \
        s3 = step(s3, LOAD(a + i + 3 * WIDTH), LOAD(b + i + 3 * WIDTH));                                              \
    }                                                                                                                 \
    for (; i + WIDTH <= n; i += WIDTH) s0 = step(s0, LOAD(a + i), LOAD(b + i));

#endif
