/* op_spool.c - implements op/op_spool.h. */
#include "op/op_spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

FILE *op_spool(void)
{
    char path[4096];
    const char *directory = getenv("TMPDIR");
    int length = snprintf(path, sizeof path, "%s/evdb-XXXXXX", directory && *directory ? directory : P_tmpdir);
    errno = ENAMETOOLONG;
    int fd = length < (int)sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd < 0) return NULL;
    unlink(path);
    FILE *file = fdopen(fd, "w+b");
    if (!file) close(fd);
    return file;
}
