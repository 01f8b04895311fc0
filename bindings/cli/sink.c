/* sink.c - writing files of an export: temporary file, fsync, rename, fsync of the directory. */
#include "file.h"
#include "op/op.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static evdb_status write_failed(const sink *s, evdb_error *err)
{
    evdb_status status = errno == ENOSPC || errno == EDQUOT ? EVDB_FULL
                       : errno == EACCES || errno == EPERM || errno == EROFS ? EVDB_DENIED
                       : errno == ENOENT || errno == ENOTDIR ? EVDB_NOT_FOUND : EVDB_IO;
    return op_fail(err, status, "cannot write '%s': %s", s->name, strerror(errno));
}

/* Opens DIR/.NAME.XXXXXX beside s->path, with the permissions that a new file would have. */
static evdb_status open_temporary(sink *s, evdb_error *err)
{
    const char *slash = strrchr(s->path, '/');
    size_t directory = slash ? (size_t)(slash - s->path) + 1 : 0, room = strlen(s->path) + sizeof ".." "XXXXXX";
    if (!(s->temporary = malloc(room))) return op_fail(err, EVDB_NO_MEMORY, "out of memory opening '%s'", s->name);
    snprintf(s->temporary, room, "%.*s.%s.XXXXXX", (int)directory, s->path, s->path + directory);
    int fd = mkstemp(s->temporary);
    mode_t mask = umask(0);
    umask(mask);
    if (fd < 0) {
        free(s->temporary);
        s->temporary = NULL;
        return write_failed(s, err);
    }
    s->file = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "wb") : NULL;
    if (s->file) return EVDB_OK;
    evdb_status rc = write_failed(s, err);
    close(fd);
    return rc;
}

evdb_status sink_open(sink *s, const char *path, evdb_error *err)
{
    struct stat st;
    *s = (sink){ .name = path };
    if (strcmp(path, "-") == 0) {
        s->name = "standard output";
        s->file = stdout;
        return EVDB_OK;
    }
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode)) return op_fail(err, EVDB_INVALID, "'%s' is a directory", path);
    if (exists && !S_ISREG(st.st_mode)) { /* a pipe or device is written to, never replaced */
        s->file = fopen(path, "wb");
        return s->file ? EVDB_OK : write_failed(s, err);
    }
    s->path = exists ? realpath(path, NULL) : strdup(path); /* through a link, not in its place */
    return s->path ? open_temporary(s, err) : write_failed(s, err);
}

bool sink_same(const sink *a, const sink *b)
{
    if (!a->temporary || !b->temporary) return a->file && a->file == b->file;
    /* temporary files are there, unlike those they become, and are named after them but for the last letters */
    char *first = realpath(a->temporary, NULL), *second = realpath(b->temporary, NULL);
    size_t length = first ? strlen(first) : 0;
    bool same = first && second && strlen(second) == length && memcmp(first, second, length - strlen("XXXXXX")) == 0;
    free(first);
    free(second);
    return same;
}

static evdb_status write_all(void *context, const void *bytes, size_t count, evdb_error *err)
{
    sink *s = context;
    return fwrite(bytes, 1, count, s->file) == count ? EVDB_OK : write_failed(s, err);
}

evdb_sink sink_writer(sink *s)
{
    return (evdb_sink){ .context = s, .write = write_all };
}

static evdb_status sync_directory(sink *s, evdb_error *err)
{
    char *slash = strrchr(s->path, '/');
    if (slash) slash[slash == s->path] = '\0';
    int fd = open(slash ? s->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    evdb_status rc = fd >= 0 && fsync(fd) == 0 ? EVDB_OK : write_failed(s, err);
    if (fd >= 0) close(fd);
    return rc;
}

evdb_status sink_commit(sink *s, evdb_error *err)
{
    if (fflush(s->file) != 0) return write_failed(s, err);
    if (!s->temporary) return EVDB_OK;
    if (fsync(fileno(s->file)) != 0 || rename(s->temporary, s->path) != 0) return write_failed(s, err);
    free(s->temporary);
    s->temporary = NULL;
    return sync_directory(s, err);
}

void sink_close(sink *s)
{
    if (s->file && s->file != stdout) fclose(s->file);
    if (s->temporary) unlink(s->temporary);
    free(s->temporary);
    free(s->path);
    *s = (sink){ 0 };
}
