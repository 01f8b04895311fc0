/* file.c - implements platform/file.h over POSIX. */
#include "platform/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BLOCK = 512 }; /* what st_blocks counts in, whatever the file system's own are */

int io_ask(const platform *p, const io_event *event)
{
    return p->io.before ? p->io.before(p->io.context, event) : 0;
}

/* The common shape: ask, then act unless told to skip. */
#define GATED(p, ...)                                                                              \
    do {                                                                                           \
        int asked = io_ask(p, &(io_event){ __VA_ARGS__ });                                         \
        if (asked) return asked == IO_SKIP ? 0 : asked;                                            \
    } while (0)

int file_mkdir(const platform *p, const char *path)
{
    GATED(p, .kind = IO_MKDIR, .path = path);
    return mkdir(path, 0777) == 0 ? 0 : errno;
}

int file_sync_dir(const platform *p, const char *path)
{
    GATED(p, .kind = IO_SYNC_DIR, .path = path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int failed;
    do failed = fsync(fd) == 0 ? 0 : errno;
    while (failed == EINTR);
    close(fd);
    return failed;
}

int file_unlink(const platform *p, const char *path)
{
    GATED(p, .kind = IO_UNLINK, .path = path);
    return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
}

int file_private(const platform *p, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return errno == ENOENT ? 0 : errno;
    if (!(st.st_mode & (S_IRWXG | S_IRWXO))) return 0;
    GATED(p, .kind = IO_MODE, .path = path);
    return chmod(path, st.st_mode & S_IRWXU) == 0 ? 0 : errno;
}

int file_mode_as(const platform *p, const char *path, const char *like)
{
    const mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
    struct stat has, wanted;
    if (stat(like, &wanted) != 0 || stat(path, &has) != 0) return errno;
    if (!((has.st_mode ^ wanted.st_mode) & all)) return 0;
    GATED(p, .kind = IO_MODE, .path = path);
    return chmod(path, wanted.st_mode & all) == 0 ? 0 : errno;
}

int file_exists(const char *path, bool *exists, bool *directory)
{
    struct stat st;
    *exists = *directory = false;
    if (stat(path, &st) != 0) return errno == ENOENT ? 0 : errno;
    *exists = true;
    *directory = S_ISDIR(st.st_mode);
    return 0;
}

int file_written_ns(const char *path, int64_t *out)
{
    struct stat st;
    if (stat(path, &st) != 0) return errno;
    *out = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return 0;
}

int file_size(const char *path, uint64_t *out)
{
    struct stat st = { 0 };
    *out = 0;
    if (stat(path, &st) != 0) return errno == ENOENT ? 0 : errno;
    *out = (uint64_t)st.st_size;
    return 0;
}

int file_ensure(const platform *p, const char *path, uint64_t size)
{
    struct stat st;
    int failed = 0, asked = io_ask(p, &(io_event){ .kind = IO_OPEN, .path = path });
    if (asked > 0) return asked;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    if (fstat(fd, &st) != 0) failed = errno;
    else if (!S_ISREG(st.st_mode)) failed = EINVAL;
    else if ((uint64_t)st.st_size < size || (uint64_t)st.st_blocks * BLOCK < size) {
        asked = io_ask(p, &(io_event){ .kind = IO_TRUNCATE, .path = path, .offset = size });
        failed = asked > 0 ? asked : EINTR;
        while (failed == EINTR) failed = posix_fallocate(fd, 0, (off_t)size);
    }
    close(fd);
    return failed;
}

int file_cut(const platform *p, const char *path, uint64_t size)
{
    GATED(p, .kind = IO_TRUNCATE, .path = path, .offset = size);
    while (truncate(path, (off_t)size) != 0)
        if (errno != EINTR) return errno == ENOENT ? 0 : errno;
    return 0;
}

int file_free_bytes(const char *path, uint64_t *out)
{
    struct statvfs st;
    while (statvfs(path, &st) != 0)
        if (errno != EINTR) return errno;
    *out = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

int file_list(const char *path, int (*each)(void *context, const char *name), void *context)
{
    DIR *dir = opendir(path);
    if (!dir) return errno;
    int stop = 0;
    for (struct dirent *e; !stop && (errno = 0, e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) stop = each(context, e->d_name);
    if (!stop) stop = errno;
    closedir(dir);
    return stop;
}

typedef struct walk {
    const platform *p;
    const char *path;
    uint64_t bytes;
} walk;

static int add_size(void *context, const char *name)
{
    walk *w = context;
    char path[PATH_MAX];
    struct stat st;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", w->path, name) >= sizeof(path)) return ENAMETOOLONG;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) w->bytes += (uint64_t)st.st_size;
    return 0;
}

int file_dir_bytes(const char *path, uint64_t *out)
{
    walk w = { .path = path };
    int failed = file_list(path, add_size, &w);
    if (failed && failed != ENOENT) return failed;
    *out = w.bytes;
    return 0;
}

static int remove_entry(void *context, const char *name)
{
    walk *w = context;
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", w->path, name) >= sizeof(path)) return ENAMETOOLONG;
    return file_unlink(w->p, path);
}

int file_remove_dir(const platform *p, const char *path)
{
    walk w = { .p = p, .path = path };
    int failed = file_list(path, remove_entry, &w);
    if (failed) return failed == ENOENT ? 0 : failed;
    GATED(p, .kind = IO_UNLINK, .path = path);
    return rmdir(path) == 0 ? 0 : errno;
}
