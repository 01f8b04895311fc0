/* codes_rows.h - from a product with one row of codes to a kernel over rows by number, for instruction sets that fetch rows ahead. */
#ifndef EVDB_KERNEL_CODES_ROWS_H
#define EVDB_KERNEL_CODES_ROWS_H
#include "kernel/codes.h"

enum { CODES_AHEAD = 16, CODES_LINE = 64 }; /* rows asked for early, whole; bytes that arrive together */

static inline __attribute__((always_inline)) void codes_ask_for(const uint8_t *row, size_t stride)
{
    for (size_t i = 0; i < stride; i += CODES_LINE) __builtin_prefetch(row + i, 0, 3);
}

/* Defines name_at() of name(query, codes, n), with the attributes `isa`. */
#define CODES_AT(isa, name, type)                                                                                      \
    isa static void name##_at(const type *q, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count,   \
                              size_t n, int32_t *out)                                                                  \
    {                                                                                                                  \
        for (size_t i = 0; i < count && i < CODES_AHEAD; i++) codes_ask_for(base + rows[i] * stride, stride);          \
        for (size_t i = 0; i < count; i++) {                                                                           \
            if (i + CODES_AHEAD < count) codes_ask_for(base + rows[i + CODES_AHEAD] * stride, stride);                 \
            out[i] = name(q, base + rows[i] * stride + CODE_HEADER, n);                                                \
        }                                                                                                              \
    }

#endif
