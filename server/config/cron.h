/* cron.h - times of the form "minute hour day month weekday", in UTC: there no hour is missing and none comes twice.
 *
 * Each field is `*`, a number, a range `a-b`, either with a step `/n`, or several of those separated by commas. Months and weekdays
 * may be names of three letters (jan, mon); Sunday is 0 and 7. Where both day and weekday are restricted one of them suffices, as in
 * crontab(5); a field that begins with `*` is not restricted. */
#ifndef CONFIG_CRON_H
#define CONFIG_CRON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cron {
    uint64_t minutes, hours, days, months, weekdays; /* bits: 0..59, 0..23, 1..31, 1..12, 0..6 */
    bool any_day, any_weekday;
} cron;

/* False when the text makes no sense, or when there is no such time; why (of `room` bytes) tells. */
bool cron_parse(const char *text, cron *out, char *why, size_t room);
/* Unix time in seconds: the first time after t, and the last that is not after t. */
int64_t cron_next(const cron *c, int64_t t);
int64_t cron_last(const cron *c, int64_t t);

#endif
