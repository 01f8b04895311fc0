/* reader_json.c - JSON: {"store": {...}, "vectors": [records]} or a bare array of records, read as a stream.
 *
 * Only the frame is followed here: where each record begins and ends is found by matching brackets outside of strings, and
 * the text between is parsed as a record. So a bad record does not hide where the next one starts. */
#include "base/error.h"
#include "format/json_record.h"
#include "format/reader.h"
#include <string.h>

typedef enum place { START, MEMBERS, RECORDS, DONE } place;

typedef struct json_reader {
    reader base;
    json_record record;
    place place;
    bool bare;  /* the document is an array */
    bool first; /* no record, or member, has come before in what we are in */
    bool seen_vectors, seen_store;
    uint64_t newlines; /* used up */
} json_reader;

static evdb_status open_document(reader *r, evdb_error *err)
{
    (void)err;
    json_record_init(&((json_reader *)r)->record, r->mem, true);
    ((json_reader *)r)->first = true;
    r->row.line = 1;
    return EVDB_OK;
}

static void use(json_reader *j, size_t count)
{
    const char *p = window_bytes(&j->base.in), *end = p + count;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) p++, j->newlines++;
    window_skip(&j->base.in, count);
}

/* The next byte that is not white space, not used up yet; 0 at the end. */
static evdb_status peek(json_reader *j, char *out, evdb_error *err)
{
    window *in = &j->base.in;
    for (;;) {
        json_scan s = { .at = window_bytes(in), .end = window_bytes(in) + window_size(in) };
        scan_space(&s);
        use(j, (size_t)(s.at - window_bytes(in)));
        j->base.row.line = j->newlines + 1;
        *out = 0;
        if (window_size(in)) *out = *window_bytes(in);
        if (window_size(in) || in->ended) return EVDB_OK;
        evdb_status rc = window_more(in, err);
        if (rc != EVDB_OK) return rc;
    }
}

/* Where a value ends, fed with the text piece by piece. */
typedef struct matcher {
    size_t depth;
    bool in_string, escaped, begun;
} matcher;

/* Bytes of `text` that belong to the value; *done when the value ends with them. */
static size_t match(matcher *m, const char *text, size_t length, bool *done)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (m->in_string) {
            if (m->escaped) m->escaped = false;
            else if (c == '\\') m->escaped = true;
            else if (c == '"') m->in_string = false;
            if (m->in_string || m->depth) continue;
            *done = true;
            return i + 1;
        }
        switch (c) {
        case '"': m->in_string = true; break;
        case '{':
        case '[': m->depth++; break;
        case '}':
        case ']':
            if (m->depth) m->depth--;
            else if (m->begun) {
                *done = true;
                return i; /* it closes what the scalar stands in */
            }
            if (m->depth) break;
            *done = true;
            return i + 1;
        case ',':
        case ' ':
        case '\n':
        case '\r':
        case '\t':
            if (m->depth) break;
            *done = true;
            return i;
        default: break;
        }
        m->begun = true;
    }
    return length;
}

/* The text of the value that starts here, used up but still in the window. One above the limit is passed over and reported
 * as *too_long. */
static evdb_status take_value(json_reader *j, const char **text, size_t *length, bool *too_long, evdb_error *err)
{
    window *in = &j->base.in;
    matcher m = { 0 };
    size_t matched = 0;
    bool done = false;
    *too_long = false;
    for (;;) {
        matched += match(&m, window_bytes(in) + matched, window_size(in) - matched, &done);
        *too_long |= matched > EVDB_LINE_BYTES_MAX;
        if (done || in->ended) break;
        if (*too_long) {
            use(j, matched);
            matched = 0;
        }
        evdb_status rc = window_more(in, err);
        if (rc != EVDB_OK) return rc;
    }
    if (!done) return reader_break(&j->base, err, "the document ends within the value that starts here");
    *text = window_bytes(in);
    *length = matched;
    use(j, matched);
    return EVDB_OK;
}

/* Uses up the character `wanted` or fails. */
static evdb_status expect(json_reader *j, char wanted, const char *where, evdb_error *err)
{
    char c;
    evdb_status rc = peek(j, &c, err);
    if (rc != EVDB_OK) return rc;
    if (c != wanted)
        return reader_break(&j->base, err, c ? "expected '%c' %s" : "the document ends early: expected '%c' %s", wanted,
                            where);
    use(j, 1);
    return EVDB_OK;
}

