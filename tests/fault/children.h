/* children.h - processes that a test starts, kills and waits for. They die with the test. */
#ifndef TESTS_FAULT_CHILDREN_H
#define TESTS_FAULT_CHILDREN_H
#include <evdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Runs body(context) in a new process, which exits with what it returns. The test must have no database open. */
pid_t child_start(int (*body)(void *context), void *context);
/* Kills it with SIGKILL and waits. False, saying why, when it had ended by itself. */
bool child_kill(pid_t pid, const char *name);
/* Waits for it to end by itself: its exit status, or -1 when a signal ended it. */
int child_wait(pid_t pid);

/* Zeroed memory shared with all children started afterwards. */
void *shared_memory(size_t bytes);
void shared_memory_free(void *at, size_t bytes);

/* Bytes that children send to say "I got here". */
typedef struct signal_pipe {
    int ends[2];
} signal_pipe;
void signal_open(signal_pipe *p);
void signal_close(signal_pipe *p);
void signal_send(const signal_pipe *p);
/* Takes up to `count` signals, waiting for each; false when none comes for a minute. */
bool signal_await(const signal_pipe *p, unsigned count);

/* For children: opens a database and a store in it, or ends the process with status 3 and a message. */
evdb *child_open(const char *dir, const char *store, evdb_store **out);
/* Ends the process with status 3 and a message unless rc is EVDB_OK. */
void child_must(evdb_status rc, const evdb_error *err, const char *what);
/* Everything must be as the sentence says, or the process ends with status 4. */
void child_expect(bool right, const char *sentence);

#endif
