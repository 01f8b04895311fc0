/* log.c - implements log.h. */
#include "log.h"
#include "config/config.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGITS = 6 }; /* of a number that is no integer */

static log_level most = LOG_INFO; /* set once, before there are threads */

void log_set_level(const char *name)
{
    for (log_level l = LOG_ERROR; config_log_levels[l]; l++)
        if (strcmp(name, config_log_levels[l]) == 0) most = l;
}

bool log_wants(log_level level) { return level <= most; }

json_t *log_text(const char *text)
{
    json_t *json = json_string(text);
    char *ascii = json ? NULL : strdup(text);
    for (char *p = ascii; p && *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    if (ascii) json = json_string(ascii);
    free(ascii);
    return json;
}

void log_line(log_level level, const char *message, json_t *fields)
{
    struct timespec now;
    struct tm utc;
    char stamp[40], text[64];
    if (!log_wants(level)) {
        json_decref(fields);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp, sizeof(stamp), "%.20s.%03ldZ", text, now.tv_nsec / 1000000);
    json_t *line = json_pack("{s:s, s:s, s:s}", "time", stamp, "level", config_log_levels[level], "message", message);
    if (line && fields) json_object_update_missing(line, fields);
    char *out = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
    if (out) fprintf(stderr, "%s\n", out); /* one call: lines of several threads do not mix */
    free(out);
    json_decref(line);
    json_decref(fields);
}
