/* op_memory.h - bytes in memory as the source of an operation that takes a stream: they can be read as often as one likes. */
#ifndef OP_MEMORY_H
#define OP_MEMORY_H
#include <evdb.h>
#include <stddef.h>

typedef struct op_memory { const char *at; size_t size, read; } op_memory;
evdb_source op_memory_source(op_memory *m); /* borrows m and the bytes */

#endif
