/* secret_file.c - implements remote/secret_file.h. */
#include "remote/secret_file.h"
#include "op/op.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool one_line(char *text, size_t size)
{
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    text[size] = 0;
    return size > 0;
}

evdb_status secret_file_read(const char *path, char *out, size_t room, evdb_error *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return op_fail(err, errno == ENOENT ? EVDB_NOT_FOUND : errno == EACCES ? EVDB_DENIED : EVDB_IO, "%s: cannot open the file", path);
    setvbuf(f, NULL, _IONBF, 0); /* no copy of it stays behind */
    size_t size = fread(out, 1, room, f);
    evdb_status rc = ferror(f) ? op_fail(err, EVDB_IO, "%s: cannot read the file", path) : EVDB_OK;
    if (rc == EVDB_OK && (size == room || !one_line(out, size)))
        rc = op_fail(err, EVDB_INVALID, "%s: must hold one line of at most %zu letters, without blanks", path, room - 1);
    fclose(f);
    if (rc != EVDB_OK) explicit_bzero(out, room);
    return rc;
}

bool secret_file_open_to_others(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_mode & S_IRWXO;
}
