/* sqlite_vec.c - implements foreign/sqlite_vec.h. */
#include "foreign/sqlite_vec.h"
#include "base/error.h"
#include "base/try.h"
#include "foreign/listing.h"
#include "foreign/vec0_definition.h"
#include <string.h>

typedef struct found {
    listing all;
    size_t count;
    bool named; /* is the one that was asked for among them? */
} found;

/* All vec0 tables; the last one's name is kept in `out` when none was asked for. */
static evdb_status find_vec0(foreign_db *db, const char *name, char out[SOURCE_NAME_MAX + 1], found *f, evdb_error *err)
{
    foreign_query *q = NULL;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(db, &q, err, "SELECT name, sql FROM sqlite_master WHERE type='table' AND rootpage=0 ORDER BY name"));
    for (;;) {
        TRY(foreign_query_next(q, &row, err));
        if (!row) break;
        foreign_value table = foreign_query_value(q, 0), sql = foreign_query_value(q, 1);
        if (table.size > SOURCE_NAME_MAX || !vec0_is(sql.bytes, sql.size)) continue;
        f->count++;
        listing_add(&f->all, table.bytes);
        if (name && strcmp(name, table.bytes) == 0) f->named = true;
        if (!name) memcpy(out, table.bytes, strlen(table.bytes) + 1);
    }
out:
    foreign_query_close(q);
    return rc;
}

evdb_status sqlite_vec_find(foreign_db *db, const char *path, const char *name, char out[SOURCE_NAME_MAX + 1], const source_type **type,
                            evdb_error *err)
{
    found f = { 0 };
    foreign_table kind = FOREIGN_NO_TABLE;
    evdb_status rc;
    TRY(find_vec0(db, name, out, &f, err));
    if (!name && f.count > 1) return error_set(err, EVDB_INVALID, "%s: there are several vec0 tables: say which of %s", path, f.all.text);
    if (!name && !f.count) return error_set(err, EVDB_INVALID, "%s: there is no vec0 table: name a table with vectors as blobs", path);
    *type = &source_vec0;
    if (!name || f.named) goto named;
    *type = &source_table;
    if (strlen(name) <= SOURCE_NAME_MAX) TRY(foreign_db_table(db, name, &kind, err));
    if (kind == FOREIGN_NO_TABLE)
        return error_set(err, EVDB_NOT_FOUND, "%s: there is no table %.80s%s%s", path, name, f.count ? "; vec0 tables are " : "", f.all.text);
    if (kind != FOREIGN_TABLE)
        return error_set(err, EVDB_INVALID, "%s: %.80s is %s", path, name, kind == FOREIGN_VIEW ? "a view" : "a virtual table of another kind");
named:
    if (name) memcpy(out, name, strlen(name) + 1);
out:
    return rc;
}
