/* vec0_definition.h - the text of CREATE VIRTUAL TABLE ... USING vec0(...), as sqlite-vec 0.1 understands it. */
#ifndef EVDB_FOREIGN_VEC0_DEFINITION_H
#define EVDB_FOREIGN_VEC0_DEFINITION_H
#include "foreign/source.h"

typedef enum vec0_kind { VEC0_VECTOR, VEC0_METADATA, VEC0_AUXILIARY, VEC0_PARTITION, VEC0_KINDS } vec0_kind;
typedef enum vec0_type { VEC0_BOOLEAN, VEC0_INTEGER, VEC0_FLOAT, VEC0_TEXT } vec0_type;

enum { VEC0_COLUMNS_MAX = 64 };

typedef struct vec0_column {
    vec0_kind kind;
    uint32_t number;  /* among those of its kind, from 0 */
    const char *name; /* borrowed from the text */
    size_t length;
    vec0_type type;         /* of metadata */
    source_element element; /* of vectors, like all below */
    uint32_t dim;
    evdb_metric metric;
} vec0_column;

typedef struct vec0_definition {
    vec0_column columns[VEC0_COLUMNS_MAX];
    uint32_t count, counts[VEC0_KINDS];
    bool text_key; /* ids are text, not integers */
} vec0_definition;

/* False when the table is of another module. */
bool vec0_is(const char *sql, size_t length);
/* EVDB_INVALID says what is not understood. */
evdb_status vec0_parse(const char *sql, size_t length, vec0_definition *out, evdb_error *err);
#endif
