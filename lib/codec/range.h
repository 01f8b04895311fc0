/* range.h - the range whose equal steps stand for some floats best. */
#ifndef EVDB_CODEC_RANGE_H
#define EVDB_CODEC_RANGE_H
#include "kernel/kernel.h"
#include <stdbool.h>

typedef struct code_range {
    float low, step; /* code c stands for low + step * c, which is finite */
} code_range;

/* Of n > 0 finite floats, with codes 0..most. All lie in it, the least at code 0, but where their distance is nearly as wide as the
 * floats: then the last steps may be missing. Equal floats are code 0 exactly. */
code_range range_of(const kernel *k, const float *x, size_t n, unsigned most);
/* With the least squared error, as far as some rounds of descent find it: outliers are cut. */
code_range range_fit(const kernel *k, const float *x, size_t n, unsigned most, unsigned rounds);

/* A step that has only the upper half of a float: the upper half of the one given, or one more. */
code_range range_short(code_range r, unsigned most);

/* As kernel/steps.h takes them. */
static inline float range_offset(code_range r) { return -0.5f * r.low; }
static inline float range_inverse(code_range r) { return 2 / r.step; }
/* Could one of the above have made it? */
bool range_sound(code_range r, unsigned most);

#endif
