/* rows_codec.c - the part of disk/rows.h about codecs: which there are, which is wanted, and writing vectors again. */
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include <string.h>

int64_t rows_codec_checksum(const rows_codec *c)
{
    uint64_t own = c->own, seed = checksum(c->spec, strlen(c->spec), own);
    return (int64_t)checksum(c->bytes ? c->bytes : "", c->size, seed);
}

static evdb_status take(rows_reader *rd, sqlite3_stmt *st, rows_codec *out, evdb_error *err)
{
    *out = (rows_codec){ .id = (uint32_t)sqlite3_column_int64(st, 0), .spec = (const char *)sqlite3_column_text(st, 1),
                         .own = sqlite3_column_int(st, 2) != 0, .loss = sqlite3_column_double(st, 3),
                         .bytes = sqlite3_column_blob(st, 4), .size = (size_t)sqlite3_column_bytes(st, 4) };
    if (out->spec && strlen(out->spec) <= EVDB_CODEC_SPEC_MAX && sqlite3_column_int64(st, 5) == rows_codec_checksum(out)) return EVDB_OK;
    return error_set(err, EVDB_CORRUPT, "%s: codec %u: its checksum does not match", rd->connection.name, out->id);
}

evdb_status rows_codec_get(rows_reader *rd, uint32_t id, rows_codec *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_CODEC, &st, err));
    sqlite3_reset(st);
    sqlite3_bind_int64(st, 1, id);
    TRY(sql_step(&rd->connection, st, &row, err));
    rc = row ? take(rd, st, out, err) : error_set(err, EVDB_CORRUPT, "%s: codec %u is missing", rd->connection.name, id);
out:
    return rc;
}

evdb_status rows_codec_find(rows_reader *rd, const char *spec, bool own, rows_codec *out, bool *found, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_CODEC_OF, &st, err));
    sqlite3_reset(st);
    sqlite3_bind_text(st, 1, spec, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(st, 2, own);
    TRY(sql_step(&rd->connection, st, found, err));
    if (*found) TRY(take(rd, st, out, err));
out:
    return rc;
}

evdb_status rows_coding_now(rows_reader *rd, rows_coding *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    *out = (rows_coding){ .recode_from = -1 };
    TRY(rows_read_statement(rd, R_CODING, &st, err));
    TRY(sql_step(&rd->connection, st, &row, err));
    if (!row) goto out;
    const char *wanted = (const char *)sqlite3_column_text(st, 0);
    strncat(out->wanted, wanted ? wanted : "", EVDB_CODEC_SPEC_MAX);
    out->codec = (uint32_t)sqlite3_column_int64(st, 1);
    out->version = (uint32_t)sqlite3_column_int64(st, 3);
    if (sqlite3_column_type(st, 2) != SQLITE_NULL) out->recode_from = sqlite3_column_int64(st, 2);
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_vectors_of_others(rows_reader *rd, uint64_t from, uint32_t codec, size_t max, rows_vector_fn *each, void *context,
                                   evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = rows_read_statement(rd, R_OTHERS, &st, err);
    if (rc != EVDB_OK) return rc;
    sqlite3_bind_int64(st, 1, (int64_t)(from > INT64_MAX ? INT64_MAX : from));
    sqlite3_bind_int64(st, 2, codec);
    sqlite3_bind_int64(st, 3, (int64_t)(max > INT64_MAX ? INT64_MAX : max));
    return rows_each_vector(rd, st, each, context, err);
}

/* ---- writing ---- */

evdb_status rows_codec_add(rows *r, const rows_codec *codec, uint32_t *id, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_CODEC_IN, &st, err));
    sqlite3_bind_text(st, 1, codec->spec, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 2, codec->own);
    sqlite3_bind_double(st, 3, codec->loss);
    if (codec->bytes) sqlite3_bind_blob64(st, 4, codec->bytes, codec->size, SQLITE_STATIC);
    else sqlite3_bind_null(st, 4);
    sqlite3_bind_int64(st, 5, rows_codec_checksum(codec));
    if (codec->id) sqlite3_bind_int64(st, 6, codec->id);
    else sqlite3_bind_null(st, 6);
    TRY(sql_run(&r->writer, st, err));
    *id = (uint32_t)sqlite3_last_insert_rowid(r->writer.handle);
out:
    return rc;
}

evdb_status rows_codec_known(rows *r, uint32_t id, bool *known, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_CODEC, &st, err));
    sqlite3_bind_int64(st, 1, id);
    rc = sql_step(&r->writer, st, known, err);
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_coding_set(rows *r, const rows_coding *coding, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_CODING, &st, err));
    if (*coding->wanted) sqlite3_bind_text(st, 1, coding->wanted, -1, SQLITE_STATIC);
    else sqlite3_bind_null(st, 1);
    sqlite3_bind_int64(st, 2, coding->codec);
    if (coding->recode_from >= 0) sqlite3_bind_int64(st, 3, coding->recode_from);
    else sqlite3_bind_null(st, 3);
    sqlite3_bind_int64(st, 4, coding->version);
    TRY(sql_run(&r->writer, st, err));
    r->now.codec = coding->codec;
    r->now.coding = coding->version;
    r->now.recode_from = coding->recode_from;
out:
    return rc;
}

void rows_coding_within(const rows *r, rows_coding *out)
{
    *out = (rows_coding){ .codec = r->now.codec, .version = r->now.coding, .recode_from = r->now.recode_from };
}

/* *there is whether it was the one that was read. */
static evdb_status take_out(rows *r, const rows_vector *v, bool *there, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_RECODE, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)v->slot);
    sqlite3_bind_int64(st, 2, (int64_t)v->sequence);
    TRY(sql_run(&r->writer, st, err));
    *there = sqlite3_changes(r->writer.handle) != 0;
out:
    return rc;
}

/* All are taken out before the first is put back: one by one, each would go to where it was, and a page that is half empty then stays
 * so, since SQLite joins pages that are two thirds empty, and only where a row was deleted. */
evdb_status rows_recode(rows *r, const rows_vector *vectors, size_t count, evdb_error *err)
{
    bool *there = mem_zero(&r->platform->mem, count + 1);
    evdb_status rc = there ? EVDB_OK : error_no_memory(err, count, "vectors to write again");
    for (size_t i = 0; rc == EVDB_OK && i < count; i++) rc = take_out(r, &vectors[i], &there[i], err);
    for (size_t i = 0; rc == EVDB_OK && i < count; i++)
        if (there[i]) rc = rows_put_vector(r, &vectors[i], err);
    r->deleted += count; /* pages that this empties are given back */
    mem_free(&r->platform->mem, there);
    return rc;
}

evdb_status rows_codecs_sweep(rows *r, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_CODEC_OUT, &st, err));
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}
