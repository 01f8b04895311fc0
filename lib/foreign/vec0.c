/* vec0.c - vec0 tables of sqlite-vec 0.1, by the ordinary tables in which they keep their content.
 *
 * For a table T: T_rowids has a row for each record, with its id when that is text, and its place: a chunk and an offset in it.
 * T_chunks has the values of partition columns, T_vector_chunksNN and T_metadatachunksNN a blob for each chunk, T_metadatatextNN texts
 * that are longer than what fits there, T_auxiliary the other columns. */
#include "foreign/vec0_definition.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "format/elements.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { METADATA_MAX = 16, TEXT_CELL = 16, TEXT_INLINE = 12, PLACE_MAX = 1 << 20 };

typedef struct cells { /* of a metadata column */
    const vec0_column *column;
    char table[SOURCE_NAME_MAX + 32];
    foreign_blob blob;
    foreign_query *text; /* of T_metadatatextNN, for columns of text */
} cells;

typedef struct vec0 {
    evdb_foreign base;
    char *sql;
    vec0_definition definition;
    const vec0_column *vector;
    char vectors_table[SOURCE_NAME_MAX + 32];
    foreign_blob vectors;
    char *bytes; /* of one vector */
    cells metadata[METADATA_MAX];
    foreign_query *rows, *chunk, *auxiliary;
    int64_t chunk_id; /* that `chunk` is at */
    bool in_chunk;
    int64_t chunk_size;
} vec0;

static evdb_status ask_for(vec0 *v, const char *column, evdb_error *err)
{
    const char *const path = v->base.path;
    for (uint32_t i = 0; i < v->definition.count; i++) {
        const vec0_column *c = &v->definition.columns[i];
        if (c->kind != VEC0_VECTOR) continue;
        if (column && (strlen(column) != c->length || strncasecmp(column, c->name, c->length) != 0)) continue;
        if (v->vector) return error_set(err, EVDB_INVALID, "%s: there are several columns of vectors, such as %.*s and %.*s: say which", path,
                                        (int)v->vector->length, v->vector->name, (int)c->length, c->name);
        v->vector = c;
    }
    if (v->vector) return EVDB_OK;
    return error_set(err, column ? EVDB_NOT_FOUND : EVDB_INVALID, "%s: the table has no column of vectors%s%.80s", path, column ? " " : "",
                     column ? column : "");
}

static evdb_status read_definition(vec0 *v, const char *name, evdb_error *err)
{
    foreign_query *q = NULL;
    evdb_error why;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(v->base.db, &q, err, "SELECT sql FROM sqlite_master WHERE name=?1 AND type='table'"));
    foreign_bind_text(q, 1, name, strlen(name));
    TRY(foreign_query_next(q, &row, err));
    foreign_value sql = row ? foreign_query_value(q, 0) : (foreign_value){ .bytes = "" };
    if (!(v->sql = mem_text(&v->base.platform->mem, sql.bytes, sql.size))) TRY(error_no_memory(err, sql.size, "a definition"));
    rc = vec0_parse(v->sql, sql.size, &v->definition, &why);
    if (rc != EVDB_OK) rc = error_set(err, rc, "%s: table %.80s: %s", v->base.path, name, why.message);
out:
    foreign_query_close(q);
    return rc;
}

/* Fills `out` with the name of the table that holds a part of it, which must be there. */
static evdb_status part_of(vec0 *v, const char *name, const char *part, int number, char out[SOURCE_NAME_MAX + 32], evdb_error *err)
{
    char digits[16] = "";
    if (number >= 0) snprintf(digits, sizeof(digits), "%02d", number);
    snprintf(out, SOURCE_NAME_MAX + 32, "%s_%s%s", name, part, digits);
    return source_needs(&v->base, out, "a vec0 table of a layout that is known", err);
}

static evdb_status open_metadata(vec0 *v, const char *name, evdb_error *err)
{
    char table[SOURCE_NAME_MAX + 32];
    evdb_status rc = EVDB_OK;
    if (v->definition.counts[VEC0_METADATA] > METADATA_MAX)
        return error_set(err, EVDB_INVALID, "%s: table %.80s has more than %d columns of metadata", v->base.path, name, METADATA_MAX);
    for (uint32_t i = 0; i < v->definition.count; i++) {
        const vec0_column *c = &v->definition.columns[i];
        if (c->kind != VEC0_METADATA) continue;
        cells *m = &v->metadata[c->number];
        m->column = c;
        TRY(part_of(v, name, "metadatachunks", (int)c->number, m->table, err));
        if (c->type != VEC0_TEXT) continue;
        TRY(part_of(v, name, "metadatatext", (int)c->number, table, err));
        TRY(foreign_query_open(v->base.db, &m->text, err, "SELECT data FROM \"%w\" WHERE rowid=?1", table));
    }
out:
    return rc;
}

