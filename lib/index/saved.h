/* saved.h - how parts of an index are handed to whoever keeps them, and back: as named runs of bytes. lib/index knows no files. */
#ifndef EVDB_INDEX_SAVED_H
#define EVDB_INDEX_SAVED_H
#include <evdb/error.h>
#include <stddef.h>

typedef struct saver {
    void *context;
    evdb_status (*begin)(void *context, const char *name, evdb_error *err);
    evdb_status (*write)(void *context, const void *bytes, size_t size, evdb_error *err);
} saver;

/* find() answers EVDB_CORRUPT when there is no part of that name and size (SIZE_MAX = any); what it answers stays. */
typedef struct loader {
    void *context;
    evdb_status (*find)(void *context, const char *name, size_t size, const void **out, size_t *found, evdb_error *err);
} loader;

#endif
