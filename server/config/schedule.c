/* schedule.c - implements config/schedule.h. */
#include "config/schedule.h"
#include "config/setting.h"
#include <stdio.h>
#include <string.h>

enum { INTERVAL_MAX_DAYS = 366 };

bool schedule_parse(const char *text, schedule *out, char *why, size_t room)
{
    int64_t ms;
    *out = (schedule){ 0 };
    if (strpbrk(text, " \t*")) return cron_parse(text, &out->cron, why, room);
    bool good = setting_duration(text, &ms) && ms >= 1000 && ms % 1000 == 0 && ms <= INTERVAL_MAX_DAYS * INT64_C(86400000);
    if (good) out->interval = ms / 1000;
    else snprintf(why, room, "it must be a time like \"6h\", of 1 second to %d days, or five fields like \"0 3 * * *\"", INTERVAL_MAX_DAYS);
    return good;
}

int64_t schedule_last(const schedule *s, int64_t t)
{
    if (!s->interval) return cron_last(&s->cron, t);
    return (t / s->interval - (t % s->interval < 0)) * s->interval;
}

int64_t schedule_next(const schedule *s, int64_t t)
{
    return s->interval ? schedule_last(s, t) + s->interval : cron_next(&s->cron, t);
}
