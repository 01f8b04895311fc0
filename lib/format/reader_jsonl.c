/* reader_jsonl.c - JSON Lines: one record a line. Also companions, whose records have no vector. */
#include "format/json_record.h"
#include "format/reader.h"
#include <string.h>

typedef struct jsonl_reader {
    reader base;
    json_record record;
    uint64_t lines; /* finished */
} jsonl_reader;

static evdb_status open_lines(reader *r, evdb_error *err)
{
    (void)err;
    json_record_init(&((jsonl_reader *)r)->record, r->mem, r->type == &reader_jsonl);
    return EVDB_OK;
}

/* Finds the next line, without its newline. One above the limit is passed over and reported as *too_long. */
static evdb_status find_line(window *in, size_t *length, bool *too_long, evdb_error *err)
{
    size_t searched = 0;
    *too_long = false;
    for (;;) {
        const char *start = window_bytes(in), *newline = NULL;
        if (window_size(in) > searched) newline = memchr(start + searched, '\n', window_size(in) - searched);
        *length = newline ? (size_t)(newline - start) : window_size(in);
        *too_long |= *length > EVDB_LINE_BYTES_MAX;
        if (newline || in->ended) return EVDB_OK;
        if (*too_long) window_skip(in, *length); /* keep none of it */
        searched = window_size(in);
        evdb_status rc = window_more(in, err);
        if (rc != EVDB_OK) return rc;
    }
}

static bool blank(const char *line, size_t length)
{
    json_scan s = { .at = line, .end = line + length };
    scan_space(&s);
    return s.at == s.end;
}

static evdb_status next_line(reader *r, evdb_error *err)
{
    jsonl_reader *l = (jsonl_reader *)r;
    for (;;) {
        size_t length;
        bool too_long, end;
        evdb_status rc = window_at_end(&r->in, &end, err);
        if (rc != EVDB_OK) return rc;
        if (end) {
            r->ended = true;
            return EVDB_OK;
        }
        r->row.line = ++l->lines;
        rc = find_line(&r->in, &length, &too_long, err);
        if (rc != EVDB_OK) return rc;
        const char *line = window_bytes(&r->in);
        window_skip(&r->in, length < window_size(&r->in) ? length + 1 : length);
        if (too_long) return reader_bad(r, err, "the line is longer than %u bytes", EVDB_LINE_BYTES_MAX);
        if (!blank(line, length)) return json_record_parse(&l->record, r, line, length, err);
    }
}

static void close_lines(reader *r) { json_record_free(&((jsonl_reader *)r)->record); }

const reader_type reader_jsonl = { sizeof(jsonl_reader), "line", open_lines, next_line, close_lines };
const reader_type reader_companion = { sizeof(jsonl_reader), "companion line", open_lines, next_line, close_lines };
