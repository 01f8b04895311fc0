/* buf.h - a byte buffer that grows. A failed append leaves it unchanged and says so. */
#ifndef EVDB_BASE_BUF_H
#define EVDB_BASE_BUF_H
#include <evdb/database.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct buf {
    const evdb_allocator *mem;
    char *at;
    size_t size, capacity;
} buf;

void buf_init(buf *b, const evdb_allocator *mem);
void buf_free(buf *b);
bool buf_reserve(buf *b, size_t more); /* room for `more` bytes behind size */
bool buf_add(buf *b, const void *bytes, size_t count);
bool buf_text(buf *b, const char *text); /* without its NUL */
bool buf_byte(buf *b, char c);
/* size is kept; at[size] is NUL afterwards. */
bool buf_terminate(buf *b);
#endif
