/* op_names.h - lists of names, which the library has as one text with blanks between them: scopes, grants, addresses. */
#ifndef OP_NAMES_H
#define OP_NAMES_H
#include "op/op.h"

/* To be freed; NULL when memory ran out. */
char *op_names_join(const op_strings *names);
/* "read write" as ["read","write"]. */
void op_names_put(op_out *o, const char *key, const char *text);
#endif
