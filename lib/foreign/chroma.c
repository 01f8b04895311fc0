/* chroma.c - a collection in the directory of a persistent Chroma, versions 0.4 to 1.5.
 *
 * chroma.sqlite3 has for each collection two segments. That of metadata is the tables embeddings and embedding_metadata; that of vectors is
 * an index in files (chroma_index.h), which lags behind: writes it has not seen yet are in the table embeddings_queue. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "foreign/chroma_index.h"
#include "foreign/listing.h"
#include <string.h>

enum { ADD = 0, UPDATE = 1, UPSERT = 2, DELETE = 3 }; /* operations in the queue */
enum { UUID_TEXT = 36 };

typedef struct chroma {
    evdb_foreign base;
    char collection[UUID_TEXT + 1], vectors[UUID_TEXT + 1], metadata[UUID_TEXT + 1]; /* its id, and those of its segments */
    chroma_index index;
    foreign_query *rows, *members, *lists, *queue; /* lists: NULL before version 1.5; queue: NULL where nothing waits */
    buf vector;
} chroma;

/* ---- finding the collection ---- */

static evdb_status has_column(chroma *c, const char *table, const char *column, bool *out, evdb_error *err)
{
    foreign_query *q = NULL;
    evdb_status rc;
    TRY(foreign_query_open(c->base.db, &q, err, "SELECT 1 FROM pragma_table_info(?1) WHERE name=?2"));
    foreign_bind_text(q, 1, table, strlen(table));
    foreign_bind_text(q, 2, column, strlen(column));
    TRY(foreign_query_next(q, out, err));
out:
    foreign_query_close(q);
    return rc;
}

static evdb_status take_uuid(chroma *c, const foreign_value *value, const char *what, char out[UUID_TEXT + 1], evdb_error *err)
{
    if (value->type != FOREIGN_TEXT || value->size != UUID_TEXT || strlen(value->bytes) != UUID_TEXT)
        return error_set(err, EVDB_INVALID, "%s: the id of %s is no UUID", c->base.path, what);
    memcpy(out, value->bytes, UUID_TEXT + 1);
    return EVDB_OK;
}

static evdb_status find_collection(chroma *c, const char *name, evdb_error *err)
{
    foreign_query *q = NULL;
    listing all = { 0 }, meant = { 0 };
    size_t count = 0;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(c->base.db, &q, err, "SELECT id, name, dimension FROM collections ORDER BY name, id"));
    for (;;) {
        TRY(foreign_query_next(q, &row, err));
        if (!row) break;
        foreign_value id = foreign_query_value(q, 0), called = foreign_query_value(q, 1), dim = foreign_query_value(q, 2);
        listing_add(&all, called.bytes);
        if (name && strcmp(name, called.bytes) != 0 && strcmp(name, id.bytes) != 0) continue;
        listing_add(&meant, name ? id.bytes : called.bytes);
        count++;
        TRY(take_uuid(c, &id, "a collection", c->collection, err));
        c->base.info.dim = dim.integer > 0 && dim.integer <= EVDB_DIM_MAX ? (uint32_t)dim.integer : 0;
    }
    if (count > 1) rc = error_set(err, EVDB_INVALID, "%s: there are several such collections: say which of %s", c->base.path, meant.text);
    if (count == 0)
        rc = error_set(err, EVDB_NOT_FOUND, "%s: there is no collection%s%.80s%s%s", c->base.path, name ? " " : "", name ? name : "",
                       all.used ? "; there are " : "", all.text);
out:
    foreign_query_close(q);
    return rc;
}

static evdb_status find_segments(chroma *c, evdb_error *err)
{
    foreign_query *q = NULL;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(c->base.db, &q, err, "SELECT id, scope, type FROM segments WHERE collection=?1"));
    foreign_bind_text(q, 1, c->collection, UUID_TEXT);
    for (;;) {
        TRY(foreign_query_next(q, &row, err));
        if (!row) break;
        foreign_value id = foreign_query_value(q, 0), scope = foreign_query_value(q, 1), type = foreign_query_value(q, 2);
        if (strcmp(scope.bytes, "METADATA") == 0) TRY(take_uuid(c, &id, "a segment", c->metadata, err));
        if (strcmp(scope.bytes, "VECTOR") != 0) continue;
        if (!strstr(type.bytes, "hnsw-local-persisted"))
            TRY(error_set(err, EVDB_UNSUPPORTED, "%s: vectors of segment type '%.80s' are not known", c->base.path, type.bytes));
        TRY(take_uuid(c, &id, "a segment", c->vectors, err));
    }
    if (!*c->metadata || !*c->vectors) rc = error_set(err, EVDB_INVALID, "%s: the collection lacks a segment", c->base.path);
