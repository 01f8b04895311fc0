/* mem.h - allocation through the database's allocator. Nothing else in lib/ allocates. */
#ifndef EVDB_BASE_MEM_H
#define EVDB_BASE_MEM_H
#include <evdb/database.h>
#include <stddef.h>

/* NULL when out of memory. Sizes of 0 give a unique block. */
void *mem_alloc(const evdb_allocator *mem, size_t bytes);
void *mem_zero(const evdb_allocator *mem, size_t bytes);
/* count * size bytes, NULL on overflow too. */
void *mem_array(const evdb_allocator *mem, size_t count, size_t size);
/* Resizes an array; on failure returns NULL and leaves the old block. */
void *mem_resize(const evdb_allocator *mem, void *block, size_t count, size_t size);
void mem_free(const evdb_allocator *mem, void *block);
/* NUL-terminated copy of length bytes. */
char *mem_text(const evdb_allocator *mem, const char *text, size_t length);

/* Zeroed blocks that are handed to callers and come back through some X_free(x) without the database: they
 * remember their allocator. */
void *mem_owned(const evdb_allocator *mem, size_t bytes);
void mem_owned_free(void *block);
#endif
