/* memory_bucket.h - an op_bucket that is in memory, and fails when it is told to. */
#ifndef TESTS_OP_MEMORY_BUCKET_H
#define TESTS_OP_MEMORY_BUCKET_H
#include "op/op_bucket.h"

enum { MEMORY_OBJECTS = 64, MEMORY_NEVER = -1 };

typedef struct memory_object {
    op_object object;
    char *bytes;
} memory_object;

typedef struct memory_bucket {
    memory_object at[MEMORY_OBJECTS];
    size_t count;
    unsigned tags;
    int fail_in; /* calls until one fails; MEMORY_NEVER */
    op_bucket bucket;
} memory_bucket;

/* The bucket refers to where m is. */
void memory_bucket_init(memory_bucket *m);
void memory_bucket_free(memory_bucket *m);
memory_object *memory_bucket_find(memory_bucket *m, const char *name); /* or NULL */
/* A new one, or another content of one; takes bytes, which free() frees. */
memory_object *memory_bucket_put(memory_bucket *m, const char *name, char *bytes, size_t size);
#endif
