/* repair_store_private.h - what the files that implement repair_store.h share. */
#ifndef TESTS_FAULT_REPAIR_STORE_PRIVATE_H
#define TESTS_FAULT_REPAIR_STORE_PRIVATE_H
#include "repair_store.h"

extern const unsigned repair_counts[REPAIR_KINDS];

/* Ends the program with a message unless rc is EVDB_OK. */
void repair_must(evdb_status rc, const evdb_error *why, const char *what);
/* The database in dir, which waits for no disk. */
evdb *repair_open(const char *dir);
evdb_id repair_id(repair_kind kind, unsigned n, char space[32]);
unsigned repair_number(repair_kind kind, const evdb_id *id);
/* What the write of this tag made of record n. */
void repair_metadata(unsigned n, unsigned tag, char *out, size_t room);
void repair_vector(repair_kind kind, unsigned n, unsigned tag, float *out);
uint32_t repair_dim(repair_kind kind);

#endif
