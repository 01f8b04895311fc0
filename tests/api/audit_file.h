/* audit_file.h - the bytes of audit.log, for tests that change them. */
#ifndef TESTS_API_AUDIT_FILE_H
#define TESTS_API_AUDIT_FILE_H
#include "scratch.h"

typedef struct audit_bytes {
    char *at;
    size_t size;
} audit_bytes;

/* To be freed. */
audit_bytes audit_bytes_read(const scratch *t);
void audit_bytes_write(const scratch *t, const void *at, size_t size);
/* Where line n begins, from 0 on; the size behind the last. */
size_t audit_bytes_line(const audit_bytes *b, size_t n);

/* Appends an entry of that target, by an operation that went well. */
void audit_note(evdb *db, const char *target);
/* How many problems verifying finds; each must be about the log. */
uint64_t audit_problems(evdb *db, const char *anchor);

#endif
