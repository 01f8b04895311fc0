/* lock.h - a lock between processes: an open-file-description lock on a file of its own.
 *
 * The kernel releases it when its holder dies. Unlike a POSIX record lock it is not lost when some
 * other code of the process closes the same file. It excludes other *handles*, in this process too. */
#ifndef EVDB_PLATFORM_LOCK_H
#define EVDB_PLATFORM_LOCK_H
#include "platform/platform.h"
#include <stdbool.h>

typedef struct lock_file {
    const platform *platform;
    const char *path; /* borrowed, for the gate */
    int fd;           /* -1 = a lock nobody shares (in-memory database): always granted */
} lock_file;

/* Both return 0 or an errno. path NULL makes the private kind. */
int lock_open(const platform *p, const char *path, lock_file *out);
void lock_close(lock_file *lock);
/* Waits for the lock; a signal does not end the wait. */
int lock_take(lock_file *lock);
/* Does not wait: *taken says whether it was free. */
int lock_try(lock_file *lock, bool *taken);
void lock_drop(lock_file *lock);
/* Has somebody else the lock on that file? A file that is missing, or cannot be opened, nobody has. */
bool lock_taken(const char *path);
#endif
