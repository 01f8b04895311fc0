/* secret_file.h - a secret that is the one line of a file. */
#ifndef REMOTE_SECRET_FILE_H
#define REMOTE_SECRET_FILE_H
#include <evdb.h>
#include <stdbool.h>

/* Printable ASCII, without the line's end. out is to be wiped by the caller. */
evdb_status secret_file_read(const char *path, char *out, size_t room, evdb_error *err);
/* May other users of the machine read it? */
bool secret_file_open_to_others(const char *path);

#endif
