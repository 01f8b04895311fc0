/* source.c - reading files for an import. */
#include "file.h"
#include "op/op.h"
#include "op/op_spool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static evdb_status read_failed(const char *name, evdb_error *err)
{
    evdb_status status = errno == ENOENT ? EVDB_NOT_FOUND : errno == EACCES || errno == EPERM ? EVDB_DENIED : EVDB_IO;
    return op_fail(err, status, "cannot read '%s': %s", name, strerror(errno));
}

/* Replaces s->file by a temporary copy of everything in it. */
static evdb_status spool(source *s, evdb_error *err)
{
    char buffer[1 << 16];
    size_t got;
    FILE *from = s->file, *copy = op_spool();
    bool ok = copy != NULL;
    while (ok && (got = fread(buffer, 1, sizeof buffer, from)) > 0) ok = fwrite(buffer, 1, got, copy) == got;
    ok = ok && fflush(copy) == 0;
    bool read_error = ok && ferror(from);
    int why = errno;
    if (from != stdin) fclose(from);
    s->file = copy;
    errno = why;
    if (read_error) return read_failed(s->name, err);
    if (!ok)
        return op_fail(err, errno == ENOSPC ? EVDB_FULL : EVDB_IO, "cannot keep a copy of '%s' in a temporary file: %s",
                       s->name, strerror(errno));
    rewind(copy);
    return EVDB_OK;
}

evdb_status source_open(source *s, const char *path, evdb_error *err)
{
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    *s = (source){ .name = standard ? "standard input" : path };
    s->file = standard ? stdin : fopen(path, "rb");
    if (!s->file || fstat(fileno(s->file), &st) != 0) return read_failed(s->name, err);
    if (S_ISDIR(st.st_mode)) return op_fail(err, EVDB_INVALID, "'%s' is a directory", path);
    evdb_status rc = S_ISREG(st.st_mode) && !standard ? EVDB_OK : spool(s, err);
    if (rc == EVDB_OK && fstat(fileno(s->file), &st) == 0) s->size = (uint64_t)st.st_size;
    return rc;
}

static evdb_status read_some(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    source *s = context;
    *got = fread(buffer, 1, capacity, s->file);
    s->at += *got;
    return *got < capacity && ferror(s->file) ? read_failed(s->name, err) : EVDB_OK;
}

static evdb_status start_over(void *context, evdb_error *err)
{
    source *s = context;
    s->at = 0;
    return fseeko(s->file, 0, SEEK_SET) == 0 ? EVDB_OK : read_failed(s->name, err);
}

evdb_source source_reader(source *s)
{
    return (evdb_source){ .context = s, .read = read_some, .rewind = start_over };
}

void source_close(source *s)
{
    if (s->file && s->file != stdin) fclose(s->file);
    s->file = NULL;
}
