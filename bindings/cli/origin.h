/* origin.h - what an import says of the store that its records came from. */
#ifndef ORIGIN_H
#define ORIGIN_H
#include "file.h"
#include "op/op.h"

/* Adds the arguments of o that the document's leading "store" object has and args lacks, so that the
 * new store is like the old one. A document without it adds nothing. False when memory ran out. */
bool origin_fill(source *from, const op *o, json_t *args);
/* The same from another program's file. */
bool origin_fill_foreign(const evdb_foreign_info *info, json_t *args);
#endif
