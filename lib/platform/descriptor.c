/* descriptor.c - implements platform/descriptor.h. */
#include "platform/descriptor.h"
#include "platform/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_as(const platform *p, const char *path, int flags, descriptor *out)
{
    int asked = io_ask(p, &(io_event){ .kind = IO_OPEN, .path = path });
    if (asked > 0) return asked;
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    *out = (descriptor){ p, path, fd };
    return 0;
}

int descriptor_create(const platform *p, const char *path, descriptor *out)
{
    int failed = file_unlink(p, path); /* not truncated: somebody may have it mapped */
    return failed ? failed : open_as(p, path, O_RDWR | O_CREAT | O_EXCL, out);
}

int descriptor_open(const platform *p, const char *path, descriptor *out) { return open_as(p, path, O_RDONLY, out); }

int descriptor_edit(const platform *p, const char *path, descriptor *out) { return open_as(p, path, O_RDWR | O_CREAT, out); }

void descriptor_close(descriptor *d)
{
    if (d->fd >= 0) close(d->fd);
    d->fd = -1;
}

int descriptor_size(const descriptor *d, uint64_t *out)
{
    struct stat st;
    if (fstat(d->fd, &st) != 0) return errno;
    *out = (uint64_t)st.st_size;
    return S_ISREG(st.st_mode) ? 0 : EINVAL;
}

int descriptor_write(const descriptor *d, uint64_t offset, const void *bytes, size_t size)
{
    int asked = io_ask(d->platform, &(io_event){ .kind = IO_WRITE, .path = d->path, .offset = offset, .data = bytes, .size = size });
    if (asked) return asked == IO_SKIP ? 0 : asked;
    for (const char *at = bytes; size;) {
        ssize_t written = pwrite(d->fd, at, size, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : EIO;
        at += written;
        offset += (uint64_t)written;
        size -= (size_t)written;
    }
    return 0;
}

int descriptor_read(const descriptor *d, uint64_t offset, void *bytes, size_t size)
{
    int asked = io_ask(d->platform, &(io_event){ .kind = IO_READ, .path = d->path, .offset = offset, .size = size });
    if (asked > 0) return asked;
    for (char *at = bytes; size;) {
        ssize_t got = pread(d->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? errno : EIO;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int descriptor_sync(const descriptor *d)
{
    int asked = io_ask(d->platform, &(io_event){ .kind = IO_SYNC, .path = d->path });
    if (asked) return asked == IO_SKIP ? 0 : asked;
    while (fsync(d->fd) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

void descriptor_write_back(const descriptor *d, uint64_t offset, size_t size)
{
    (void)sync_file_range(d->fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

int descriptor_map(const descriptor *d, size_t size, const void **out)
{
    int asked = io_ask(d->platform, &(io_event){ .kind = IO_MAP, .path = d->path, .size = size });
    if (asked > 0) return asked;
    void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, d->fd, 0);
    if (at == MAP_FAILED) return errno;
    *out = at;
    return 0;
}

int descriptor_rename(const platform *p, const char *from, const char *to)
{
    int asked = io_ask(p, &(io_event){ .kind = IO_RENAME, .path = from, .to = to });
    if (asked) return asked == IO_SKIP ? 0 : asked;
    return rename(from, to) == 0 ? 0 : errno;
}
