/* foreign_files.h - small files as other programs write them, made without those programs. */
#ifndef TESTS_FOREIGN_FILES_H
#define TESTS_FOREIGN_FILES_H
#include <stdbool.h>

enum { FOREIGN_RECORDS = 10 };

/* A SQLite file with a vec0 table `docs`: FOREIGN_RECORDS records in chunks of four, column `v` float[2] under cosine, `flags` bit[8], and
 * metadata `word`, `year`, `ok`, `body`; and an ordinary table `plain`. Record i (from 1) has the vector (i, -1). Replaces what was there;
 * false when it cannot be made. */
bool foreign_sqlite_vec(const char *path);
/* The directory of a Chroma with a collection `docs` under cosine: record "r1" .. of FOREIGN_RECORDS, the first half in the index. Record i
 * has the vector (i, -i), and metadata `n` and chroma:document. */
bool foreign_chroma(const char *directory);
/* Runs SQL on a file. */
bool foreign_sql(const char *path, const char *text);
#endif