static evdb_status open_columns(vec0 *v, const char *name, evdb_error *err)
{
    char table[SOURCE_NAME_MAX + 32], columns[VEC0_COLUMNS_MAX * 16] = "";
    size_t used = 0;
    evdb_status rc;
    TRY(part_of(v, name, "chunks", -1, table, err));
    for (uint32_t i = 0; i < v->definition.counts[VEC0_PARTITION]; i++)
        used += (size_t)snprintf(columns + used, sizeof(columns) - used, ", partition%02u", i);
    TRY(foreign_query_open(v->base.db, &v->chunk, err, "SELECT size%s FROM \"%w\" WHERE chunk_id=?1", columns, table));
    if (v->definition.counts[VEC0_AUXILIARY]) {
        TRY(part_of(v, name, "auxiliary", -1, table, err));
        used = 0;
        for (uint32_t i = 0; i < v->definition.counts[VEC0_AUXILIARY]; i++)
            used += (size_t)snprintf(columns + used, sizeof(columns) - used, "%svalue%02u", i ? ", " : "", i);
        TRY(foreign_query_open(v->base.db, &v->auxiliary, err, "SELECT %s FROM \"%w\" WHERE rowid=?1", columns, table));
    }
    TRY(open_metadata(v, name, err));
    TRY(part_of(v, name, "vector_chunks", (int)v->vector->number, v->vectors_table, err));
    if (!(v->bytes = mem_alloc(&v->base.platform->mem, source_element_bytes(v->vector->element, v->vector->dim))))
        TRY(error_no_memory(err, v->vector->dim * sizeof(float), "a vector"));
out:
    return rc;
}

static evdb_status open_vec0(evdb_foreign *s, const char *name, const char *column, evdb_error *err)
{
    static const evdb_dtype dtypes[] = { [SOURCE_F32] = EVDB_F32, [SOURCE_I8] = EVDB_I8, [SOURCE_BIT] = EVDB_BIT };
    vec0 *v = (vec0 *)s;
    char rowids[SOURCE_NAME_MAX + 32];
    foreign_query *count = NULL;
    bool row;
    evdb_status rc;
    TRY(read_definition(v, name, err));
    TRY(ask_for(v, column, err));
    TRY(part_of(v, name, "rowids", -1, rowids, err));
    TRY(open_columns(v, name, err));
    TRY(foreign_query_open(s->db, &count, err, "SELECT count(*) FROM \"%w\"", rowids));
    TRY(foreign_query_next(count, &row, err));
    s->info.records = (uint64_t)foreign_query_value(count, 0).integer;
    s->info.dim = v->vector->dim;
    s->info.metric = v->vector->metric;
    s->info.dtype = dtypes[v->vector->element];
    /* chunk by chunk, so that each is looked up once */
    TRY(foreign_query_open(s->db, &v->rows, err, "SELECT rowid, id, chunk_id, chunk_offset FROM \"%w\" ORDER BY chunk_id, chunk_offset, rowid", rowids));
out:
    foreign_query_close(count);
    return rc;
}

static evdb_status begin_vec0(evdb_foreign *s, evdb_error *err)
{
    (void)err;
    foreign_query_restart(((vec0 *)s)->rows);
    return EVDB_OK;
}

static evdb_status find_chunk(vec0 *v, int64_t id, evdb_error *err)
{
    bool row;
    if (v->in_chunk && v->chunk_id == id) return EVDB_OK;
    v->in_chunk = false;
    foreign_query_restart(v->chunk);
    foreign_bind_integer(v->chunk, 1, id);
    evdb_status rc = foreign_query_next(v->chunk, &row, err);
    if (rc != EVDB_OK) return rc;
    v->chunk_size = row ? foreign_query_value(v->chunk, 0).integer : 0;
    v->chunk_id = id;
    v->in_chunk = true;
    return EVDB_OK;
}

/* `size` bytes at a place among equal ones in the chunk's blob of a table. */
static evdb_status read_cell(vec0 *v, reader *r, foreign_blob *blob, const char *table, const char *column, uint64_t place, void *out,
                             size_t size, evdb_error *err)
{
    evdb_status rc = foreign_blob_at(v->base.db, blob, table, column, v->chunk_id, err);
    if (rc != EVDB_OK) return rc;
    if (blob->size < size || place > (blob->size - size) / size) return reader_bad(r, err, "its place in %.80s is not there", table);
    return foreign_blob_read(v->base.db, blob, place * size, out, size, err);
}

/* Text of 12 bytes at most stands in its cell behind its length, longer text in a table of its own. */
static evdb_status read_text(vec0 *v, reader *r, cells *m, const char cell[TEXT_CELL], int64_t rowid, evdb_error *err)
{
    foreign_value value = { .type = FOREIGN_TEXT, .bytes = cell + 4, .size = elements_u32(cell) };
    bool row;
    evdb_status rc;
    if (value.size > TEXT_INLINE) {
        foreign_query_restart(m->text);
        foreign_bind_integer(m->text, 1, rowid);
        TRY(foreign_query_next(m->text, &row, err));
        value = row ? foreign_query_value(m->text, 0) : (foreign_value){ .bytes = "" };
        if (value.type != FOREIGN_TEXT) return reader_bad(r, err, "its text of column %.*s is not there", (int)m->column->length, m->column->name);
    }
    rc = source_row_value(&v->base, r, &value, err);
out:
    return rc;
}

