/* recoded.h - another codec for a store, all of it in the calling thread: what happens to files happens in the same order each time. */
#ifndef TESTS_FAULT_RECODED_H
#define TESTS_FAULT_RECODED_H
#include <evdb.h>

/* Like evdb_store_set_codec(), of the whole name as evdb_codec_check() has it, and evdb_store_recode(). */
evdb_status recoded(evdb_store *store, const char *spec, evdb_error *err);

#endif
