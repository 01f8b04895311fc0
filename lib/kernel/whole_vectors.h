/* whole_vectors.h - the loop of a kernel, the same for every instruction set and element: four accumulators, so that one multiplication
 * need not wait for the one before. */
#ifndef EVDB_KERNEL_WHOLE_VECTORS_H
#define EVDB_KERNEL_WHOLE_VECTORS_H

/* Adds step() of the whole vectors of n floats at q and as many elements at row into s0 .. s3, and leaves i behind them. load(row, i)
 * makes floats of the elements from i on. The instruction set has LOAD(), WIDTH (floats of a vector) and STEP (of four). */
#define WHOLE_VECTORS(step, q, load, row)                                                                             \
    for (; i + STEP <= n; i += STEP) {                                                                                \
        s0 = step(s0, LOAD((q) + i), load(row, i));                                                                   \
        s1 = step(s1, LOAD((q) + i + WIDTH), load(row, i + WIDTH));                                                   \
        s2 = step(s2, LOAD((q) + i + 2 * WIDTH), load(row, i + 2 * WIDTH));                                           \
        s3 = step(s3, LOAD((q) + i + 3 * WIDTH), load(row, i + 3 * WIDTH));                                           \
    }                                                                                                                 \
    for (; i + WIDTH <= n; i += WIDTH) s0 = step(s0, LOAD((q) + i), load(row, i));

/* load() of floats */
#define LOAD_FLOATS(row, i) LOAD((row) + (i))

#endif
