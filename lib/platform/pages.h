/* pages.h - advice to the kernel about large blocks of memory. */
#ifndef EVDB_PLATFORM_PAGES_H
#define EVDB_PLATFORM_PAGES_H
#include <stddef.h>

enum { LARGE_PAGE = 2 << 20 };

/* Asks for 2 MB pages in the part of a block that can have them: scans and random reads then miss the TLB less. Only
 * advice: the block stays an ordinary one of its allocator's. */
void pages_large(void *block, size_t bytes);
#endif
