/* source.c - implements foreign/source.h. */
#include "foreign/source.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/try.h"
#include "format/elements.h"
#include "format/json_build.h"
#include <math.h>
#include <string.h>

evdb_status source_open(const platform *p, const source_type *type, const char *path, foreign_db *db, const char *name, const char *column,
                        evdb_foreign **out, evdb_error *err)
{
    evdb_status rc;
    evdb_foreign *s = mem_zero(&p->mem, type->size);
    if (!s) {
        foreign_db_close(db);
        return error_no_memory(err, type->size, "a file");
    }
    s->db = db;
    s->type = type;
    s->platform = p;
    s->info = (evdb_foreign_info)EVDB_FOREIGN_INFO;
    buf_init(&s->id, &p->mem);
    buf_init(&s->json, &p->mem);
    buf_init(&s->metadata, &p->mem);
    if (!(s->path = mem_text(&p->mem, path, strlen(path)))) TRY(error_no_memory(err, strlen(path), "a path"));
    TRY(type->open(s, name, column, err));
    *out = s;
    s = NULL;
out:
    source_close(s);
    return rc;
}

void source_close(evdb_foreign *s)
{
    if (!s) return;
    const evdb_allocator *mem = &s->platform->mem;
    s->type->close(s);
    foreign_db_close(s->db);
    buf_free(&s->id);
    buf_free(&s->json);
    buf_free(&s->metadata);
    mem_free(mem, s->vector);
    mem_free(mem, s->path);
    mem_free(mem, s);
}

/* ---- the reader ---- */

typedef struct foreign_reader {
    reader base;
    evdb_foreign *from;
} foreign_reader;

static evdb_status next_row(reader *r, evdb_error *err)
{
    evdb_foreign *s = ((foreign_reader *)r)->from;
    evdb_status rc = s->type->next(s, r, err);
    return rc == EVDB_OK && r->ended ? foreign_db_steady(s->db, err) : rc;
}

static const reader_type reader_foreign = { sizeof(foreign_reader), "record", NULL, next_row, NULL };

evdb_status source_reader(evdb_foreign *s, reader **out, evdb_error *err)
{
    const evdb_allocator *mem = &s->platform->mem;
    foreign_reader *r = mem_zero(mem, sizeof(*r));
    if (!r) return error_no_memory(err, sizeof(*r), "a reader");
    r->base.type = &reader_foreign;
    r->base.mem = r->base.in.mem = mem;
    r->from = s;
    s->rows = 0;
    evdb_status rc = s->type->begin(s, err);
    if (rc == EVDB_OK) *out = &r->base;
    else reader_close(&r->base);
    return rc;
}

/* ---- for kinds ---- */

evdb_status source_needs(evdb_foreign *s, const char *table, const char *what, evdb_error *err)
{
    foreign_table found;
    evdb_status rc = foreign_db_table(s->db, table, &found, err);
    if (rc != EVDB_OK || found == FOREIGN_TABLE) return rc;
    return error_set(err, EVDB_INVALID, "%s: not %s: it has no table %.80s", s->path, what, table);
}

void source_row(evdb_foreign *s, reader *r)
{
    r->row = (reader_row){ .line = ++s->rows };
    s->json.size = 0;
}

evdb_status source_row_id(evdb_foreign *s, reader *r, const foreign_value *id, evdb_error *err)
{
    evdb_error why;
    r->row.id = (evdb_id){ .number = id->integer };
    if (id->type == FOREIGN_INTEGER) return EVDB_OK;
    if (id->type != FOREIGN_TEXT) return reader_bad(r, err, "its id is neither an integer nor text");
    if (id->size == 0) return reader_bad(r, err, "its id is empty");
    s->id.size = 0;
    if (!buf_add(&s->id, id->bytes, id->size)) return error_no_memory(err, id->size, "an id");
    r->row.id = (evdb_id){ .text = s->id.at, .length = s->id.size };
    return id_check(&r->row.id, &why) == EVDB_OK ? EVDB_OK : reader_bad(r, err, "%s", why.message);
}

size_t source_element_bytes(source_element type, uint32_t dim)
{
    switch (type) {
    case SOURCE_F32: return (size_t)dim * sizeof(float);
    case SOURCE_I8: return dim;
    case SOURCE_BIT: return ((size_t)dim + 7) / 8;
    }
    return 0;
}

