/* lines.h - a stream read line by line, as fast as it comes and no longer than it may be. */
#ifndef LINES_H
#define LINES_H
#include <stdbool.h>
#include <stddef.h>

typedef struct lines {
    int fd;
    size_t most;          /* bytes of a line without its end */
    char *at;             /* what has been read: the line given out, and what follows it */
    size_t room, used, taken;
    bool ended;
    int end;              /* a descriptor; when it can be read, no more of fd is: the input ends there. -1 = none */
} lines;
#define LINES(from, longest) { .fd = from, .most = longest, .end = -1 }

typedef enum lines_got { LINES_ONE, LINES_TOO_LONG, LINES_END, LINES_FAILED } lines_got;

/* The next line, without its end and not NUL-terminated, until the next call. A line that is too long is read to its end and
 * dropped. The last one need not end. LINES_FAILED: see errno. */
lines_got lines_next(lines *l, const char **line, size_t *length);
void lines_free(lines *l);
#endif
