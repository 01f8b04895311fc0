/* sqlite_vec.h - which table of a SQLite file is meant. */
#ifndef EVDB_FOREIGN_SQLITE_VEC_H
#define EVDB_FOREIGN_SQLITE_VEC_H
#include "foreign/source.h"

/* Fills `out` with the table's name and says by which kind it is read; name NULL = the only vec0 table. */
evdb_status sqlite_vec_find(foreign_db *db, const char *path, const char *name, char out[SOURCE_NAME_MAX + 1], const source_type **type,
                            evdb_error *err);
#endif
