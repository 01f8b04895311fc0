/* json_merge.h - changing an object member by member: JSON merge patches (RFC 7396), text to text.
 *
 * A member of the patch replaces that of the target, null takes it away, and an object is merged into an object. What the patch does not
 * name keeps its place and its spelling, to the last digit. */
#ifndef EVDB_FORMAT_JSON_MERGE_H
#define EVDB_FORMAT_JSON_MERGE_H
#include "base/buf.h"
#include <evdb/error.h>

/* Appends what `patch` makes of `target`. Both are objects without white space between tokens, as json_text_object() leaves them: what
 * is none is EVDB_CORRUPT. Costs n log n in their members, and reads each byte once for every object of the patch that it is within. */
evdb_status json_merge(const char *target, size_t target_length, const char *patch, size_t patch_length, buf *out, evdb_error *err);
#endif
