/* lock.c - implements platform/lock.h. */
#include "platform/lock.h"
#include "platform/file.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int lock_open(const platform *p, const char *path, lock_file *out)
{
    *out = (lock_file){ .platform = p, .path = path, .fd = -1 };
    if (!path) return 0;
    int asked = io_ask(p, &(io_event){ .kind = IO_OPEN, .path = path });
    if (asked > 0) return asked;
    out->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return out->fd >= 0 ? 0 : errno;
}

void lock_close(lock_file *lock)
{
    if (lock->fd >= 0) close(lock->fd);
    lock->fd = -1;
}

static int set(lock_file *lock, short type)
{
    struct flock range = { .l_type = type, .l_whence = SEEK_SET };
    while (fcntl(lock->fd, F_OFD_SETLKW, &range) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

int lock_take(lock_file *lock)
{
    if (lock->fd < 0) return 0;
    int asked = io_ask(lock->platform, &(io_event){ .kind = IO_LOCK, .path = lock->path });
    return asked > 0 ? asked : set(lock, F_WRLCK);
}

int lock_try(lock_file *lock, bool *taken)
{
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    *taken = true;
    if (lock->fd < 0) return 0;
    int asked = io_ask(lock->platform, &(io_event){ .kind = IO_LOCK, .path = lock->path });
    if (asked > 0) return asked;
    if (fcntl(lock->fd, F_OFD_SETLK, &range) == 0) return 0;
    *taken = false;
    return errno == EAGAIN || errno == EACCES ? 0 : errno;
}

void lock_drop(lock_file *lock)
{
    if (lock->fd >= 0) (void)set(lock, F_UNLCK); /* fails only for a bad descriptor */
}

bool lock_taken(const char *path)
{
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    bool taken = fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    close(fd);
    return taken;
}
