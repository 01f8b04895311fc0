/* map.h - memory shared between processes through a small file, and the page that betrays a fork. */
#ifndef EVDB_PLATFORM_MAP_H
#define EVDB_PLATFORM_MAP_H
#include "platform/platform.h"

/* Maps the first `bytes` bytes of path, which is made that long first, shared and writable.
 * path NULL maps private zeros. Returns 0 or an errno. */
int map_shared(const platform *p, const char *path, size_t bytes, void **out);
/* Makes what is in the map durable; 0 or an errno. path: its file's, NULL = none. */
int map_sync(const platform *p, const char *path, void *address, size_t bytes);
void map_drop(void *address, size_t bytes);

/* A page that reads 1 in the process that made it and 0 in its forked children; reading it costs
 * nothing, where getpid() is a system call. NULL when the kernel is too old (before 4.14) or out of memory. */
const volatile unsigned char *map_fork_page(void);
void map_fork_page_drop(const volatile unsigned char *page);
#endif
