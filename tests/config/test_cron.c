/* test_cron.c - times of a schedule (server/config/cron.h, schedule.h), on a clock that is given. */
#include "config/schedule.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static int64_t at(const char *text)
{
    struct tm utc = { 0 };
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &utc);
    if (!end || *end) fail_msg("'%s' is no time", text);
    return timegm(&utc);
}

static const char *text_of(int64_t t)
{
    static char out[40];
    time_t when = (time_t)t;
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &utc);
    return out;
}

static schedule parsed(const char *text)
{
    schedule s;
    char why[200] = "";
    if (!schedule_parse(text, &s, why, sizeof why)) fail_msg("'%s': %s", text, why);
    return s;
}

static void the_next_time_is_the_first_that_fits(void **state)
{
    (void)state;
    static const struct { const char *text, *from, *next; } cases[] = {
        { "0 3 * * *", "2026-11-30 02:59:59", "2026-11-30 03:00:00" },
        { "0 3 * * *", "2026-11-30 03:00:00", "2026-12-01 03:00:00" },
        { "0 3 * * *", "2026-12-31 12:00:00", "2027-01-01 03:00:00" },
        { "* * * * *", "2026-11-30 03:00:00", "2026-11-30 03:01:00" },
        { "* * * * *", "2026-11-30 23:59:01", "2026-12-01 00:00:00" },
        { "*/15 8-18 * * mon-fri", "2026-11-27 18:45:00", "2026-11-30 08:00:00" },
        { "5,35 */6 * * *", "2026-11-30 06:05:00", "2026-11-30 06:35:00" },
        { "0 0 31 * *", "2026-04-01 00:00:00", "2026-05-31 00:00:00" },
        { "0 0 30 * *", "2026-01-30 00:00:00", "2026-03-30 00:00:00" },
        { "0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00" },
        { "0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00" }, /* 2100 is no leap year */
        { "0 0 29 FEB *", "1999-12-31 00:00:00", "2000-02-29 00:00:00" },
        { "0 0 1 jan,JUL *", "2026-02-01 00:00:00", "2026-07-01 00:00:00" },
        { "30 12 * * 7", "2026-11-30 00:00:00", "2026-12-06 12:30:00" },
        { "30 12 * * 0", "2026-11-30 00:00:00", "2026-12-06 12:30:00" },
        { "30 12 * * sun", "2026-11-30 00:00:00", "2026-12-06 12:30:00" },
        { "0 0 * * 5-7", "2026-11-30 00:00:00", "2026-12-04 00:00:00" },
        { "0 0 13 * fri", "2026-11-30 00:00:00", "2026-12-04 00:00:00" }, /* one of both suffices */
        { "0 0 13 * fri", "2026-12-11 00:00:00", "2026-12-13 00:00:00" },
        { "0 0 */2 * mon", "2026-11-30 00:00:00", "2026-12-07 00:00:00" }, /* '*' first: both */
        { "0 0 1-31/10 * *", "2026-11-11 00:00:00", "2026-11-21 00:00:00" },
        { "0 0 31 2 mon", "2026-01-01 00:00:00", "2026-02-02 00:00:00" },
        { "\t0  0\t1 1 * ", "1960-06-01 00:00:00", "1961-01-01 00:00:00" },
        { "6h", "2026-11-30 05:59:59", "2026-11-30 06:00:00" },
        { "6h", "2026-11-30 06:00:00", "2026-11-30 12:00:00" },
        { "1d", "2026-11-30 06:00:00", "2026-12-01 00:00:00" },
        { "1s", "2026-11-30 06:00:00", "2026-11-30 06:00:01" },
        { "30m", "1969-12-31 23:45:00", "1970-01-01 00:00:00" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        schedule s = parsed(cases[i].text);
        int64_t next = schedule_next(&s, at(cases[i].from));
        if (next != at(cases[i].next)) fail_msg("'%s' from %s: %s, not %s", cases[i].text, cases[i].from, text_of(next), cases[i].next);
        assert_true(schedule_last(&s, next) == next);
        assert_true(schedule_last(&s, next - 1) <= at(cases[i].from)); /* nothing in between */
    }
}

static void what_makes_no_sense_or_never_comes_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "*", "0 3 * *", "0 3 * * * *", "60 * * * *", "-1 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *",
        "* * * * 8", "1- * * * *", "-1- * * * *", "5-1 * * * *", "*/0 * * * *", "*/ * * * *", "5/10 * * * *", "1,,2 * * * *", ", * * * *",
        "1, * * * *", "a * * * *", "* * * foo *", "* * * jane *", "* * * * mond", "* * jan * *", "1.5 * * * *", "** * * * *", "*5 * * * *",
        "9999999999999999999 * * * *", "0 0 30 2 *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 feb *", "sat-sun * * * *", "* * * * sat-sun",
        "0s", "999ms", "1500ms", "500ms", "6", "h", "6 h", "-6h", "1w", "367d", "6h6h", "99999999999999999999d",
        "* * * * 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        schedule s;
        char why[200] = "";
        if (schedule_parse(bad[i], &s, why, sizeof why)) fail_msg("'%s' is taken", bad[i]);
        if (!*why) fail_msg("'%s' is refused without a word", bad[i]);
    }
}

