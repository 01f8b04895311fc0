/* answers_private.h - what the two halves of answers.h share. */
#ifndef TESTS_FAULT_ANSWERS_PRIVATE_H
#define TESTS_FAULT_ANSWERS_PRIVATE_H
#include "answers.h"
#include <stdio.h>

/* Ends the program with a message unless rc is EVDB_OK. */
void answers_must(evdb_status rc, const evdb_error *why);
/* Begins an answer: its text is written to the stream that is returned, until answers_finish(). */
__attribute__((format(printf, 3, 4))) FILE *answers_begin(answers *a, size_t *size, const char *format, ...);
void answers_finish(answers *a, FILE *stream, evdb_status status, const evdb_error *why);

/* In answers_clients.c. */
void answers_build_clients(evdb *db);
void answers_ask_clients(answers *a, evdb *db);

#endif
