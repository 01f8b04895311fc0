/* format.h - which file format is meant: by name, else by the file's extension. */
#ifndef FORMAT_H
#define FORMAT_H
#include "op/op.h"

/* What an import reads: an evdb_format, or FORMAT_FOREIGN and an evdb_foreign_kind. */
enum { FORMAT_FOREIGN = EVDB_FORMAT_BVECS };
extern const op_choice choice_input;

/* given 0 = guess from path. */
evdb_status format_of(uint32_t given, const char *path, evdb_format *out, evdb_error *err);
evdb_status format_of_input(uint32_t given, const char *path, uint32_t *out, evdb_error *err);
#endif
