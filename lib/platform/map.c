/* map.c - implements platform/map.h. */
#include "platform/map.h"
#include "platform/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

int map_shared(const platform *p, const char *path, size_t bytes, void **out)
{
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (path) {
        int failed = file_ensure(p, path, bytes);
        if (failed) return failed;
        failed = io_ask(p, &(io_event){ .kind = IO_MAP, .path = path, .size = bytes });
        if (failed > 0) return failed;
        if ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0) return errno;
        flags = MAP_SHARED;
    }
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    int failed = at == MAP_FAILED ? errno : 0;
    if (fd >= 0) close(fd);
    if (!failed) *out = at;
    return failed;
}

int map_sync(const platform *p, const char *path, void *address, size_t bytes)
{
    int asked = path ? io_ask(p, &(io_event){ .kind = IO_SYNC, .path = path }) : IO_SKIP;
    if (asked) return asked == IO_SKIP ? 0 : asked;
    return msync(address, bytes, MS_SYNC) == 0 ? 0 : errno;
}

void map_drop(void *address, size_t bytes)
{
    if (address) munmap(address, bytes);
}

const volatile unsigned char *map_fork_page(void)
{
    unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return NULL;
    if (madvise(page, PAGE, MADV_WIPEONFORK) != 0) {
        munmap(page, PAGE);
        return NULL;
    }
    *page = 1;
    return page;
}

void map_fork_page_drop(const volatile unsigned char *page)
{
    if (page) munmap((void *)(uintptr_t)page, PAGE);
}
