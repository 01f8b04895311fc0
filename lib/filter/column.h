/* column.h - one metadata field of many records in memory: for each slot the number of its value, and each different value once.
 *
 * A condition then is asked once a value, and not once a record. Values no record has any more stay until the column is made anew:
 * column_wasteful() says when that is worth it. One writer; readers while nobody writes. */
#ifndef EVDB_FILTER_COLUMN_H
#define EVDB_FILTER_COLUMN_H
#include "filter/value.h"
#include <evdb/database.h>
#include <evdb/error.h>

typedef struct column {
    const evdb_allocator *mem;
    const char *path;    /* borrowed */
    uint32_t *numbers;   /* of values, one a slot */
    size_t slots, room;
    filter_value *values;       /* number 0 is MISSING */
    uint32_t count, value_room;
    uint32_t *table;     /* values by their text, open addressing; 0 = empty */
    size_t table_size;   /* a power of 2 */
    struct column_text *texts;
    uint64_t bytes;
} column;

void column_init(column *c, const evdb_allocator *mem, const char *path);
void column_free(column *c);
/* What slot holds from now on; metadata as in filter_matches(). */
evdb_status column_put(column *c, uint64_t slot, const char *metadata, size_t length, evdb_error *err);
bool column_wasteful(const column *c);
uint64_t column_bytes(const column *c);

#endif
