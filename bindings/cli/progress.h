/* progress.h - a line on stderr that shows how far a transfer is, when stderr is a terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool wanted, shown;
    int64_t next_ms; /* not before this is the line drawn again */
} progress;

progress progress_begin(void);
/* done of total, in any unit; total 0 = unknown. */
void progress_show(progress *p, const char *verb, uint64_t records, uint64_t done, uint64_t total);
/* Wipes the line, so that a message may follow. */
void progress_clear(progress *p);
#endif
