/* number.c - implements format/number.h.
 *
 * Reading: w * 10^e with w of at most 19 digits, computed in double, is off by a few units in the last of its 53 bits
 * (steps of rounding: w itself, two multiplications). Rounding that to float's 24 bits is right unless it lies that close
 * to a midpoint between two floats, which is rare (16 of 2^29 cases); then strtof() decides, which is exact.
 * Writing: the nearest decimal of 6 digits, then 7, 8, 9, until one reads back as the same float. Up to 6 digits
 * every decimal survives the trip through a float, so fewer are found by dropping zeros. */
#include "format/number.h"
#include <float.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POWERS = 23,           /* 10^0 .. 10^22 are exact in a double */
    DIGITS_KEPT = 19,      /* always fit uint64 */
    EXPONENT_MAX = 100000, /* larger ones need not be told apart: strtof() decides */
    UNSURE = 8             /* units in the last place of a double */
};

/* Half a step beyond FLT_MAX: doubles from here on round to infinity. Numbers that become doubles first, as in a tree of JSON, have no
 * finer bound; so that a number is taken wherever it stands, nor have others. */
#define FLOAT_END 0x1.ffffffp127

static const double powers[POWERS] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* value * 10^exponent; false beyond what two steps reach. */
static bool scale(double value, int64_t exponent, double *out)
{
    int64_t size = exponent < 0 ? -exponent : exponent;
    int64_t first = size < POWERS ? size : POWERS - 1, second = size - first;
    if (second >= POWERS) return false;
    *out = exponent < 0 ? value / powers[first] / powers[second] : value * powers[first] * powers[second];
    return true;
}

/* digits * 10^exponent rounded to float, when that is sure to be right. */
static bool nearest(uint64_t digits, int64_t exponent, float *out)
{
    double d;
    uint64_t bits;
    if (!scale((double)digits, exponent, &d)) return false;
    if (exponent < 0 || d > 0x1p53) { /* else a whole number without error: also midpoints are rounded right */
        if (!(d > FLT_MIN * 1.001 && d < FLT_MAX * 0.999)) return false;
        memcpy(&bits, &d, sizeof(bits));
        int64_t from_midpoint = (int64_t)(bits & 0x1fffffff) - 0x10000000;
        if (from_midpoint > -UNSURE && from_midpoint < UNSURE) return false;
    }
    *out = (float)d;
    return true;
}

static bool is_digit(const char *p, const char *end) { return p < end && *p >= '0' && *p <= '9'; }

/* Digits gathered into value * 10^exponent; those behind the 19th that counts are cut off. */
typedef struct decimal {
    uint64_t value;
    int64_t exponent;
    int kept;
} decimal;

static const char *take_digits(const char *p, const char *end, bool fraction, decimal *d)
{
    for (; is_digit(p, end); p++) {
        if (d->kept < DIGITS_KEPT) {
            d->value = d->value * 10 + (uint64_t)(*p - '0');
            d->kept += d->value != 0;
            d->exponent -= fraction;
        } else {
            d->exponent += !fraction;
        }
    }
    return p;
}

static const char *take_exponent(const char *p, const char *end, decimal *d)
{
    int64_t given = 0;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (!is_digit(p, end)) return NULL;
    for (; is_digit(p, end); p++)
        if (given < EXPONENT_MAX) given = given * 10 + (*p - '0');
    d->exponent += negative ? -given : given;
    return p;
}

/* An unsigned JSON number; NULL when it is none. */
static const char *take_decimal(const char *p, const char *end, decimal *d)
{
    *d = (decimal){ 0 };
    if (!is_digit(p, end) || (*p == '0' && is_digit(p + 1, end))) return NULL;
    p = take_digits(p, end, false, d);
    if (p < end && *p == '.') {
        if (!is_digit(p + 1, end)) return NULL;
        p = take_digits(p + 1, end, true, d);
    }
    return p < end && (*p == 'e' || *p == 'E') ? take_exponent(p + 1, end, d) : p;
}

/* strtof() in the "C" locale, whatever the host program has set; exact, but ten times slower. */
static float exact(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* static in glibc and musl: nothing is allocated */
    float value = strtof_l(text, NULL, c);
    freelocale(c);
    return value;
}

static double exact_double(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(text, NULL, c);
    freelocale(c);
    return value;
}

const char *number_scan(const char *text, const char *end, float *out, bool *large)
{
    bool negative = text < end && *text == '-';
    const char *p = text + negative;
    decimal d;
    float value = 0;
    const char *behind = take_decimal(p, end, &d);
    if (!behind) return NULL;
    if (d.value && !nearest(d.value, d.exponent, &value)) {
        if (behind == end) return behind; /* strtof() would read on */
        value = exact(p);
        if (value >= FLT_MAX && exact_double(p) >= FLOAT_END) {
            *large = true;
            return behind;
        }
    }
    *out = negative ? -value : value;
    return behind;
}

