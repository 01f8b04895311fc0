/* log.h - what evdbd tells its operator: one JSON object a line, on standard error. */
#ifndef LOG_H
#define LOG_H
#include <jansson.h>
#include <stdbool.h>

typedef enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } log_level; /* as config_log_levels[] */

/* Lines above this level are dropped. Before the first call: LOG_INFO. Not thread-safe: call it at start. */
void log_set_level(const char *name);
/* Whether a line of this level is written: to spare the work of making one. */
bool log_wants(log_level level);
/* Writes {"time","level","message", fields...}; takes over `fields` (may be NULL). Thread-safe. Never give it a secret. */
void log_line(log_level level, const char *message, json_t *fields);
/* Text from outside as a field; bytes that are no UTF-8 become '?'. NULL when memory ran out. */
json_t *log_text(const char *text);

#endif
