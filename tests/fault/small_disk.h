/* small_disk.h - disks that get full: a real one, and one that only says so. Failures of the test's own operations end the program. */
#ifndef TESTS_FAULT_SMALL_DISK_H
#define TESTS_FAULT_SMALL_DISK_H
#include "platform/platform.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Mounts a file system in memory of that many bytes at dir, for this process alone. False where that is not allowed: it says so. */
bool small_disk_mount(const char *dir, size_t bytes);
void small_disk_unmount(const char *dir);
/* Takes all that is left, as somebody else's file. */
void small_disk_fill(const char *dir);
/* Gives that back. */
void small_disk_clear(const char *dir);

/* A disk that has so many bytes more for the files below a directory: writes and truncations behind a file's end take of them, those that
 * make it smaller give them back. What SQLite maps does not count. */
typedef struct told_disk {
    _Atomic long left;
    atomic_ulong refused;
} told_disk;
io_gate told_disk_gate(told_disk *d);

#endif