static evdb_status read_metadata(vec0 *v, reader *r, const vec0_column *c, uint64_t place, int64_t rowid, evdb_error *err)
{
    cells *m = &v->metadata[c->number];
    foreign_value value = { .type = FOREIGN_INTEGER, .bytes = "" };
    char cell[TEXT_CELL];
    uint64_t bits;
    evdb_status rc;
    TRY(source_row_name(&v->base, r, c->name, c->length, err));
    if (c->type == VEC0_BOOLEAN) {
        TRY(read_cell(v, r, &m->blob, m->table, "data", place / 8, cell, 1, err));
        return source_row_raw(&v->base, (unsigned char)*cell >> place % 8 & 1 ? "true" : "false", err);
    }
    TRY(read_cell(v, r, &m->blob, m->table, "data", place, cell, c->type == VEC0_TEXT ? TEXT_CELL : 8, err));
    if (c->type == VEC0_TEXT) return read_text(v, r, m, cell, rowid, err);
    bits = elements_u64(cell);
    value.integer = (int64_t)bits;
    if (c->type == VEC0_FLOAT) {
        value.type = FOREIGN_REAL;
        memcpy(&value.real, &bits, sizeof(bits));
    }
    rc = source_row_value(&v->base, r, &value, err);
out:
    return rc;
}

/* Columns in the order in which the table declares them; an auxiliary one that is NULL is null. */
static evdb_status read_columns(vec0 *v, reader *r, uint64_t place, int64_t rowid, evdb_error *err)
{
    bool row = false;
    evdb_status rc = EVDB_OK;
    if (v->auxiliary) {
        foreign_query_restart(v->auxiliary);
        foreign_bind_integer(v->auxiliary, 1, rowid);
        TRY(foreign_query_next(v->auxiliary, &row, err));
    }
    for (uint32_t i = 0; i < v->definition.count; i++) {
        const vec0_column *c = &v->definition.columns[i];
        foreign_value value = { .bytes = "" };
        if (c->kind == VEC0_VECTOR) continue;
        if (c->kind == VEC0_METADATA) {
            TRY(read_metadata(v, r, c, place, rowid, err));
            continue;
        }
        if (c->kind == VEC0_PARTITION) value = foreign_query_value(v->chunk, (int)c->number + 1);
        else if (row) value = foreign_query_value(v->auxiliary, (int)c->number);
        TRY(source_row_name(&v->base, r, c->name, c->length, err));
        TRY(source_row_value(&v->base, r, &value, err));
    }
    rc = source_row_done(&v->base, r, err);
out:
    return rc;
}

static evdb_status next_vec0(evdb_foreign *s, reader *r, evdb_error *err)
{
    vec0 *v = (vec0 *)s;
    bool row;
    evdb_status rc = foreign_query_next(v->rows, &row, err);
    r->broken = rc != EVDB_OK; /* damage: stepping again would begin anew */
    r->ended = rc == EVDB_OK && !row;
    if (rc != EVDB_OK || !row) return rc;
    source_row(s, r);
    foreign_value rowid = foreign_query_value(v->rows, 0), id = foreign_query_value(v->rows, 1), chunk = foreign_query_value(v->rows, 2),
                  place = foreign_query_value(v->rows, 3);
    TRY(source_row_id(s, r, v->definition.text_key ? &id : &rowid, err));
    TRY(find_chunk(v, chunk.integer, err));
    if (chunk.type != FOREIGN_INTEGER || place.type != FOREIGN_INTEGER || place.integer < 0 || place.integer >= v->chunk_size ||
        place.integer > PLACE_MAX)
        return reader_bad(r, err, "its place is not in its chunk");
    TRY(read_cell(v, r, &v->vectors, v->vectors_table, "vectors", (uint64_t)place.integer, v->bytes,
                  source_element_bytes(v->vector->element, v->vector->dim), err));
    TRY(source_row_vector(s, r, v->vector->element, v->bytes, v->vector->dim, err));
    TRY(read_columns(v, r, (uint64_t)place.integer, rowid.integer, err));
out:
    return rc;
}

static void close_vec0(evdb_foreign *s)
{
    vec0 *v = (vec0 *)s;
    foreign_query_close(v->rows);
    foreign_query_close(v->chunk);
    foreign_query_close(v->auxiliary);
    foreign_blob_close(&v->vectors);
    for (size_t i = 0; i < METADATA_MAX; i++) {
        foreign_query_close(v->metadata[i].text);
        foreign_blob_close(&v->metadata[i].blob);
    }
    mem_free(&s->platform->mem, v->bytes);
    mem_free(&s->platform->mem, v->sql);
}

const source_type source_vec0 = { sizeof(vec0), open_vec0, begin_vec0, next_vec0, close_vec0 };
