/* json_record.h - one record {"id", "vector", "metadata", "expires_ms", "author", "written_ms"} out of its JSON text. */
#ifndef EVDB_FORMAT_JSON_RECORD_H
#define EVDB_FORMAT_JSON_RECORD_H
#include "format/json_scan.h"
#include "format/reader.h"

/* Where the values of the last record live. */
typedef struct json_record {
    buf id, metadata, author;
    float *vector;
    uint32_t capacity; /* elements */
    bool vectors;      /* records must have one; in a companion they must not */
} json_record;

void json_record_init(json_record *j, const evdb_allocator *mem, bool vectors);
void json_record_free(json_record *j);
/* Fills r->row but for its line, which must be set. The text is a whole record, or the caller's best guess at one. */
evdb_status json_record_parse(json_record *j, reader *r, const char *text, size_t length, evdb_error *err);
#endif
