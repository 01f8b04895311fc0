/* leaf.h - rows out of single pages of a b-tree, without the tree above them. (Format: SQLite's fileformat2, sections 1.6 and 2.)
 *
 * Nothing here trusts a page: what does not fit is no row. */
#ifndef EVDB_DISK_LEAF_H
#define EVDB_DISK_LEAF_H
#include "base/buf.h"
#include "disk/image.h"

enum { LEAF_COLUMNS_MAX = 24 };

typedef enum leaf_kind { LEAF_NULL, LEAF_INTEGER, LEAF_REAL, LEAF_TEXT, LEAF_BLOB } leaf_kind;

typedef struct leaf_value {
    leaf_kind kind;
    int64_t number;
    double real;
    const char *bytes; /* of a text or blob; points into the payload */
    size_t size;
} leaf_value;

typedef struct leaf_row {
    bool keyed;    /* of a table with row numbers; else of one that is its own index */
    int64_t rowid; /* where it is keyed */
    uint32_t columns;
    leaf_value values[LEAF_COLUMNS_MAX];
} leaf_row;

/* How many rows the page has; 0 when it is of no kind that has any. */
uint32_t leaf_rows(const unsigned char page[SQL_PAGE_SIZE], uint32_t number);
/* Row `at` of them, its payload gathered from the pages it goes on in. *found is false when some of that is damaged. */
evdb_status leaf_read(const image *i, const unsigned char page[SQL_PAGE_SIZE], uint32_t number, uint32_t at, buf *payload, leaf_row *out,
                      bool *found, evdb_error *err);

#endif
