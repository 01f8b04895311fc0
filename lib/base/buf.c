/* buf.c - implements base/buf.h. */
#include "base/buf.h"
#include "base/mem.h"
#include <string.h>

enum { BUF_FIRST = 256 };

void buf_init(buf *b, const evdb_allocator *mem) { *b = (buf){ .mem = mem }; }

void buf_free(buf *b)
{
    mem_free(b->mem, b->at);
    buf_init(b, b->mem);
}

bool buf_reserve(buf *b, size_t more)
{
    size_t need, capacity = b->capacity ? b->capacity : BUF_FIRST;
    if (__builtin_add_overflow(b->size, more, &need)) return false;
    if (need <= b->capacity) return true;
    while (capacity < need)
        if (__builtin_mul_overflow(capacity, 2, &capacity)) return false;
    char *at = mem_resize(b->mem, b->at, capacity, 1);
    if (!at) return false;
    b->at = at;
    b->capacity = capacity;
    return true;
}

bool buf_add(buf *b, const void *bytes, size_t count)
{
    if (!buf_reserve(b, count)) return false;
    if (count) memcpy(b->at + b->size, bytes, count);
    b->size += count;
    return true;
}

bool buf_text(buf *b, const char *text) { return buf_add(b, text, strlen(text)); }

bool buf_byte(buf *b, char c) { return buf_add(b, &c, 1); }

bool buf_terminate(buf *b)
{
    if (!buf_reserve(b, 1)) return false;
    b->at[b->size] = 0;
    return true;
}
