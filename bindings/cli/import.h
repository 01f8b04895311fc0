/* import.h - a file into a store that is open: for `evdb import`, and for those who only want its vectors. */
#ifndef IMPORT_H
#define IMPORT_H
#include "cli.h"
#include "file.h"

typedef struct import_args {
    const char *file, *companion;
    uint32_t format;
    int64_t first_id, batch;
    bool upsert, keep_going, resume;
} import_args;

/* Reads with a progress line; beside->file is NULL where there is no companion. */
op_exit import_load(evdb_store *store, const import_args *a, evdb_format format, source *from, source *beside,
                    evdb_import_report *report);
#endif
