/* log.c - implements log.h. */
#include "log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "error", "warning", "info", "debug" };
static log_level most = LOG_INFO; /* set once, before there are threads */

void log_set_level(const char *name)
{
    for (log_level l = LOG_ERROR; l <= LOG_DEBUG; l++)
        if (strcmp(name, names[l]) == 0) most = l;
}

void log_line(log_level level, const char *message, json_t *fields)
{
    struct timespec now;
    struct tm utc;
    char stamp[40], text[64];
    if (level > most) {
        json_decref(fields);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp, sizeof(stamp), "%.20s.%03ldZ", text, now.tv_nsec / 1000000);
    json_t *line = json_pack("{s:s, s:s, s:s}", "time", stamp, "level", names[level], "message", message);
    if (line && fields) json_object_update_missing(line, fields);
    char *out = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (out) fprintf(stderr, "%s\n", out); /* one call: lines of several threads do not mix */
    free(out);
    json_decref(line);
    json_decref(fields);
}
