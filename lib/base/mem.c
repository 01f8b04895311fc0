/* mem.c - implements base/mem.h. */
#include "base/mem.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *mem_alloc(const evdb_allocator *mem, size_t bytes) { return mem->allocate(mem->context, bytes ? bytes : 1); }

void *mem_zero(const evdb_allocator *mem, size_t bytes)
{
    void *block = mem_alloc(mem, bytes);
    if (block) memset(block, 0, bytes);
    return block;
}

void *mem_array(const evdb_allocator *mem, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : mem_alloc(mem, bytes);
}

void *mem_resize(const evdb_allocator *mem, void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return mem->reallocate(mem->context, block, bytes ? bytes : 1);
}

void mem_free(const evdb_allocator *mem, void *block)
{
    if (block) mem->release(mem->context, block);
}

char *mem_text(const evdb_allocator *mem, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : mem_alloc(mem, length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

typedef union owner {
    evdb_allocator mem;
    max_align_t aligned;
} owner;

void *mem_owned(const evdb_allocator *mem, size_t bytes)
{
    size_t all;
    if (__builtin_add_overflow(bytes, sizeof(owner), &all)) return NULL;
    owner *o = mem_zero(mem, all);
    if (!o) return NULL;
    o->mem = *mem;
    return o + 1;
}

void mem_owned_free(void *block)
{
    if (!block) return;
    owner *o = (owner *)block - 1;
    evdb_allocator mem = o->mem;
    mem_free(&mem, o);
}
