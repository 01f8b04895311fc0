/* transfer_store.h - stores to import into and export from, for the tests of evdb/transfer.h. */
#ifndef TESTS_TRANSFER_STORE_H
#define TESTS_TRANSFER_STORE_H
#include "memory_io.h"
#include <evdb.h>

/* Group setup and teardown: a database in memory. */
int transfer_open(void **state);
int transfer_close(void **state);

evdb *transfer_database(void);
evdb_store *transfer_store(evdb_metric metric); /* a new, empty one */
evdb_store *transfer_store_with(const char *name, const evdb_store_options *options);
uint64_t transfer_count(evdb_store *store);
void transfer_put(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata);

evdb_import_options transfer_options(evdb_format format);
evdb_status transfer_text(evdb_store *store, const char *text, const evdb_import_options *options,
                          evdb_import_report *report, evdb_error *err);
/* Exports everything, asserting that it works; companion may be NULL. Free with memory_sink_free(). */
memory_sink transfer_export(evdb_store *store, evdb_format format, memory_sink *companion);
#endif