evdb_status source_row_vector(evdb_foreign *s, reader *r, source_element type, const char *bytes, uint32_t dim, evdb_error *err)
{
    if (dim > s->capacity) {
        float *vector = mem_resize(&s->platform->mem, s->vector, dim, sizeof(float));
        if (!vector) return error_no_memory(err, dim * sizeof(float), "a vector");
        s->vector = vector;
        s->capacity = dim;
    }
    r->row.dim = dim;
    r->row.vector = s->vector;
    switch (type) {
    case SOURCE_F32: r->row.vector = elements_f32(bytes, dim, s->vector); break;
    case SOURCE_I8: elements_from_i8(bytes, dim, s->vector); break;
    case SOURCE_BIT:
        for (uint32_t i = 0; i < dim; i++) s->vector[i] = (float)((unsigned char)bytes[i / 8] >> i % 8 & 1);
        break;
    }
    return EVDB_OK;
}

static evdb_status added(const evdb_foreign *s, bool ok, evdb_error *err)
{
    return ok ? EVDB_OK : error_no_memory(err, s->json.capacity * 2, "metadata");
}

/* Larger metadata is refused before it has been put together. */
static evdb_status bounded(const evdb_foreign *s, reader *r, size_t more, evdb_error *err)
{
    if (more <= EVDB_METADATA_BYTES_MAX && s->json.size + more <= EVDB_METADATA_BYTES_MAX) return EVDB_OK;
    return reader_bad(r, err, "its metadata has more than %u bytes", EVDB_METADATA_BYTES_MAX);
}

evdb_status source_row_name(evdb_foreign *s, reader *r, const char *name, size_t length, evdb_error *err)
{
    evdb_status rc = bounded(s, r, length, err);
    if (rc != EVDB_OK) return rc;
    return added(s, buf_byte(&s->json, s->json.size ? ',' : '{') && json_add_string(&s->json, name, length) && buf_byte(&s->json, ':'), err);
}

static bool add_hex(buf *out, const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    bool ok = buf_reserve(out, size * 2 + 2) && buf_byte(out, '"');
    for (size_t i = 0; ok && i < size; i++)
        ok = buf_byte(out, digits[(unsigned char)bytes[i] >> 4]) && buf_byte(out, digits[(unsigned char)bytes[i] & 15]);
    return ok && buf_byte(out, '"');
}

evdb_status source_row_value(evdb_foreign *s, reader *r, const foreign_value *value, evdb_error *err)
{
    evdb_status rc = bounded(s, r, value->size, err);
    bool ok = false;
    if (rc != EVDB_OK) return rc;
    if (value->type == FOREIGN_REAL && !isfinite(value->real)) return reader_bad(r, err, "a number of its metadata is not finite");
    switch (value->type) {
    case FOREIGN_NULL: ok = buf_text(&s->json, "null"); break;
    case FOREIGN_INTEGER: ok = json_add_integer(&s->json, value->integer); break;
    case FOREIGN_REAL: ok = json_add_real(&s->json, value->real); break;
    case FOREIGN_TEXT: ok = json_add_string(&s->json, value->bytes, value->size); break;
    case FOREIGN_BLOB: ok = add_hex(&s->json, value->bytes, value->size); break;
    }
    return added(s, ok, err);
}

evdb_status source_row_raw(evdb_foreign *s, const char *json, evdb_error *err) { return added(s, buf_text(&s->json, json), err); }

evdb_status source_row_done(evdb_foreign *s, reader *r, evdb_error *err)
{
    evdb_error why;
    if (!s->json.size) return EVDB_OK;
    if (!buf_byte(&s->json, '}')) return error_no_memory(err, s->json.size, "metadata");
    s->metadata.size = 0;
    evdb_status rc = json_text_object(s->json.at, s->json.size, &s->metadata, &why);
    if (rc != EVDB_OK && rc != EVDB_NO_MEMORY) return reader_bad(r, err, "%s", why.message);
    if (rc != EVDB_OK || !buf_terminate(&s->metadata)) return error_no_memory(err, s->json.size, "metadata");
    r->row.metadata = s->metadata.at;
    r->row.metadata_length = s->metadata.size;
    return EVDB_OK;
}