bool number_to_float(const char *text, size_t length, float *out)
{
    bool large = false;
    return number_scan(text, text + length + 1, out, &large) == text + length && !large;
}

double number_to_double(const char *text, size_t length)
{
    const char *end = text + length, *p = text + (*text == '-');
    decimal d;
    double value;
    /* one exact number times or by another is rounded once, and so rightly (Clinger 1990) */
    bool exactly = take_decimal(p, end, &d) && d.value < UINT64_C(1) << 53 && d.exponent > -POWERS && d.exponent < POWERS;
    if (exactly && scale((double)d.value, d.exponent, &value)) return p > text ? -value : value;
    return exact_double(text);
}

bool number_to_int64(const char *text, size_t length, int64_t *out)
{
    bool negative = *text == '-';
    int64_t value = 0;
    for (size_t i = negative; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        int digit = text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value)) return false;
    }
    /* gathered as a negative number, whose range is the larger */
    if (!negative && __builtin_sub_overflow(0, value, &value)) return false;
    *out = value;
    return true;
}

/* digits (the last not 0) with the decimal point behind the first and an exponent, laid out as people write it. */
static size_t lay_out(bool negative, uint32_t digits, int exponent, char *out)
{
    char text[10];
    int count = 0, at = 0;
    for (uint32_t rest = digits; rest; rest /= 10) text[9 - count++] = (char)('0' + rest % 10);
    const char *p = text + 10 - count;

    if (negative) out[at++] = '-';
    if (exponent >= -5 && exponent < 0) {
        out[at++] = '0', out[at++] = '.';
        for (int i = -1; i > exponent; i--) out[at++] = '0';
        for (int i = 0; i < count; i++) out[at++] = p[i];
        return (size_t)at;
    }
    bool plain = exponent >= 0 && exponent <= 9;
    int before = plain ? exponent + 1 : 1; /* digits before the point */
    for (int i = 0; i < count || i < before; i++) {
        if (i == before) out[at++] = '.';
        out[at++] = i < count ? p[i] : '0';
    }
    if (!plain) at += snprintf(out + at, 5, "e%d", exponent);
    return (size_t)at;
}

/* The shortest digits of an ordinary float by arithmetic in double; false leaves it to slowest(). */
static bool quick(float value, uint32_t *digits, int *exponent)
{
    uint32_t bits;
    double scaled;
    float read;
    memcpy(&bits, &value, sizeof(bits));
    /* the decimal exponent from the binary one, times log10(2); may come out one too small */
    int binary = (int)(bits >> 23) - 127, e = (binary * 1233) >> 12;
    if (e < -30 || e > 30 || !scale((double)value, -e, &scaled)) return false;
    if (scaled >= 10) e++;

    for (int n = 6; n <= 9; n++) {
        int shift = n - 1 - e;
        if (!scale((double)value, shift, &scaled)) return false;
        uint32_t whole = (uint32_t)(scaled + 0.5);
        if (!nearest(whole, -shift, &read) || read != value) continue;
        int dropped = 0;
        for (; whole % 10 == 0; whole /= 10) dropped++;
        *digits = whole;
        *exponent = dropped - shift;                                    /* of the last digit ... */
        for (uint32_t rest = whole / 10; rest; rest /= 10) ++*exponent; /* ... of the first */
        return true;
    }
    return false;
}

/* The same by printing and reading back, for denormals and the far ends of the range. */
static void slowest(float value, uint32_t *digits, int *exponent)
{
    for (int n = 1; n <= 9; n++) {
        char text[32], plain[32];
        uint32_t whole = 0;
        snprintf(text, sizeof(text), "%.*e", n - 1, (double)value);
        const char *e = strchr(text, 'e');
        /* digits only: what the locale uses for the decimal point may be any bytes */
        for (const char *p = text; p < e; p++)
            if (*p >= '0' && *p <= '9') whole = whole * 10 + (uint32_t)(*p - '0');
        int shift = (int)strtol(e + 1, NULL, 10);
        snprintf(plain, sizeof(plain), "%ue%d", whole, shift - (n - 1));
        *digits = whole;
        *exponent = shift;
        if (exact(plain) == value) break; /* at the latest with nine */
    }
    while (*digits % 10 == 0) *digits /= 10;
}

size_t number_from_float(float value, char out[NUMBER_TEXT_MAX])
{
    uint32_t digits;
    int exponent;
    bool negative = __builtin_signbit(value) != 0;
    float size = negative ? -value : value;
    if (size == 0) {
        /* as "-0" many readers take it for an integer and lose the sign */
        memcpy(out, "-0.0", 4);
        if (!negative) out[0] = '0';
        return negative ? 4 : 1;
    }
    if (!quick(size, &digits, &exponent)) slowest(size, &digits, &exponent);
    return lay_out(negative, digits, exponent, out);
}
