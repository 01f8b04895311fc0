/* range.c - implements codec/range.h.
 *
 * A range that is cut short has finer steps where most floats are. A good cut is found by turns: the nearest codes for a range, then the
 * range of least squares for those codes (Lloyd's method, with steps that stay equal). It begins where all
 * floats are, or where equal steps are best for normally distributed ones (Max 1960), whichever is better. */
#include "codec/range.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const float STEP_MIN = FLT_MIN;   /* its inverse is finite */
static const double GAIN_MIN = 0.002;    /* of the error: less ends the descent */
static const float SQUARES_MIN = 1e-30f; /* smaller ones may have lost terms to underflow */
static const double CUT_16 = 2.51, CUT_256 = 3.94; /* standard deviations on each side */
static const double NARROWER = 0.97;     /* than the whole range, for a cut to be made */

static double between(double least, double v, double most) { return v < least ? least : v > most ? most : v; }
static bool reaches(double low, double step, unsigned most) { return low + step * most <= FLT_MAX; }

/* Steps that end beyond the floats are made a little shorter. */
static code_range make(double low, double step, unsigned most)
{
    code_range r = { (float)between(-FLT_MAX, low, FLT_MAX), (float)step };
    if (!(r.step > STEP_MIN)) r.step = STEP_MIN;
    while (!reaches(r.low, r.step, most)) r.step = nextafterf(r.step, 0);
    return r;
}

code_range range_of(const kernel *k, const float *x, size_t n, unsigned most)
{
    float least, last;
    k->steps->range(x, n, &least, &last);
    return make(least, ((double)last - least) / most, most);
}

/* Of floats that are normally distributed, no wider than they are; the whole range where that is no narrower, or where sums left the
 * range of float. */
static code_range cut(code_range whole, const steps_spread *s, float first, double one, unsigned most)
{
    double mean = s->sum * one, variance = s->square * one - mean * mean;
    if (!(s->square > SQUARES_MIN && variance >= 0 && variance < INFINITY)) return whole;
    double half = (most > 15 ? CUT_256 : CUT_16) * sqrt(variance);
    double low = between(s->least, first + mean - half, s->most), high = between(s->least, first + mean + half, s->most);
    return high - low < NARROWER * ((double)s->most - s->least) ? make(low, (high - low) / most, most) : whole;
}

/* The best range for the codes that *r gives to the floats, and the mean squared error then. */
static double fit(const kernel *k, const float *x, size_t n, double one, unsigned most, code_range *r)
{
    steps_fit s;
    k->steps->fit(x, n, range_offset(*r), range_inverse(*r), (float)most, &s);
    double e = s.e * one, c = s.c * one, ec = s.ec * one - e * c, cc = s.cc * one - c * c, ee = s.ee * one - e * e;
    double slope = cc > 0 ? ec / cc : 0, step = r->step;
    *r = make(r->low + step * (e - slope * c), step * (1 + slope), most);
    return (ee - slope * ec) * step * step;
}

code_range range_fit(const kernel *k, const float *x, size_t n, unsigned most, unsigned rounds)
{
    steps_spread s;
    double one = 1 / (double)n; /* the weight of each float */
    k->steps->spread(x, n, &s);
    code_range whole = make(s.least, ((double)s.most - s.least) / most, most), r = cut(whole, &s, x[0], one, most), best = whole;
    if (whole.step <= STEP_MIN) return whole;
    double least = fit(k, x, n, one, most, &best), error = r.step < whole.step ? fit(k, x, n, one, most, &r) : INFINITY;
    if (error < least) best = r, least = error;
    r = best;
    for (unsigned i = 0; i < rounds; i++) {
        double gain = least - fit(k, x, n, one, most, &r);
        if (gain > 0) best = r, least -= gain;
        if (!(gain > GAIN_MIN * least)) break;
    }
    return best;
}

static const uint32_t UPPER = 0xffff0000u;

code_range range_short(code_range r, unsigned most)
{
    uint32_t bits;
    code_range longer = r;
    memcpy(&bits, &r.step, sizeof(bits));
    bool even = !(bits & ~UPPER);
    bits &= UPPER;
    memcpy(&r.step, &bits, sizeof(bits));
    if (even) return r;
    bits += ~UPPER + 1;
    memcpy(&longer.step, &bits, sizeof(bits));
    return reaches(longer.low, longer.step, most) ? longer : r;
}

bool range_sound(code_range r, unsigned most)
{
    return isfinite(r.low) && r.step >= STEP_MIN && reaches(r.low, r.step, most);
}
