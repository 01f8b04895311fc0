/* pages.c - implements platform/pages.h. */
#include "platform/pages.h"
#include <stdint.h>
#include <sys/mman.h>

void pages_large(void *block, size_t bytes)
{
    uintptr_t from = ((uintptr_t)block + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)block + bytes) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (from < to) (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}