out:
    foreign_query_close(q);
    return rc;
}

/* Where versions say how distances are measured, the newest first. */
static evdb_status find_metric(chroma *c, evdb_error *err)
{
    static const struct place { const char *column, *query; } places[] = {
        { "schema_str", "SELECT json_extract(schema_str, '$.keys.\"#embedding\".float_list.vector_index.config.space') FROM collections"
                        " WHERE id=?1 AND json_valid(schema_str)" },
        { NULL, "SELECT str_value FROM collection_metadata WHERE collection_id=?1 AND key='hnsw:space'" },
        { "config_json_str", "SELECT coalesce(json_extract(config_json_str, '$.hnsw.space'), json_extract(config_json_str,"
                             " '$.hnsw_configuration.space')) FROM collections WHERE id=?1 AND json_valid(config_json_str)" },
    };
    foreign_query *q = NULL;
    bool there, row = false;
    evdb_status rc = EVDB_OK;
    c->base.info.metric = EVDB_EUCLIDEAN;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        there = true;
        if (places[i].column) TRY(has_column(c, "collections", places[i].column, &there, err));
        if (!there) continue;
        TRY(foreign_query_open(c->base.db, &q, err, "%s", places[i].query));
        foreign_bind_text(q, 1, c->collection, UUID_TEXT);
        TRY(foreign_query_next(q, &row, err));
        foreign_value space = row ? foreign_query_value(q, 0) : (foreign_value){ .bytes = "" };
        if (strcmp(space.bytes, "cosine") == 0) c->base.info.metric = EVDB_COSINE;
        if (strcmp(space.bytes, "ip") == 0) c->base.info.metric = EVDB_IP;
        if (space.type == FOREIGN_TEXT) break;
        foreign_query_close(q);
        q = NULL;
    }
out:
    foreign_query_close(q);
    return rc;
}

/* ---- what the segments have seen ---- */

/* Older versions keep the number as a big-endian blob. */
static int64_t sequence_of(const foreign_value *value)
{
    uint64_t number = (uint64_t)value->integer;
    for (size_t i = 0; value->type == FOREIGN_BLOB && i < value->size; i++) number = number << 8 | (unsigned char)value->bytes[i];
    return (int64_t)number;
}

static evdb_status seen_by(chroma *c, const char *segment, int64_t *out, evdb_error *err)
{
    foreign_query *q = NULL;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(c->base.db, &q, err, "SELECT seq_id FROM max_seq_id WHERE segment_id=?1"));
    foreign_bind_text(q, 1, segment, UUID_TEXT);
    TRY(foreign_query_next(q, &row, err));
    if (row) {
        foreign_value value = foreign_query_value(q, 0);
        *out = sequence_of(&value);
    }
out:
    foreign_query_close(q);
    return rc;
}

/* Notes the writes in the queue that the index has not seen, by the records they are about. */
static evdb_status find_waiting(chroma *c, int64_t seen, evdb_error *err)
{
    foreign_query *q = NULL;
    int64_t applied = 0;
    bool row;
    evdb_status rc;
    TRY(seen_by(c, c->metadata, &applied, err));
    TRY(foreign_run(c->base.db, "CREATE TEMP TABLE waiting(id TEXT, seq INTEGER, PRIMARY KEY(id, seq)) WITHOUT ROWID", err));
    /* topics end in the collection's id */
    TRY(foreign_query_open(c->base.db, &q, err,
                           "INSERT INTO temp.waiting SELECT id, seq_id FROM main.embeddings_queue WHERE seq_id>?1 AND substr(topic, -37)='/' || ?2"));
    foreign_bind_integer(q, 1, seen < applied ? seen : applied);
    foreign_bind_text(q, 2, c->collection, UUID_TEXT);
    TRY(foreign_query_run(q, err));
    foreign_query_close(q);
    q = NULL;
    TRY(foreign_query_open(c->base.db, &q, err, "SELECT count(*) FROM temp.waiting WHERE seq>?1"));
    foreign_bind_integer(q, 1, applied);
    TRY(foreign_query_next(q, &row, err));
    if (foreign_query_value(q, 0).integer)
        TRY(error_set(err, EVDB_BUSY, "%s: Chroma has not applied its last %lld writes to this collection: open it with Chroma once", c->base.path,
                      (long long)foreign_query_value(q, 0).integer));
    TRY(foreign_query_open(c->base.db, &c->queue, err,
                           "SELECT q.operation, q.vector, q.encoding FROM temp.waiting w JOIN main.embeddings_queue q ON q.seq_id=w.seq"
                           " WHERE w.id=?1 AND w.seq>?2 ORDER BY w.seq"));
    foreign_bind_integer(c->queue, 2, seen);
out:
    foreign_query_close(q);
    return rc;
}

