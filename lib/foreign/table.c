/* table.c - ordinary tables of a SQLite file with a column of float32 blobs. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "foreign/source.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 256, FIRST_VALUE = 2 };

typedef struct table {
    evdb_foreign base;
    foreign_query *rows; /* id, vector, then the other columns */
    buf names;           /* of those, each with a NUL */
    size_t count;
} table;

/* What is found of the table's columns. */
typedef struct layout {
    buf id, vector, others; /* as they stand in the query */
    int64_t keys; /* columns of the primary key: a single one is the id */
    size_t blobs;
} layout;

static bool add_quoted(buf *out, const char *name)
{
    bool ok = buf_byte(out, '"');
    for (; ok && *name; name++) ok = (*name != '"' || buf_byte(out, '"')) && buf_byte(out, *name);
    return ok && buf_byte(out, '"');
}

/* By its declaration: those of vectors say BLOB, or what sqlite-vec calls it, such as float[384]. */
static bool may_be_vectors(const char *declared)
{
    return strcasecmp(declared, "blob") == 0 || strncasecmp(declared, "float[", 6) == 0;
}

/* One column of pragma_table_info: its name, declared type and place in the primary key. */
static evdb_status take_column(table *t, layout *l, const char *column, const foreign_value *name, const char *declared, int64_t key, evdb_error *err)
{
    bool chosen = column ? strcasecmp(name->bytes, column) == 0 : !key && may_be_vectors(declared);
    bool ok = true;
    if (chosen) {
        if (l->blobs++) return EVDB_OK; /* too many are refused with all their names */
        ok = add_quoted(&l->vector, name->bytes);
    } else if (key && l->keys == 1) {
        ok = add_quoted(&l->id, name->bytes);
    } else {
        if (t->count++ == COLUMNS_MAX) return error_set(err, EVDB_LIMIT, "%s: the table has more than %d columns", t->base.path, COLUMNS_MAX);
        ok = buf_text(&l->others, ", ") && add_quoted(&l->others, name->bytes) && buf_add(&t->names, name->bytes, name->size) && buf_byte(&t->names, 0);
    }
    return ok ? EVDB_OK : error_no_memory(err, name->size, "a column");
}

static evdb_status find_columns(table *t, layout *l, const char *name, const char *column, evdb_error *err)
{
    foreign_query *q = NULL;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(t->base.db, &q, err,
                           "SELECT name, type, pk, (SELECT count(*) FROM pragma_table_info(?1) WHERE pk) FROM pragma_table_info(?1) ORDER BY cid"));
    foreign_bind_text(q, 1, name, strlen(name));
    for (;;) {
        char declared[32];
        TRY(foreign_query_next(q, &row, err));
        if (!row) break;
        foreign_value type = foreign_query_value(q, 1), column_name = foreign_query_value(q, 0);
        snprintf(declared, sizeof(declared), "%s", type.bytes);
        l->keys = foreign_query_value(q, 3).integer;
        TRY(take_column(t, l, column, &column_name, declared, foreign_query_value(q, 2).integer, err));
    }
    if (l->blobs == 0 && column) rc = error_set(err, EVDB_NOT_FOUND, "%s: table %.80s has no column %.80s beside its key", t->base.path, name, column);
    else if (l->blobs != 1)
        rc = error_set(err, EVDB_INVALID, "%s: %s of table %.80s may be one of vectors: say which is", t->base.path,
                       l->blobs ? "more than one column" : "no column", name);
out:
    foreign_query_close(q);
    return rc;
}

/* A table without a single key has its rowid; one that was made without rowids has none, and cannot be prepared. */
static evdb_status open_rows(table *t, layout *l, const char *name, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    if (l->keys != 1 && !buf_text(&l->id, "rowid")) return error_no_memory(err, 8, "a query");
    if (!buf_terminate(&l->id) || !buf_terminate(&l->vector) || !buf_terminate(&l->others)) return error_no_memory(err, 8, "a query");
    TRY(foreign_query_open(t->base.db, &t->rows, err, "SELECT %s, %s%s FROM \"%w\" ORDER BY 1", l->id.at, l->vector.at, l->others.at, name));
out:
    return rc;
}

static evdb_status open_table(evdb_foreign *s, const char *name, const char *column, evdb_error *err)
{
    table *t = (table *)s;
    const evdb_allocator *mem = &s->platform->mem;
    layout l = { 0 };
    foreign_query *count = NULL;
    bool row;
    evdb_status rc;
    buf_init(&t->names, mem);
    buf_init(&l.id, mem);
    buf_init(&l.vector, mem);
    buf_init(&l.others, mem);
    TRY(find_columns(t, &l, name, column, err));
    TRY(open_rows(t, &l, name, err));
    TRY(foreign_query_open(s->db, &count, err, "SELECT count(*) FROM \"%w\"", name));
    TRY(foreign_query_next(count, &row, err));
    s->info.records = (uint64_t)foreign_query_value(count, 0).integer;
out:
    foreign_query_close(count);
    buf_free(&l.id);
    buf_free(&l.vector);
    buf_free(&l.others);
    return rc;
}

static evdb_status begin_table(evdb_foreign *s, evdb_error *err)
{
    (void)err;
    foreign_query_restart(((table *)s)->rows);
    return EVDB_OK;
}

static evdb_status read_values(table *t, reader *r, evdb_error *err)
{
    const char *name = t->names.at;
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < t->count; i++, name += strlen(name) + 1) {
        foreign_value value = foreign_query_value(t->rows, (int)i + FIRST_VALUE);
        TRY(source_row_name(&t->base, r, name, strlen(name), err));
        TRY(source_row_value(&t->base, r, &value, err));
    }
    rc = source_row_done(&t->base, r, err);
out:
    return rc;
}

static evdb_status next_row(evdb_foreign *s, reader *r, evdb_error *err)
{
    table *t = (table *)s;
    bool row;
    evdb_status rc = foreign_query_next(t->rows, &row, err);
    r->broken = rc != EVDB_OK; /* damage: stepping again would begin anew */
    r->ended = rc == EVDB_OK && !row;
    if (rc != EVDB_OK || !row) return rc;
    source_row(s, r);
    foreign_value id = foreign_query_value(t->rows, 0), vector = foreign_query_value(t->rows, 1);
    TRY(source_row_id(s, r, &id, err));
    if (vector.type == FOREIGN_NULL) return reader_bad(r, err, "its vector is NULL");
    if (vector.type != FOREIGN_BLOB || vector.size == 0 || vector.size % sizeof(float) || vector.size / sizeof(float) > EVDB_DIM_MAX)
        return reader_bad(r, err, "its vector is no blob of 1 to %u float32", EVDB_DIM_MAX);
    TRY(source_row_vector(s, r, SOURCE_F32, vector.bytes, (uint32_t)(vector.size / sizeof(float)), err));
    TRY(read_values(t, r, err));
out:
    return rc;
}

static void close_table(evdb_foreign *s)
{
    foreign_query_close(((table *)s)->rows);
    if (((table *)s)->names.mem) buf_free(&((table *)s)->names);
}

const source_type source_table = { sizeof(table), open_table, begin_table, next_row, close_table };
