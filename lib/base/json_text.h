/* json_text.h - metadata as text: checked, and freed of white space, without re-spelling anything. */
#ifndef EVDB_BASE_JSON_TEXT_H
#define EVDB_BASE_JSON_TEXT_H
#include "base/buf.h"
#include <evdb/error.h>

/* Checks that text is one JSON object (RFC 8259; no duplicate keys, no NUL; nested at most
 * EVDB_METADATA_DEPTH_MAX deep, integers within int64). Appends it to `out` without white space between tokens:
 * numbers and strings keep their spelling. */
evdb_status json_text_object(const char *text, size_t length, buf *out, evdb_error *err);

#endif
