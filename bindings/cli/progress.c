/* progress.c - implements progress.h. */
#include "progress.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR 24          /* cells in the bar */
#define REDRAW_MS 100

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

progress progress_begin(void)
{
    return (progress){ .wanted = isatty(STDERR_FILENO) };
}

void progress_show(progress *p, const char *verb, uint64_t records, uint64_t done, uint64_t total)
{
    static const char full[] = "########################", empty[] = "------------------------";
    if (!p->wanted || now_ms() < p->next_ms) return;
    p->next_ms = now_ms() + REDRAW_MS;
    p->shown = true;
    fprintf(stderr, "\r\033[K%s %" PRIu64 " records", verb, records);
    if (total) {
        double part = done < total ? (double)done / (double)total : 1;
        int cells = (int)(part * BAR);
        fprintf(stderr, " [%.*s%.*s] %d%%", cells, full, BAR - cells, empty, (int)(part * 100));
    }
    fflush(stderr);
}

void progress_clear(progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
    p->shown = false;
}
