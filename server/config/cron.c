/* cron.c - implements config/cron.h. Days are looked at one after the other: the rarest, a 29th of February, comes within eight years. */
#include "config/cron.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MINUTE = 60, DAY = 86400, YEARS_MAX = 8, DAYS_MAX = YEARS_MAX * 366, WORD_MAX = 80 };

/* ---- parsing ---- */

typedef struct field {
    const char *what;
    int least, most;
    const char *names; /* of three letters each, from `least` on; NULL = none */
} field;

static const field fields[] = {
    { "minute", 0, 59, NULL },
    { "hour", 0, 23, NULL },
    { "day", 1, 31, NULL },
    { "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
    { "weekday", 0, 7, "sunmontuewedthufrisat" },
};
enum { FIELDS = sizeof(fields) / sizeof(*fields) };

/* A number or a name at *at, which moves on; -1 when there is none. */
static int value(const field *f, const char **at)
{
    int n = 0, digits = 0;
    for (; isdigit((unsigned char)**at) && digits < 3; digits++) n = 10 * n + *(*at)++ - '0';
    if (digits) return n;
    size_t count = f->names ? strlen(f->names) / 3 : 0;
    for (size_t i = 0; i < count; i++) {
        if (strncasecmp(*at, f->names + 3 * i, 3) != 0) continue;
        *at += 3;
        return f->least + (int)i;
    }
    return -1;
}

/* One of those between commas. */
static bool item(const field *f, const char **at, uint64_t *bits)
{
    int from = f->least, to = f->most, step = 1;
    bool all = **at == '*', range = all;
    if (all) ++*at;
    else {
        from = to = value(f, at);
        if (**at == '-') {
            ++*at;
            to = value(f, at);
            range = true;
        }
    }
    if (**at == '/') {
        ++*at;
        if (!range) return false; /* others take "5/10" for different things */
        step = isdigit((unsigned char)**at) ? value(f, at) : 0;
    }
    if (from < f->least || to > f->most || from > to || step < 1) return false;
    for (int i = from; i <= to; i += step) *bits |= UINT64_C(1) << i;
    return true;
}

static bool list(const field *f, const char *text, uint64_t *bits)
{
    *bits = 0;
    for (;; text++) {
        if (!item(f, &text, bits)) return false;
        if (*text != ',') return !*text;
    }
}

/* The next word; false when there is none, or it is too long to make sense. */
static bool word(const char **at, char out[WORD_MAX])
{
    *at += strspn(*at, " \t");
    size_t length = strcspn(*at, " \t");
    if (!length || length >= WORD_MAX) return false;
    memcpy(out, *at, length);
    out[length] = 0;
    *at += length;
    return true;
}

static bool never(const cron *c);

bool cron_parse(const char *text, cron *out, char *why, size_t room)
{
    char words[FIELDS][WORD_MAX];
    uint64_t bits[FIELDS];
    const char *at = text;
    size_t count = 0;
    while (count < FIELDS && word(&at, words[count])) count++;
    if (count < FIELDS || at[strspn(at, " \t")]) {
        snprintf(why, room, "it must have five fields: minute, hour, day, month and weekday");
        return false;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (list(&fields[i], words[i], &bits[i])) continue;
        snprintf(why, room, "'%s' is no %s: %d to %d%s, lists, ranges, * and steps", words[i], fields[i].what, fields[i].least, fields[i].most,
                 fields[i].names ? " or names of three letters" : "");
        return false;
    }
    *out = (cron){ bits[0], bits[1], bits[2], bits[3], (bits[4] | bits[4] >> 7) & 0x7f, words[2][0] == '*', words[4][0] == '*' };
    if (!never(out)) return true;
    snprintf(why, room, "no month of these has such a day");
    return false;
}

/* ---- time ---- */

static int64_t day_of(int64_t t) { return t / DAY - (t % DAY < 0); }

/* The proleptic Gregorian calendar, in years that begin with March, so that a leap day is the last. */
static void date_of(int64_t day, int *month, int *mday)
{
    int64_t z = day + 719468; /* from the first of March of the year 0 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153; /* 0 = March */
    *mday = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
}

static bool fits(const cron *c, int64_t day)
{
    int month, mday, weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
    date_of(day, &month, &mday);
    bool by_day = c->days >> mday & 1, by_weekday = c->weekdays >> weekday & 1;
    if (!(c->months >> month & 1)) return false;
    return c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The first second of the day, at or after `from`, at which a minute begins that is one of these; -1 = none. */
static int64_t first_from(const cron *c, int64_t from)
{
    for (int64_t m = (from + MINUTE - 1) / MINUTE; m < DAY / MINUTE; m++)
        if ((c->hours >> (m / 60) & 1) && (c->minutes >> (m % 60) & 1)) return m * MINUTE;
    return -1;
}

static int64_t last_until(const cron *c, int64_t until)
{
    for (int64_t m = until / MINUTE; m >= 0; m--)
        if ((c->hours >> (m / 60) & 1) && (c->minutes >> (m % 60) & 1)) return m * MINUTE;
    return -1;
}

int64_t cron_next(const cron *c, int64_t t)
{
    int64_t day = day_of(t), from = t - day * DAY + 1;
    for (int i = 0; i <= DAYS_MAX; i++, day++, from = 0) {
        int64_t at = fits(c, day) ? first_from(c, from) : -1;
        if (at >= 0) return day * DAY + at;
    }
    return INT64_MAX; /* cron_parse() refuses those */
}

int64_t cron_last(const cron *c, int64_t t)
{
    int64_t day = day_of(t), until = t - day * DAY;
    for (int i = 0; i <= DAYS_MAX; i++, day--, until = DAY - 1) {
        int64_t at = fits(c, day) ? last_until(c, until) : -1;
        if (at >= 0) return day * DAY + at;
    }
    return INT64_MIN;
}

/* From a year with a leap day on: one comes then, whatever century is near. */
static bool never(const cron *c) { return cron_next(c, INT64_C(951782400)) == INT64_MAX; /* 2000-02-29 */ }
