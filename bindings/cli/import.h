/* import.h - a file into a store that is open: for `evdb import`, and for those who only want its vectors. */
#ifndef IMPORT_H
#define IMPORT_H
#include "cli.h"
#include "file.h"

typedef struct import_args {
    const char *file, *companion, *table, *collection, *column;
    uint32_t format; /* of choice_input */
    int64_t first_id, batch;
    bool upsert, keep_going, resume;
} import_args;

/* What is imported: a stream with or without a companion, or another program's file. */
typedef struct import_input {
    evdb_format format; /* 0 = foreign */
    source from, beside;
    evdb *scratch; /* in memory: what is foreign is opened before a database may be made */
    evdb_foreign *foreign;
    evdb_foreign_info info; /* of it */
} import_input;

/* Undone by import_close(), on failure too. */
evdb_status import_open(import_input *in, const import_args *a, evdb_error *err);
void import_close(import_input *in);
/* Reads with a progress line. */
op_exit import_load(evdb_store *store, const import_args *a, import_input *in, evdb_import_report *report);
#endif
