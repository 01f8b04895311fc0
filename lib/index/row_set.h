/* row_set.h - rows of an index that a search may find, as bits. */
#ifndef EVDB_INDEX_ROW_SET_H
#define EVDB_INDEX_ROW_SET_H
#include <stdbool.h>
#include <stdint.h>

typedef struct row_set {
    uint64_t *bits;
    uint32_t rows;  /* bits there are; rows behind are not in the set */
    uint64_t count; /* of those in it */
} row_set;

static inline bool row_set_has(const row_set *s, uint32_t row) { return row < s->rows && s->bits[row / 64] >> row % 64 & 1; }

/* The first row of the set from `row` on, or `end`. */
static inline uint32_t row_set_next(const row_set *s, uint32_t row, uint32_t end)
{
    uint32_t last = end < s->rows ? end : s->rows;
    while (row < last) {
        uint64_t word = s->bits[row / 64] >> row % 64;
        if (word) {
            row += (uint32_t)__builtin_ctzll(word);
            return row < last ? row : end;
        }
        row = (row | 63) + 1; /* never wraps: rows end below 2^32 - 64 */
    }
    return end;
}

#endif
