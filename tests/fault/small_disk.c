/* small_disk.c - implements small_disk.h. */
#include "small_disk.h"
#include "tree.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return written;
}

/* Mounts of its own for this process: as root, else as root of a user namespace of its own. */
static bool own_mounts(void)
{
    char map[64];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        snprintf(map, sizeof(map), "0 %u 1", uid);
        if (!put("/proc/self/uid_map", map) || !put("/proc/self/setgroups", "deny")) return false;
        snprintf(map, sizeof(map), "0 %u 1", gid);
        if (!put("/proc/self/gid_map", map)) return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool small_disk_mount(const char *dir, size_t bytes)
{
    static int own = -1;
    char size[32];
    if (own < 0) own = own_mounts();
    snprintf(size, sizeof(size), "size=%zu", bytes);
    if (own && mount("small", dir, "tmpfs", 0, size) == 0) return true;
    printf("skipped: no file system can be mounted here: %s\n", strerror(errno));
    return false;
}

void small_disk_unmount(const char *dir)
{
    if (umount2(dir, MNT_DETACH) != 0) errx(2, "%s: cannot be unmounted: %s", dir, strerror(errno));
}

void small_disk_fill(const char *dir)
{
    char *path = dir_path(dir, "filler");
    static const char block[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) errx(2, "%s: %s", path, strerror(errno));
    for (size_t size = sizeof(block); size;) {
        ssize_t written = write(fd, block, size);
        if (written <= 0) size /= 2;
    }
    close(fd);
    free(path);
}

void small_disk_clear(const char *dir)
{
    char *path = dir_path(dir, "filler");
    if (unlink(path) != 0) errx(2, "%s: %s", path, strerror(errno));
    free(path);
}

static int ask_told_disk(void *context, const io_event *event)
{
    told_disk *d = context;
    struct stat st = { 0 };
    if (event->kind == IO_SYNC || event->kind == IO_SYNC_DIR) return IO_SKIP; /* no power fails here */
    if (event->kind != IO_WRITE && event->kind != IO_TRUNCATE && event->kind != IO_UNLINK) return 0;
    if (stat(event->path, &st) != 0) st.st_size = 0;
    long end = event->kind == IO_UNLINK ? 0 : (long)(event->offset + event->size), taken = end - (long)st.st_size;
    if (event->kind == IO_WRITE && taken < 0) taken = 0;
    if (taken > atomic_load(&d->left)) {
        atomic_fetch_add(&d->refused, 1);
        return ENOSPC;
    }
    atomic_fetch_sub(&d->left, taken);
    return 0;
}

io_gate told_disk_gate(told_disk *d) { return (io_gate){ d, ask_told_disk }; }
