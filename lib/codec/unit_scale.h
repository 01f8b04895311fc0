/* unit_scale.h - powers of two that bring numbers of any size to where squares of floats neither overflow nor vanish. */
#ifndef EVDB_CODEC_UNIT_SCALE_H
#define EVDB_CODEC_UNIT_SCALE_H
#include <math.h>

enum { UNIT_EXPONENT_MAX = 126 }; /* the scale itself is a float */

/* What the largest size met so far is, after another number. (Not fmax(): a compiler for ARM falls over it in loops.) */
static inline double unit_size(double most, double number)
{
    double size = fabs(number);
    return size > most ? size : most;
}

/* The power of two that makes the largest size less than 1, and not less than a half if it can. */
static inline double unit_scale(double most)
{
    int exponent = 0;
    if (most > 0) frexp(most, &exponent);
    return ldexp(1, -exponent > UNIT_EXPONENT_MAX ? UNIT_EXPONENT_MAX : -exponent);
}

#endif
