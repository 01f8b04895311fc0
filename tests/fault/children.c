/* children.c - implements children.h. */
#include "children.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SILENCE_MAX_MS = 60000 };

pid_t child_start(int (*body)(void *context), void *context)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) err(2, "fork");
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = body(context);
    fflush(NULL);
    _exit(status);
}

bool child_kill(pid_t pid, const char *name)
{
    int status;
    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid) err(2, "wait for %s", name);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    fprintf(stderr, "%s ended by itself: %s %d\n", name, WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return false;
}

int child_wait(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid) err(2, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void *shared_memory(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) err(2, "shared memory");
    return at;
}

void shared_memory_free(void *at, size_t bytes) { munmap(at, bytes); }

void signal_open(signal_pipe *p)
{
    if (pipe(p->ends) != 0) err(2, "pipe");
}

void signal_close(signal_pipe *p)
{
    close(p->ends[0]);
    close(p->ends[1]);
}

void signal_send(const signal_pipe *p)
{
    while (write(p->ends[1], "", 1) < 0 && errno == EINTR) continue;
}

bool signal_await(const signal_pipe *p, unsigned count)
{
    char byte;
    for (; count; count--) {
        struct pollfd wait = { .fd = p->ends[0], .events = POLLIN };
        if (poll(&wait, 1, SILENCE_MAX_MS) != 1 || read(p->ends[0], &byte, 1) != 1) return false;
    }
    return true;
}

void child_must(evdb_status rc, const evdb_error *err, const char *what)
{
    if (rc == EVDB_OK) return;
    fprintf(stderr, "process %ld: %s: %s: %s\n", (long)getpid(), what, evdb_status_name(rc), err->message);
    _exit(3);
}

void child_expect(bool right, const char *sentence)
{
    if (right) return;
    fprintf(stderr, "process %ld: not so: %s\n", (long)getpid(), sentence);
    _exit(4);
}

evdb *child_open(const char *dir, const char *store, evdb_store **out)
{
    evdb *db;
    evdb_error err;
    child_must(evdb_open(dir, NULL, &db, &err), &err, "open the database");
    child_must(evdb_store_open(db, store, out, &err), &err, "open the store");
    return db;
}