/* ---- any expression, against looking at every minute ---- */

enum { MINUTES = 70 * 1440 }; /* of each expression */

static unsigned number(uint64_t *seed, unsigned least, unsigned most) { return least + (unsigned)seed_below(seed, most - least + 1); }

/* A field as text, and as a set. */
static void any_field(uint64_t *seed, unsigned least, unsigned most, char *text, size_t room, uint64_t *set)
{
    size_t used = 0;
    *set = 0;
    for (uint64_t items = 1 + seed_below(seed, 3); items; items--) {
        unsigned from = number(seed, least, most), to = number(seed, from, most), step = 1;
        const char *comma = used ? "," : "";
        switch (seed_below(seed, 4)) {
        case 0:
            from = least, to = most, step = number(seed, 1, 20);
            used += (size_t)snprintf(text + used, room - used, "%s*/%u", comma, step);
            break;
        case 1:
            step = number(seed, 1, 9);
            used += (size_t)snprintf(text + used, room - used, "%s%u-%u/%u", comma, from, to, step);
            break;
        case 2: used += (size_t)snprintf(text + used, room - used, "%s%u-%u", comma, from, to); break;
        default:
            to = from;
            used += (size_t)snprintf(text + used, room - used, "%s%u", comma, from);
        }
        for (unsigned i = from; i <= to; i += step) *set |= UINT64_C(1) << i;
    }
}

typedef struct model { uint64_t set[5]; bool any_day, any_weekday; } model;

static bool model_fits(const model *m, int64_t t)
{
    time_t when = (time_t)t;
    struct tm utc;
    gmtime_r(&when, &utc);
    bool day = m->set[2] >> utc.tm_mday & 1;
    bool weekday = (m->set[4] >> utc.tm_wday & 1) || (utc.tm_wday == 0 && (m->set[4] >> 7 & 1));
    bool both = m->any_day || m->any_weekday ? day && weekday : day || weekday;
    return (m->set[0] >> utc.tm_min & 1) && (m->set[1] >> utc.tm_hour & 1) && (m->set[3] >> (utc.tm_mon + 1) & 1) && both;
}

static void any_expression_fits_the_times_that_its_words_say(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    static const unsigned least[] = { 0, 0, 1, 1, 0 }, most[] = { 59, 23, 31, 12, 7 };
    for (size_t i = seed_tries(40); i; i--) {
        char fields[5][80], text[420], why[200];
        model m;
        schedule s;
        for (int f = 0; f < 5; f++) any_field(&seed, least[f], most[f], fields[f], sizeof fields[f], &m.set[f]);
        m.any_day = fields[2][0] == '*';
        m.any_weekday = fields[4][0] == '*';
        snprintf(text, sizeof text, "%s %s %s %s %s", fields[0], fields[1], fields[2], fields[3], fields[4]);
        if (!schedule_parse(text, &s, why, sizeof why)) continue; /* no such day: looked at in a test of its own */
        int64_t from = (at("2023-06-01 00:00:00") + (int64_t)seed_below(&seed, 4 * 366) * 86400) / 60 * 60, next = schedule_next(&s, from), last = -1;
        for (int64_t t = from; t < from + MINUTES * 60; t += 60) {
            bool fits = model_fits(&m, t);
            if (fits) last = t;
            if (t > from && fits != (t == next)) fail_msg("'%s': %s", text, text_of(t));
            if (last >= 0 && t % 977 == 0 && schedule_last(&s, t + 59) != last) fail_msg("'%s': the last until %s", text, text_of(t));
            if (t == next) next = schedule_next(&s, t + (int64_t)seed_below(&seed, 60));
        }
    }
}

static void every_time_of_a_year_comes(void **state)
{
    (void)state;
    static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    for (unsigned month = 1; month <= 12; month++)
        for (unsigned day = 1; day <= 31; day++) {
            char text[40], why[200];
            schedule s;
            snprintf(text, sizeof text, "59 23 %u %u *", day, month);
            assert_int_equal(schedule_parse(text, &s, why, sizeof why), day <= days[month - 1]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_the_first_that_fits),
        cmocka_unit_test(what_makes_no_sense_or_never_comes_is_refused),
        cmocka_unit_test(any_expression_fits_the_times_that_its_words_say),
        cmocka_unit_test(every_time_of_a_year_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
