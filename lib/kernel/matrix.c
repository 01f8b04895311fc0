/* matrix.c - packing of right factors, the same for every instruction set. */
#include "kernel/matrix.h"
#include <string.h>

size_t matrix_packed(size_t inner, size_t columns) { return (columns + MATRIX_PANEL - 1) / MATRIX_PANEL * MATRIX_PANEL * inner; }

void matrix_pack(const float *b, size_t stride, size_t inner, size_t columns, float *packed)
{
    for (size_t j = 0; j < columns; j += MATRIX_PANEL) {
        size_t some = columns - j < MATRIX_PANEL ? columns - j : MATRIX_PANEL;
        for (size_t i = 0; i < inner; i++, packed += MATRIX_PANEL) {
            memcpy(packed, b + i * stride + j, some * sizeof(*b));
            if (some < MATRIX_PANEL) memset(packed + some, 0, (MATRIX_PANEL - some) * sizeof(*b));
        }
    }
}

void matrix_pack_transposed(const float *b, size_t stride, size_t inner, size_t columns, float *packed)
{
    enum { TILE = 16 }; /* rows' cache lines that are open at a time */
    for (size_t j = 0; j < columns; j += MATRIX_PANEL, packed += inner * MATRIX_PANEL) {
        size_t some = columns - j < MATRIX_PANEL ? columns - j : MATRIX_PANEL;
        if (some < MATRIX_PANEL) memset(packed, 0, inner * MATRIX_PANEL * sizeof(*b));
        for (size_t i = 0; i < inner; i += TILE)
            for (size_t column = 0; column < some; column++)
                for (size_t k = i; k < inner && k < i + TILE; k++)
                    packed[k * MATRIX_PANEL + column] = b[(j + column) * stride + k];
    }
}
