/* json_record.c - implements format/json_record.h.
 *
 * Numbers of the vector go straight to float; metadata stays text, so that its numbers keep their digits. */
#include "format/json_record.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "format/number.h"
#include <evdb/batch.h>
#include <string.h>

enum { SHOWN = 60, FIRST_ELEMENTS = 64 };

void json_record_init(json_record *j, const evdb_allocator *mem, bool vectors)
{
    *j = (json_record){ .vectors = vectors };
    buf_init(&j->id, mem);
    buf_init(&j->metadata, mem);
    buf_init(&j->author, mem);
}

void json_record_free(json_record *j)
{
    mem_free(j->id.mem, j->vector);
    j->vector = NULL;
    buf_free(&j->id);
    buf_free(&j->metadata);
    buf_free(&j->author);
}

/* How much of a span to show in a message: not half a character. */
static int shown(const json_span *span)
{
    size_t length = span->length;
    if (length <= SHOWN) return (int)length;
    length = SHOWN;
    while (length && ((unsigned char)span->at[length] & 0xc0) == 0x80) length--;
    return (int)length;
}

static evdb_status bad_syntax(const reader *r, const json_scan *s, const char *text, const char *why, evdb_error *err)
{
    return reader_bad(r, err, "not a JSON record: %s (at its byte %zu)", why, (size_t)(s->at - text) + 1);
}

static evdb_status parse_id(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    json_span span;
    evdb_error why;
    scan_space(s);
    if (s->at < s->end && *s->at == '"') {
        if (!scan_string(s, &span)) return bad_syntax(r, s, text, s->why, err);
        if (span.length == 0) return reader_bad(r, err, "the id is empty");
        j->id.size = 0;
        if (!scan_unescape(&span, &j->id)) return error_no_memory(err, span.length, "an id");
        r->row.id = (evdb_id){ .text = j->id.at, .length = j->id.size };
        return id_check(&r->row.id, &why) == EVDB_OK ? EVDB_OK : reader_bad(r, err, "%s", why.message);
    }
    if (!scan_value(s, JSON_DEPTH_MAX, &span)) return bad_syntax(r, s, text, s->why, err);
    if (*span.at != '-' && (*span.at < '0' || *span.at > '9'))
        return reader_bad(r, err, "\"id\" must be an integer or a string, not %.*s", shown(&span), span.at);
    r->row.id = (evdb_id){ 0 };
    if (!number_to_int64(span.at, span.length, &r->row.id.number))
        return reader_bad(r, err, "id %.*s is not a 64-bit integer", shown(&span), span.at);
    return EVDB_OK;
}

static evdb_status grow(json_record *j, evdb_error *err)
{
    uint32_t capacity = j->capacity ? j->capacity * 2 : FIRST_ELEMENTS;
    float *vector = mem_resize(j->id.mem, j->vector, capacity, sizeof(float));
    if (!vector) return error_no_memory(err, capacity * sizeof(float), "a vector");
    j->vector = vector;
    j->capacity = capacity;
    return EVDB_OK;
}

static evdb_status parse_vector(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    uint32_t dim = 0;
    json_span span;
    evdb_status rc;
    if (!scan_take(s, '[')) return reader_bad(r, err, "\"vector\" must be an array of numbers");
    do {
        scan_space(s);
        if (dim == 0 && s->at < s->end && *s->at == ']') return reader_bad(r, err, "\"vector\" is empty");
        if (dim == EVDB_DIM_MAX) return reader_bad(r, err, "\"vector\" has more than %u elements", EVDB_DIM_MAX);
        if (!scan_number(s, &span))
            return reader_bad(r, err, "element %u of \"vector\": %s (at byte %zu)", dim, s->why,
                              (size_t)(s->at - text) + 1);
        if (s->at == s->end) break; /* and number_to_float() needs a byte behind the number */
        if (dim == j->capacity && (rc = grow(j, err)) != EVDB_OK) return rc;
        if (!number_to_float(span.at, span.length, &j->vector[dim]))
            return reader_bad(r, err, "element %u of \"vector\" is %.*s: too large for float32", dim, shown(&span),
                              span.at);
        dim++;
    } while (scan_take(s, ','));
    if (!scan_take(s, ']')) return bad_syntax(r, s, text, "expected ',' or ']'", err);
    r->row.vector = j->vector;
    r->row.dim = dim;
    return EVDB_OK;
}