/* The next member of the document's object: to its records, over anything else, or to the object's end. */
static evdb_status next_member(json_reader *j, evdb_error *err)
{
    reader *r = &j->base;
    const char *text;
    size_t length;
    bool too_long;
    char c;
    json_span name, value;
    evdb_status rc = peek(j, &c, err);
    if (rc != EVDB_OK) return rc;
    if (c == '}') {
        if (!j->seen_vectors) return reader_break(r, err, "the document has no \"vectors\"");
        use(j, 1);
        j->place = DONE;
        return EVDB_OK;
    }
    if (!j->first && (rc = expect(j, ',', "or '}' behind a member of the document", err)) != EVDB_OK) return rc;
    j->first = false;
    if ((rc = peek(j, &c, err)) != EVDB_OK) return rc;
    if (c != '"') return reader_break(r, err, "expected the name of a member of the document");
    if ((rc = take_value(j, &text, &length, &too_long, err)) != EVDB_OK) return rc;
    json_scan s = { .at = text, .end = text + length };
    if (too_long || !scan_string(&s, &name)) return reader_break(r, err, "a malformed member name");
    bool vectors = scan_means(&name, "vectors"), store = scan_means(&name, "store");
    if ((vectors && j->seen_vectors) || (store && j->seen_store))
        return reader_break(r, err, "the document's member \"%s\" appears twice", vectors ? "vectors" : "store");
    if (!vectors && !store)
        return reader_break(r, err, "the document's member \"%.*s\" is neither \"store\" nor \"vectors\"",
                            name.length < 60 ? (int)name.length : 0, name.at);
    j->seen_vectors |= vectors, j->seen_store |= store;
    if ((rc = expect(j, ':', "behind a member's name", err)) != EVDB_OK) return rc;
    if (vectors) {
        j->place = RECORDS;
        j->first = true;
        return expect(j, '[', "to begin the records", err);
    }
    if ((rc = peek(j, &c, err)) != EVDB_OK) return rc;
    if (c != '{') return reader_break(r, err, "\"store\" must be an object");
    if ((rc = take_value(j, &text, &length, &too_long, err)) != EVDB_OK) return rc;
    s = (json_scan){ .at = text, .end = text + length };
    if (too_long || !scan_value(&s, JSON_DEPTH_MAX, &value) || s.at != s.end)
        return reader_break(r, err, "\"store\" is malformed");
    return EVDB_OK;
}

static evdb_status next_record(json_reader *j, bool *found, evdb_error *err)
{
    reader *r = &j->base;
    const char *text;
    size_t length;
    bool too_long;
    char c;
    evdb_status rc = peek(j, &c, err);
    if (rc != EVDB_OK) return rc;
    if (c == ']') {
        use(j, 1);
        j->place = j->bare ? DONE : MEMBERS;
        j->first = false;
        return EVDB_OK;
    }
    if (!j->first && (rc = expect(j, ',', "or ']' behind a record", err)) != EVDB_OK) return rc;
    j->first = false;
    if ((rc = peek(j, &c, err)) != EVDB_OK) return rc;
    if (!c || strchr("]},:", c)) return reader_break(r, err, c ? "expected a record" : "the document ends early");
    if ((rc = take_value(j, &text, &length, &too_long, err)) != EVDB_OK) return rc;
    if (too_long) return reader_bad(r, err, "the record is longer than %u bytes", EVDB_LINE_BYTES_MAX);
    *found = true;
    return json_record_parse(&j->record, r, text, length, err);
}

static evdb_status begin(json_reader *j, evdb_error *err)
{
    char c;
    evdb_status rc = peek(j, &c, err);
    if (rc != EVDB_OK) return rc;
    if (c != '{' && c != '[')
        return reader_break(&j->base, err,
                            "not a JSON document: expected an object with \"vectors\", or an array of records");
    use(j, 1);
    j->bare = c == '[';
    j->place = j->bare ? RECORDS : MEMBERS;
    return EVDB_OK;
}

static evdb_status next_in_document(reader *r, evdb_error *err)
{
    json_reader *j = (json_reader *)r;
    evdb_status rc = EVDB_OK;
    bool found = false;
    char c;
    while (rc == EVDB_OK && !found) {
        switch (j->place) {
        case START: rc = begin(j, err); break;
        case MEMBERS: rc = next_member(j, err); break;
        case RECORDS: rc = next_record(j, &found, err); break;
        case DONE:
            rc = peek(j, &c, err);
            if (rc == EVDB_OK && c) rc = reader_break(r, err, "text behind the document");
            r->ended = rc == EVDB_OK;
            return rc;
        }
    }
    return rc;
}

static void close_document(reader *r) { json_record_free(&((json_reader *)r)->record); }

const reader_type reader_json = { sizeof(json_reader), "line", open_document, next_in_document, close_document };
