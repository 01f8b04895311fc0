/* feed.c - implements format/feed.h. */
#include "format/feed.h"
#include "base/error.h"

static bool carries_ids(evdb_format format) { return format == EVDB_FORMAT_JSON || format == EVDB_FORMAT_JSONL; }

evdb_status feed_open(feed *f, const evdb_allocator *mem, evdb_format format, const evdb_source *source,
                      const evdb_source *companion, int64_t first_id, evdb_error *err)
{
    const reader_type *type = reader_type_of(format);
    feed made = { .first_id = first_id, .counted = !carries_ids(format) && !companion };
    if (!type) return error_set(err, EVDB_INVALID, "format %d is unknown", (int)format);
    if (companion && carries_ids(format))
        return error_set(err, EVDB_INVALID, "JSON records carry their ids: a companion belongs to npy, fvecs and bvecs");
    evdb_status rc = reader_open(type, mem, source, &made.rows, err);
    if (rc == EVDB_OK && companion) rc = reader_open(&reader_companion, mem, companion, &made.companion, err);
    if (rc != EVDB_OK) feed_close(&made);
    else *f = made;
    return rc;
}

void feed_of(feed *f, reader *rows) { *f = (feed){ .rows = rows }; }

void feed_close(feed *f)
{
    reader_close(f->rows);
    reader_close(f->companion);
    f->rows = f->companion = NULL;
}

static evdb_status count_up(feed *f, evdb_error *err)
{
    /* rows are 1-based */
    if (f->row.line - 1 > INT64_MAX ||
        __builtin_add_overflow(f->first_id, (int64_t)(f->row.line - 1), &f->row.id.number))
        return reader_break(f->rows, err, "its id, counted from %lld, does not fit an int64", (long long)f->first_id);
    return EVDB_OK;
}

/* Takes id and metadata from the companion's next record. It is asked also when the row is bad, to stay in step. */
static evdb_status pair(feed *f, evdb_status row_rc, const reader_row *row, evdb_error *err)
{
    const reader_row *names = NULL;
    evdb_status rc = reader_next(f->companion, &names, row_rc == EVDB_OK ? err : NULL);
    uint64_t line = f->rows->row.line;
    if (row_rc != EVDB_OK) return row_rc;
    if (rc != EVDB_OK) {
        if (err && !f->companion->broken) err->item = line; /* the message names the companion's line */
        return rc;
    }
    if (!names && row) return reader_break(f->rows, err, "the companion has no record for it: it ends before");
    if (names && !row)
        return reader_break(f->companion, err, "there is no row for it: the vectors end at row %llu",
                            (unsigned long long)line);
    if (!row) return EVDB_OK;
    f->row.id = names->id;
    f->row.metadata = names->metadata;
    f->row.metadata_length = names->metadata_length;
    f->row.expires_ms = names->expires_ms;
    f->row.author = names->author;
    f->row.written_ms = names->written_ms;
    return EVDB_OK;
}

evdb_status feed_next(feed *f, const reader_row **out, evdb_error *err)
{
    const reader_row *row = NULL;
    evdb_status rc = reader_next(f->rows, &row, err);
    if (rc != EVDB_OK && f->rows->broken) return rc;
    if (row) f->row = *row;
    if (f->companion) rc = pair(f, rc, row, err);
    else if (row && f->counted) rc = count_up(f, err);
    if (rc == EVDB_OK) *out = row ? &f->row : NULL;
    return rc;
}

bool feed_broken(const feed *f) { return f->rows->broken || (f->companion && f->companion->broken); }
uint64_t feed_line(const feed *f) { return f->rows->row.line; }
const char *feed_unit(const feed *f) { return f->rows->type->unit; }