static evdb_status open_queries(chroma *c, evdb_error *err)
{
    foreign_query *count = NULL;
    foreign_table lists;
    bool row;
    evdb_status rc;
    TRY(foreign_query_open(c->base.db, &count, err, "SELECT count(*) FROM embeddings WHERE segment_id=?1"));
    foreign_bind_text(count, 1, c->metadata, UUID_TEXT);
    TRY(foreign_query_next(count, &row, err));
    c->base.info.records = (uint64_t)foreign_query_value(count, 0).integer;
    TRY(foreign_query_open(c->base.db, &c->rows, err, "SELECT id, embedding_id FROM embeddings WHERE segment_id=?1 ORDER BY id"));
    foreign_bind_text(c->rows, 1, c->metadata, UUID_TEXT);
    TRY(foreign_query_open(c->base.db, &c->members, err,
                           "SELECT key, bool_value, int_value, float_value, string_value FROM embedding_metadata WHERE id=?1 ORDER BY key"));
    TRY(foreign_db_table(c->base.db, "embedding_metadata_array", &lists, err));
    if (lists == FOREIGN_TABLE)
        TRY(foreign_query_open(c->base.db, &c->lists, err,
                               "SELECT key, bool_value, int_value, float_value, string_value FROM embedding_metadata_array WHERE id=?1"
                               " ORDER BY key, rowid"));
out:
    foreign_query_close(count);
    return rc;
}

static evdb_status open_chroma(evdb_foreign *s, const char *name, const char *column, evdb_error *err)
{
    static const char *const tables[] = { "collections",      "collection_metadata", "segments", "embeddings",
                                          "embedding_metadata", "embeddings_queue",  "max_seq_id" };
    chroma *c = (chroma *)s;
    int64_t seen = 0;
    evdb_status rc;
    (void)column;
    chroma_index_init(&c->index);
    buf_init(&c->vector, &s->platform->mem);
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) TRY(source_needs(s, tables[i], "a Chroma database", err));
    TRY(find_collection(c, name, err));
    TRY(find_segments(c, err));
    TRY(find_metric(c, err));
    s->info.dtype = EVDB_F32;
    TRY(chroma_index_open(&c->index, s, c->vectors, s->info.metric == EVDB_COSINE, &seen, err));
    TRY(seen_by(c, c->vectors, &seen, err));
    TRY(find_waiting(c, c->index.dim ? seen : 0, err));
    TRY(open_queries(c, err));
out:
    return rc;
}

/* ---- records ---- */

static evdb_status begin_chroma(evdb_foreign *s, evdb_error *err)
{
    (void)err;
    foreign_query_restart(((chroma *)s)->rows);
    return EVDB_OK;
}

/* A write that waits: the vector becomes its own, as it would in the index. */
static evdb_status apply_waiting(chroma *c, reader *r, bool *has, evdb_error *err)
{
    foreign_value operation = foreign_query_value(c->queue, 0), vector = foreign_query_value(c->queue, 1), encoding = foreign_query_value(c->queue, 2);
    bool takes = operation.integer == UPSERT || (operation.integer == ADD && !*has) || (operation.integer == UPDATE && *has);
    if (operation.integer == DELETE) *has = false;
    if (!takes || vector.type != FOREIGN_BLOB) return EVDB_OK;
    if (strcmp(encoding.bytes, "FLOAT32") != 0) return reader_bad(r, err, "its vector's encoding is '%.20s', not FLOAT32", encoding.bytes);
    c->vector.size = 0;
    *has = true;
    return buf_add(&c->vector, vector.bytes, vector.size) ? EVDB_OK : error_no_memory(err, vector.size, "a vector");
}

