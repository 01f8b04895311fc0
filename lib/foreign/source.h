/* source.h - an open foreign source: what all kinds share. Each kind finds records; here they become rows of a reader. */
#ifndef EVDB_FOREIGN_SOURCE_H
#define EVDB_FOREIGN_SOURCE_H
#include "base/buf.h"
#include "disk/foreign_db.h"
#include "format/reader.h"
#include <evdb/foreign.h>

enum { SOURCE_NAME_MAX = 200 }; /* bytes of a table's or column's name */

/* One kind: sources are allocated with `size` bytes, the first of which are an evdb_foreign. */
typedef struct source_type {
    size_t size;
    /* Finds what is asked for in source->db and fills source->info. Chroma's name, and columns, may be NULL. */
    evdb_status (*open)(evdb_foreign *s, const char *name, const char *column, evdb_error *err);
    /* Before the first record; once for each reading. */
    evdb_status (*begin)(evdb_foreign *s, evdb_error *err);
    /* Fills r->row by the functions below, or sets r->ended. */
    evdb_status (*next)(evdb_foreign *s, reader *r, evdb_error *err);
    void (*close)(evdb_foreign *s);
} source_type;

struct evdb_foreign {
    const source_type *type;
    const platform *platform;
    char *path;
    foreign_db *db;
    evdb_foreign_info info;
    uint64_t rows; /* begun, in this reading */
    buf id, json, metadata;
    float *vector;
    uint32_t capacity; /* elements */
};

extern const source_type source_vec0, source_table, source_chroma;

/* db is the source's from here on, on failure too; path is what messages name. */
evdb_status source_open(const platform *p, const source_type *type, const char *path, foreign_db *db, const char *name, const char *column,
                        evdb_foreign **out, evdb_error *err);
void source_close(evdb_foreign *s);
/* One reading at a time; the source is borrowed. */
evdb_status source_reader(evdb_foreign *s, reader **out, evdb_error *err);

/* ---- for kinds ---- */

/* An ordinary table of this name must be there; `what` the file else is not. */
evdb_status source_needs(evdb_foreign *s, const char *table, const char *what, evdb_error *err);
/* Begins a row: its number, no id yet, no members. */
void source_row(evdb_foreign *s, reader *r);
/* Its id: an integer, or text. */
evdb_status source_row_id(evdb_foreign *s, reader *r, const foreign_value *id, evdb_error *err);
/* Its vector, of little-endian elements. */
typedef enum source_element { SOURCE_F32, SOURCE_I8, SOURCE_BIT } source_element;
size_t source_element_bytes(source_element type, uint32_t dim);
evdb_status source_row_vector(evdb_foreign *s, reader *r, source_element type, const char *bytes, uint32_t dim, evdb_error *err);
/* A member of its metadata. Blobs become text of hexadecimal digits. */
evdb_status source_row_name(evdb_foreign *s, reader *r, const char *name, size_t length, evdb_error *err);
evdb_status source_row_value(evdb_foreign *s, reader *r, const foreign_value *value, evdb_error *err);
evdb_status source_row_raw(evdb_foreign *s, const char *json, evdb_error *err);
/* Its metadata is complete. */
evdb_status source_row_done(evdb_foreign *s, reader *r, evdb_error *err);
#endif
