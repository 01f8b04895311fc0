/* daemon.h - the built evdbd on a database, as a process. */
#ifndef BENCH_DAEMON_H
#define BENCH_DAEMON_H
#include <stdint.h>
#include <sys/types.h>

typedef struct daemon_process {
    pid_t pid;
    uint16_t port; /* of all protocols */
} daemon_process;

/* `program`: of the bench itself; evdbd is two folders above it. Ready when it returns. */
daemon_process daemon_start(const char *program, const char *folder);
void daemon_stop(const daemon_process *d);
#endif