static evdb_status parse_metadata(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    json_span span;
    evdb_error why;
    if (!scan_value(s, JSON_DEPTH_MAX, &span)) return bad_syntax(r, s, text, s->why, err);
    if (*span.at == 'n') return EVDB_OK; /* null: none */
    if (*span.at != '{') return reader_bad(r, err, "\"metadata\" must be an object, not %.*s", shown(&span), span.at);
    /* the same judge as for records written through the API, so that what passes here is not refused there */
    j->metadata.size = 0;
    evdb_status rc = json_text_object(span.at, span.length, &j->metadata, &why);
    if (rc != EVDB_OK && rc != EVDB_NO_MEMORY) return reader_bad(r, err, "%s", why.message);
    if (rc != EVDB_OK || !buf_terminate(&j->metadata)) return error_no_memory(err, span.length, "metadata");
    r->row.metadata = j->metadata.at;
    r->row.metadata_length = j->metadata.size;
    return EVDB_OK;
}

static evdb_status parse_expiry(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    json_span span;
    (void)j;
    if (!scan_value(s, JSON_DEPTH_MAX, &span)) return bad_syntax(r, s, text, s->why, err);
    r->row.expires_ms = EVDB_NEVER;
    if (*span.at == 'n') return EVDB_OK; /* null: never, whatever is usual in the store */
    if (!number_to_int64(span.at, span.length, &r->row.expires_ms) || r->row.expires_ms <= 0)
        return reader_bad(r, err, "\"expires_ms\" is Unix time in milliseconds, not %.*s", shown(&span), span.at);
    return EVDB_OK;
}

static evdb_status parse_author(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    json_span span;
    scan_space(s);
    if (s->at == s->end || *s->at != '"') return reader_bad(r, err, "\"author\" must be a string");
    if (!scan_string(s, &span)) return bad_syntax(r, s, text, s->why, err);
    j->author.size = 0;
    if (!scan_unescape(&span, &j->author) || !buf_terminate(&j->author)) return error_no_memory(err, span.length, "an author");
    if (!j->author.size || j->author.size > EVDB_AUTHOR_BYTES_MAX || memchr(j->author.at, 0, j->author.size))
        return reader_bad(r, err, "\"author\" must have 1 to %u bytes", EVDB_AUTHOR_BYTES_MAX);
    r->row.author = j->author.at;
    return EVDB_OK;
}

static evdb_status parse_written(json_record *j, reader *r, json_scan *s, const char *text, evdb_error *err)
{
    json_span span;
    (void)j;
    if (!scan_value(s, JSON_DEPTH_MAX, &span)) return bad_syntax(r, s, text, s->why, err);
    if (!number_to_int64(span.at, span.length, &r->row.written_ms) || r->row.written_ms <= 0)
        return reader_bad(r, err, "\"written_ms\" is Unix time in milliseconds, not %.*s", shown(&span), span.at);
    return EVDB_OK;
}

evdb_status json_record_parse(json_record *j, reader *r, const char *text, size_t length, evdb_error *err)
{
    static const struct member {
        const char *name;
        evdb_status (*parse)(json_record *, reader *, json_scan *, const char *, evdb_error *);
    } members[] = { { "id", parse_id }, { "vector", parse_vector }, { "metadata", parse_metadata },
                    { "expires_ms", parse_expiry }, { "author", parse_author }, { "written_ms", parse_written } };
    enum { ID, VECTOR, METADATA, EXPIRY, AUTHOR, WRITTEN, MEMBERS };
    json_scan s = { .at = text, .end = text + length };
    bool seen[MEMBERS] = { false };
    json_span name;

    r->row = (reader_row){ .line = r->row.line };
    if (!scan_take(&s, '{'))
        return reader_bad(r, err, "a record must be a JSON object {\"id\", \"vector\", \"metadata\"}");
    if (!scan_take(&s, '}')) {
        do {
            size_t m = 0;
            scan_space(&s);
            if (!scan_string(&s, &name)) return bad_syntax(r, &s, text, s.why, err);
            while (m < MEMBERS && !scan_means(&name, members[m].name)) m++;
            if (m == MEMBERS) return reader_bad(r, err, "unknown member \"%.*s\"", shown(&name), name.at);
            if (m == VECTOR && !j->vectors) return reader_bad(r, err, "a companion holds no vectors");
            if (seen[m]) return reader_bad(r, err, "member \"%s\" appears twice", members[m].name);
            seen[m] = true;
            if (!scan_take(&s, ':')) return bad_syntax(r, &s, text, "expected ':'", err);
            evdb_status rc = members[m].parse(j, r, &s, text, err);
            if (rc != EVDB_OK) return rc;
        } while (scan_take(&s, ','));
        if (!scan_take(&s, '}')) return bad_syntax(r, &s, text, "expected ',' or '}'", err);
    }
    scan_space(&s);
    if (s.at != s.end) return bad_syntax(r, &s, text, "text behind the record", err);
    if (!seen[ID]) return reader_bad(r, err, "the record has no \"id\"");
    if (j->vectors && !seen[VECTOR]) return reader_bad(r, err, "the record has no \"vector\"");
    return EVDB_OK;
}