static evdb_status read_vector(chroma *c, reader *r, const foreign_value *id, evdb_error *err)
{
    bool has = false, row;
    size_t bytes = c->index.dim * sizeof(float);
    evdb_status rc;
    c->vector.size = 0;
    if (!buf_reserve(&c->vector, bytes + 1)) return error_no_memory(err, bytes, "a vector");
    TRY(chroma_index_find(&c->index, id->bytes, id->size, &has, c->vector.at, err));
    c->vector.size = has ? bytes : 0;
    foreign_query_restart(c->queue);
    foreign_bind_text(c->queue, 1, id->bytes, id->size);
    for (;;) {
        TRY(foreign_query_next(c->queue, &row, err));
        if (!row) break;
        TRY(apply_waiting(c, r, &has, err));
    }
    if (!has) return reader_bad(r, err, "its vector is nowhere to be found");
    if (!c->vector.size || c->vector.size % sizeof(float) || c->vector.size / sizeof(float) > EVDB_DIM_MAX)
        return reader_bad(r, err, "its vector has %zu bytes", c->vector.size);
    rc = source_row_vector(&c->base, r, SOURCE_F32, c->vector.at, (uint32_t)(c->vector.size / sizeof(float)), err);
out:
    return rc;
}

/* Of the four columns of a value at most one is not NULL. */
static evdb_status add_value(chroma *c, reader *r, foreign_query *q, evdb_error *err)
{
    foreign_value value = foreign_query_value(q, 1);
    if (value.type == FOREIGN_INTEGER) return source_row_raw(&c->base, value.integer ? "true" : "false", err);
    for (int i = 2; i <= 4 && value.type == FOREIGN_NULL; i++) value = foreign_query_value(q, i);
    return source_row_value(&c->base, r, &value, err);
}

static evdb_status read_members(chroma *c, reader *r, int64_t row_id, evdb_error *err)
{
    bool row;
    evdb_status rc;
    foreign_query_restart(c->members);
    foreign_bind_integer(c->members, 1, row_id);
    for (;;) {
        TRY(foreign_query_next(c->members, &row, err));
        if (!row) break;
        foreign_value key = foreign_query_value(c->members, 0);
        TRY(source_row_name(&c->base, r, key.bytes, key.size, err));
        TRY(add_value(c, r, c->members, err));
    }
out:
    return rc;
}

/* A list is the rows of one key. */
static evdb_status read_lists(chroma *c, reader *r, int64_t row_id, evdb_error *err)
{
    bool row, open = false;
    buf last;
    evdb_status rc;
    buf_init(&last, &c->base.platform->mem);
    foreign_query_restart(c->lists);
    foreign_bind_integer(c->lists, 1, row_id);
    for (;;) {
        TRY(foreign_query_next(c->lists, &row, err));
        if (!row) break;
        foreign_value key = foreign_query_value(c->lists, 0);
        bool same = open && last.size == key.size && memcmp(last.at, key.bytes, key.size) == 0;
        if (open) TRY(source_row_raw(&c->base, same ? "," : "]", err));
        if (!same) {
            last.size = 0;
            if (!buf_add(&last, key.bytes, key.size) || !buf_reserve(&last, 1)) TRY(error_no_memory(err, key.size, "a name"));
            TRY(source_row_name(&c->base, r, key.bytes, key.size, err));
            TRY(source_row_raw(&c->base, "[", err));
        }
        TRY(add_value(c, r, c->lists, err));
        open = true;
    }
    if (open) TRY(source_row_raw(&c->base, "]", err));
out:
    buf_free(&last);
    return rc;
}

static evdb_status next_chroma(evdb_foreign *s, reader *r, evdb_error *err)
{
    chroma *c = (chroma *)s;
    bool row;
    evdb_status rc = foreign_query_next(c->rows, &row, err);
    r->broken = rc != EVDB_OK; /* damage: stepping again would begin anew */
    r->ended = rc == EVDB_OK && !row;
    if (rc != EVDB_OK || !row) return rc;
    source_row(s, r);
    foreign_value number = foreign_query_value(c->rows, 0), id = foreign_query_value(c->rows, 1);
    TRY(source_row_id(s, r, &id, err));
    TRY(read_vector(c, r, &id, err));
    TRY(read_members(c, r, number.integer, err));
    if (c->lists) TRY(read_lists(c, r, number.integer, err));
    TRY(source_row_done(s, r, err));
out:
    return rc;
}

static void close_chroma(evdb_foreign *s)
{
    chroma *c = (chroma *)s;
    foreign_query_close(c->rows);
    foreign_query_close(c->members);
    foreign_query_close(c->lists);
    foreign_query_close(c->queue);
    if (c->vector.mem) {
        chroma_index_close(&c->index, s);
        buf_free(&c->vector);
    }
}

const source_type source_chroma = { sizeof(chroma), open_chroma, begin_chroma, next_chroma, close_chroma };
