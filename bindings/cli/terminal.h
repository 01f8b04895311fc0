/* terminal.h - what is special about writing for people. */
#ifndef TERMINAL_H
#define TERMINAL_H
#include "op/op_status.h"
#include <stdbool.h>
#include <stdio.h>

/* Colour is for terminals, unless NO_COLOR is set or the terminal is dumb. */
bool terminal_colour(FILE *file);
/* Columns of the terminal that file is, 0 when it is none. */
unsigned terminal_width(FILE *file);
/* text with control characters, which a terminal would obey, replaced by '?'. */
void terminal_put(FILE *file, const char *text);
/* "evdb: message" on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Complains with the error's message and answers the exit status of its status. */
op_exit complain_error(evdb_status status, const evdb_error *err);
#endif
