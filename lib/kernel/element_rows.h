/* element_rows.h - the kernels of elements.h, the same for every instruction set but for its steps and how it makes floats. */
#ifndef EVDB_KERNEL_ELEMENT_ROWS_H
#define EVDB_KERNEL_ELEMENT_ROWS_H
#include "kernel/elements.h"
#include "kernel/whole_vectors.h"
#include <string.h>

enum { BITS_F16 = 16, BITS_I8 = 8, BITS_BIT = 1 };

/* Defines name(). load(row, i) makes floats of the WIDTH elements from i on. The instruction set has LOAD(), VECTOR, ZERO, SUM(). */
#define ELEMENT_ROWS(isa, name, step, load, bits)                                                                      \
    isa static void name(const float *q, const void *base, size_t stride, size_t rows, size_t n, float *out)           \
    {                                                                                                                  \
        for (size_t r = 0; r < rows; r++) {                                                                            \
            const unsigned char *row = (const unsigned char *)base + r * stride;                                       \
            VECTOR s0 = ZERO, s1 = s0, s2 = s0, s3 = s0;                                                               \
            size_t i = 0;                                                                                              \
            WHOLE_VECTORS(step, q, load, row)                                                                          \
            if (i < n) {                                                                                               \
                unsigned char rest[2 * WIDTH] = { 0 };                                                                 \
                float last[WIDTH] = { 0 };                                                                             \
                memcpy(rest, row + i * (bits) / 8, ((n - i) * (bits) + i * (bits) % 8 + 7) / 8);                       \
                memcpy(last, q + i, (n - i) * sizeof(float));                                                          \
                s1 = step(s1, LOAD(last), load(rest, (bits) < 8 ? i % 8 : 0));                                         \
            }                                                                                                          \
            out[r] = SUM(s0, s1, s2, s3);                                                                              \
        }                                                                                                              \
    }

/* Defines name(), which counts the bits of `q op row`. */
#define BIT_ROWS(isa, name, op)                                                                                        \
    isa static void name(const uint64_t *q, const void *base, size_t stride, size_t rows, size_t words, float *out)    \
    {                                                                                                                  \
        for (size_t r = 0; r < rows; r++) {                                                                            \
            const unsigned char *row = (const unsigned char *)base + r * stride;                                       \
            uint32_t count = 0;                                                                                        \
            for (size_t i = 0; i < words; i++) {                                                                       \
                uint64_t word;                                                                                         \
                memcpy(&word, row + i * sizeof(word), sizeof(word));                                                   \
                count += (uint32_t)__builtin_popcountll(q[i] op word);                                                 \
            }                                                                                                          \
            out[r] = (float)count;                                                                                     \
        }                                                                                                              \
    }

/* All that an instruction set has of them, as the table `table`. */
#define ELEMENT_KERNEL(isa, table)                                                                                     \
    ELEMENT_ROWS(isa, dot_f16, dot_step, load_f16, BITS_F16)                                                           \
    ELEMENT_ROWS(isa, l2sq_f16, l2sq_step, load_f16, BITS_F16)                                                         \
    ELEMENT_ROWS(isa, l1_f16, l1_step, load_f16, BITS_F16)                                                             \
    ELEMENT_ROWS(isa, differ_f16, differ_step, load_f16, BITS_F16)                                                     \
    ELEMENT_ROWS(isa, dot_i8, dot_step, load_i8, BITS_I8)                                                              \
    ELEMENT_ROWS(isa, l2sq_i8, l2sq_step, load_i8, BITS_I8)                                                            \
    ELEMENT_ROWS(isa, l1_i8, l1_step, load_i8, BITS_I8)                                                                \
    ELEMENT_ROWS(isa, differ_i8, differ_step, load_i8, BITS_I8)                                                        \
    ELEMENT_ROWS(isa, dot_bit, dot_step, load_bit, BITS_BIT)                                                           \
    ELEMENT_ROWS(isa, l2sq_bit, l2sq_step, load_bit, BITS_BIT)                                                         \
    ELEMENT_ROWS(isa, l1_bit, l1_step, load_bit, BITS_BIT)                                                             \
    ELEMENT_ROWS(isa, differ_bit, differ_step, load_bit, BITS_BIT)                                                     \
    BIT_ROWS(isa, bits_both, &)                                                                                        \
    BIT_ROWS(isa, bits_differ, ^)                                                                                      \
    const element_kernel table = { { dot_f16, l2sq_f16, l1_f16, differ_f16 },                                          \
                                   { dot_i8, l2sq_i8, l1_i8, differ_i8 },                                              \
                                   { dot_bit, l2sq_bit, l1_bit, differ_bit },                                          \
                                   bits_both, bits_differ };

#endif
