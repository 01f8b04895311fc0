/* format.h - which file format is meant: by name, else by the file's extension. */
#ifndef FORMAT_H
#define FORMAT_H
#include "op/op.h"

/* given 0 = guess from path. */
evdb_status format_of(uint32_t given, const char *path, evdb_format *out, evdb_error *err);
#endif
