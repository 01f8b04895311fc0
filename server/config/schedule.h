/* schedule.h - when something is to be done again and again: an interval ("6h"), or times as crontab(5) has them (config/cron.h).
 *
 * Times of an interval are its multiples since 1970, so that they do not depend on when a process was started, and all processes
 * agree on them. */
#ifndef CONFIG_SCHEDULE_H
#define CONFIG_SCHEDULE_H
#include "config/cron.h"

typedef struct schedule {
    int64_t interval; /* seconds; 0 = cron counts */
    cron cron;
} schedule;

bool schedule_parse(const char *text, schedule *out, char *why, size_t room);
/* Unix time in seconds: the first time after t, and the last that is not after t. */
int64_t schedule_next(const schedule *s, int64_t t);
int64_t schedule_last(const schedule *s, int64_t t);

#endif
