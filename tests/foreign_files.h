/* foreign_files.h - small files as other programs write them, made without those programs. */
#ifndef TESTS_FOREIGN_FILES_H
#define TESTS_FOREIGN_FILES_H
#include <stdbool.h>

enum { FOREIGN_RECORDS = 10 };

/* A SQLite file with a vec0 table `docs`: FOREIGN_RECORDS records in chunks of four, column `v` float[2] under cosine, `flags` bit[8], and
 * metadata `word`, `year`, `ok`, `body`; and an ordinary table `plain`. Record i (from 1) has the vector (i, -1). Replaces what was there;
 * false when it cannot be made. */
bool foreign_sqlite_vec(const char *path);
/* Runs SQL on a file. */
bool foreign_sql(const char *path, const char *text);
#endif
