/* file.h - files and directories through the I/O gate. Every function returns 0 or an errno. */
#ifndef EVDB_PLATFORM_FILE_H
#define EVDB_PLATFORM_FILE_H
#include "platform/platform.h"
#include <stdbool.h>

/* What the gate says of an operation: 0 = do it, IO_SKIP = pretend, else an errno. */
int io_ask(const platform *p, const io_event *event);

int file_mkdir(const platform *p, const char *path);      /* EEXIST when it is there */
int file_sync_dir(const platform *p, const char *path);
int file_unlink(const platform *p, const char *path);     /* a missing file is a success */
int file_private(const platform *p, const char *path);    /* its owner alone may read and write it; a missing file is a success */
int file_mode_as(const platform *p, const char *path, const char *like); /* gives it the mode of that other file */
int file_exists(const char *path, bool *exists, bool *directory);
int file_size(const char *path, uint64_t *out);          /* of a missing file: 0 */
int file_written_ns(const char *path, int64_t *out);     /* when its content was last changed, in Unix nanoseconds */
/* Creates path if missing and makes it at least `size` bytes, of zeros, with room on the disk for them all: who writes
 * through a map of a file without is killed when the disk is full. */
int file_ensure(const platform *p, const char *path, uint64_t size);
/* Makes it that small; a missing file is a success. */
int file_cut(const platform *p, const char *path, uint64_t size);
/* What its file system has left for whoever asks. */
int file_free_bytes(const char *path, uint64_t *out);
/* Bytes of all regular files in path (not recursive); a missing directory counts 0. */
int file_dir_bytes(const char *path, uint64_t *out);
/* Removes a directory and the files in it (not recursive); missing is a success. */
int file_remove_dir(const platform *p, const char *path);
/* Calls each(context, name) for every entry but . and .., until one returns other than 0, which is returned. */
int file_list(const char *path, int (*each)(void *context, const char *name), void *context);

#endif
