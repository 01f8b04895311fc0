/* daemon.c - implements bench/daemon.h. */
#include "bench/daemon.h"
#include "bench/data.h"
#include "bench/measure.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* One port for everything has to be named: the system is asked for one that is free. */
static uint16_t free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&at, size) != 0 || getsockname(s, (struct sockaddr *)&at, &size) != 0)
        measure_die("evdbd", "no port is free");
    close(s);
    return ntohs(at.sin_port);
}

static void wait_until_ready(int from)
{
    char line[4096];
    FILE *log = fdopen(from, "r");
    while (log && fgets(line, sizeof line, log))
        if (strstr(line, "\"message\":\"ready\"")) return; /* the pipe stays: evdbd may write to it again */
    measure_die("evdbd", "does not start");
}

daemon_process daemon_start(const char *program, const char *folder)
{
    daemon_process d = { .port = free_port() };
    char path[DATA_PATH_MAX], port[16];
    int ends[2];
    const char *slash = strrchr(program, '/');
    snprintf(path, sizeof path, "%.*s/../../evdbd", slash ? (int)(slash - program) : 1, slash ? program : ".");
    snprintf(port, sizeof port, "%u", d.port);
    if (pipe(ends) != 0 || (d.pid = fork()) < 0) measure_die("evdbd", "cannot be started");
    if (d.pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        execl(path, path, "--data", folder, "--port", port, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    wait_until_ready(ends[0]);
    return d;
}

void daemon_stop(const daemon_process *d)
{
    int status;
    kill(d->pid, SIGTERM);
    if (waitpid(d->pid, &status, 0) != d->pid || status != 0) measure_die("evdbd", "does not stop well");
}
