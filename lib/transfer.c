/* transfer.c - implements evdb/transfer.h.
 *
 * An import goes over its input twice: the first pass judges every record as the store would, without writing; the second
 * writes. Both walk the same feed with the same checks, so what the first pass let through the second meets again. */
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "format/feed.h"
#include "foreign/source.h"
#include "format/writer.h"
#include "store_private.h"
#include "transfer_batch.h"
#include "transfer_check.h"
#include <evdb/cursor.h>
#include <evdb/transfer.h>
#include <string.h>

enum { PROGRESS_EVERY = 1000, BATCH_DEFAULT = 1000 };

static const struct name {
    const char *text;
    evdb_format format;
} names[] = {
    /* the first of a format is its own */
    { "json", EVDB_FORMAT_JSON }, { "jsonl", EVDB_FORMAT_JSONL }, { "ndjson", EVDB_FORMAT_JSONL },
    { "npy", EVDB_FORMAT_NPY },   { "fvecs", EVDB_FORMAT_FVECS }, { "bvecs", EVDB_FORMAT_BVECS },
};
enum { NAMES = sizeof(names) / sizeof(*names) };

const char *evdb_format_name(evdb_format format)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].format == format) return names[i].text;
    return NULL;
}

evdb_status evdb_format_parse(const char *name, evdb_format *out, evdb_error *err)
{
    if (!name) return error_set(err, EVDB_INVALID, "the format's name is NULL");
    for (size_t i = 0; i < NAMES; i++)
        if (strcmp(names[i].text, name) == 0) {
            *out = names[i].format;
            return EVDB_OK;
        }
    return error_set(err, EVDB_INVALID, "format '%.40s' is not json, jsonl (or ndjson), npy, fvecs or bvecs", name);
}

/* ---- import ---- */

typedef struct import {
    evdb_store *store;
    const evdb_source *source; /* or */
    evdb_foreign *foreign;
    evdb_import_options options;
    evdb_store_info *info;
    transfer_check check;
    transfer_batch batch;
    evdb_transfer_phase phase;
    uint64_t records[EVDB_PHASE_WRITE + 1]; /* seen in each phase, bad ones included */
    uint64_t found_bad;                     /* by the check */
    uint64_t present;                       /* to resume: the last record that the check found to be there */
    evdb_import_report report;
} import;

static evdb_status tick(const import *im, evdb_error *err)
{
    uint64_t records = im->records[im->phase];
    if (!im->options.progress || im->options.progress(im->options.context, im->phase, records) == 0) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "the import was cancelled after %llu records were %s",
                     (unsigned long long)records, im->phase == EVDB_PHASE_CHECK ? "checked" : "read for writing");
}

/* A record that was good in the first pass and is refused by the store. */
static void skip_late(void *context, uint64_t line, const evdb_error *why)
{
    import *im = context;
    im->report.skipped++;
    if (im->options.bad) im->options.bad(im->options.context, line, why);
}

static evdb_status flush(import *im, evdb_error *err)
{
    size_t written = 0;
    evdb_status rc = transfer_batch_write(&im->batch, im->store, &written, skip_late, im, err);
    im->report.written += written;
    return rc;
}

/* One record, which the feed has found well-formed (rc) or not. err is not NULL. */
static evdb_status take(import *im, feed *f, const reader_row *row, evdb_status rc, evdb_error *err)
{
    bool fatal = rc != EVDB_OK && feed_broken(f);
    uint64_t number = im->records[im->phase] + 1;
    im->check.resume = im->options.resume && (im->phase == EVDB_PHASE_CHECK || number <= im->present);
    if (rc == EVDB_OK) rc = transfer_check_row(&im->check, row, feed_unit(f), &fatal, err);
    if (rc != EVDB_OK && (fatal || !im->options.keep_going)) return rc;
    if (rc != EVDB_OK) {
        if (im->phase == EVDB_PHASE_CHECK) {
            im->found_bad++;
            if (im->options.bad) im->options.bad(im->options.context, feed_line(f), err);
        } else {
            im->report.skipped++; /* said in the first pass */
        }
    } else if (im->check.present) {
        if (im->phase == EVDB_PHASE_CHECK) im->present = number;
        else im->report.present++;
    } else if (im->phase == EVDB_PHASE_WRITE) {
        rc = transfer_batch_add(&im->batch, row, &im->check.id, err);
        if (rc == EVDB_OK && transfer_batch_full(&im->batch)) rc = flush(im, err);
        if (rc != EVDB_OK) return rc;
    }
    im->records[im->phase] = number;
    return number % PROGRESS_EVERY == 0 ? tick(im, err) : EVDB_OK;
}

static evdb_status open_feed(const import *im, feed *f, evdb_error *err)
{
    const evdb_import_options *o = &im->options;
    reader *rows = NULL;
    if (!im->foreign)
        return feed_open(f, &store_platform(im->store)->mem, o->format, im->source, o->companion, o->first_id, err);
    evdb_status rc = source_reader(im->foreign, &rows, err);
    if (rc == EVDB_OK) feed_of(f, rows);
    return rc;
}

static evdb_status pass(import *im, evdb_transfer_phase phase, bool thorough, evdb_error *err)
{
    feed f = { 0 };
    evdb_error why = { .item = EVDB_NO_ITEM };
    evdb_status rc;
    im->phase = phase;
    TRY(open_feed(im, &f, err));
    TRY(transfer_check_begin(&im->check, im->store, im->info, im->options.kind, thorough, !f.counted, err));
    for (;;) {
        const reader_row *row = NULL;
        rc = feed_next(&f, &row, &why);
        if (rc == EVDB_OK && !row) break;
        rc = take(im, &f, row, rc, &why);
        if (rc != EVDB_OK) {
            if (err) *err = why;
            goto out;
        }
    }
    if (phase == EVDB_PHASE_WRITE) TRY(flush(im, err));
    TRY(tick(im, err));
out:
    transfer_check_end(&im->check);
    feed_close(&f);
    return rc;
}

static evdb_status rewind_source(const evdb_source *source, evdb_error *err)
{
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the input cannot be read a second time" };
    evdb_status rc = source ? source->rewind(source->context, &why) : EVDB_OK;
    why.status = rc;
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

static evdb_status import_options(const evdb_import_options *given, bool foreign, evdb_import_options *out, evdb_error *err)
{
    *out = (evdb_import_options)EVDB_IMPORT_OPTIONS;
    evdb_status rc = options_import(out, sizeof(*out), given, "evdb_import_options", err);
    if (rc != EVDB_OK) return rc;
    if (foreign && (out->format || out->companion))
        return error_set(err, EVDB_INVALID, "import: a foreign source has no %s", out->format ? "format to choose" : "companion");
    if (!foreign && !evdb_format_name(out->format)) return error_set(err, EVDB_INVALID, "import: the format is not set");
    if (!out->kind) out->kind = EVDB_INSERT;
    if (out->kind != EVDB_INSERT && out->kind != EVDB_UPSERT)
        return error_set(err, EVDB_INVALID, "import: kind %d is neither insert nor upsert", (int)out->kind);
    if (!out->batch) out->batch = BATCH_DEFAULT;
    if (out->batch > EVDB_BATCH_MAX)
        return error_set(err, EVDB_INVALID, "import: batch %u is not in 1..%u", out->batch, EVDB_BATCH_MAX);
    return EVDB_OK;
}

/* im has the store and where records come from. */
static evdb_status run_import(import *im, evdb_import_report *report, evdb_error *err)
{
    evdb_status rc;
    TRY(evdb_store_describe(im->store, &im->info, err));
    transfer_batch_init(&im->batch, &store_platform(im->store)->mem, im->options.kind, im->options.batch,
                        im->options.keep_going != 0);
    im->batch.author = im->options.author;
    im->batch.keep_authors = im->options.keep_authors != 0;
    TRY(pass(im, EVDB_PHASE_CHECK, true, err));
    TRY(rewind_source(im->source, err));
    TRY(rewind_source(im->options.companion, err));
    /* when every record was good there is nothing to find again: the batches refuse what changed meanwhile */
    TRY(pass(im, EVDB_PHASE_WRITE, im->found_bad != 0, err));
    if (im->records[EVDB_PHASE_WRITE] != im->records[EVDB_PHASE_CHECK])
        TRY(error_set(err, EVDB_BUSY, "the input changed during the import: %llu records were checked, then %llu read",
                      (unsigned long long)im->records[EVDB_PHASE_CHECK],
                      (unsigned long long)im->records[EVDB_PHASE_WRITE]));
out:
    if (report && (rc == EVDB_OK || im->report.written)) *report = im->report;
    transfer_batch_free(&im->batch);
    evdb_store_info_free(im->info);
    return rc;
}

evdb_status evdb_import(evdb_store *store, const evdb_source *source, const evdb_import_options *options,
                        evdb_import_report *report, evdb_error *err)
{
    import im = { .store = store, .source = source };
    evdb_status rc = import_options(options, false, &im.options, err);
    if (rc != EVDB_OK) return rc;
    if (!store || !source) return error_set(err, EVDB_INVALID, "import: %s is NULL", store ? "source" : "store");
    return run_import(&im, report, err);
}

evdb_status evdb_foreign_import(evdb_store *store, evdb_foreign *from, const evdb_import_options *options,
                                evdb_import_report *report, evdb_error *err)
{
    import im = { .store = store, .foreign = from };
    evdb_status rc = import_options(options, true, &im.options, err);
    if (rc != EVDB_OK) return rc;
    if (!store || !from) return error_set(err, EVDB_INVALID, "import: %s is NULL", store ? "source" : "store");
    return run_import(&im, report, err);
}

/* ---- export ---- */

static evdb_status export_options(const evdb_export_options *given, evdb_export_options *out, evdb_error *err)
{
    *out = (evdb_export_options)EVDB_EXPORT_OPTIONS;
    evdb_status rc = options_import(out, sizeof(*out), given, "evdb_export_options", err);
    if (rc != EVDB_OK) return rc;
    if (!evdb_format_name(out->format)) return error_set(err, EVDB_INVALID, "export: the format is not set");
    if (out->companion && (out->format == EVDB_FORMAT_JSON || out->format == EVDB_FORMAT_JSONL))
        return error_set(err, EVDB_INVALID, "export: %s carries ids itself: a companion belongs to npy, fvecs and bvecs",
                         evdb_format_name(out->format));
    return EVDB_OK;
}

static evdb_status export_records(evdb_cursor *cursor, writer *rows, writer *companion, const evdb_export_options *o,
                                  evdb_error *err)
{
    for (;;) {
        const evdb_record *record;
        evdb_status rc = evdb_cursor_next(cursor, &record, err);
        if (rc == EVDB_OK && !record) break;
        if (rc == EVDB_OK) rc = writer_row(rows, record, err);
        if (rc == EVDB_OK && companion) rc = writer_row(companion, record, err);
        if (rc != EVDB_OK) return rc;
        if (rows->written % PROGRESS_EVERY == 0 && o->progress &&
            o->progress(o->context, EVDB_PHASE_WRITE, rows->written))
            return error_set(err, EVDB_CANCELLED, "the export was cancelled after %llu records",
                             (unsigned long long)rows->written);
    }
    evdb_status rc = writer_finish(rows, err);
    return rc == EVDB_OK && companion ? writer_finish(companion, err) : rc;
}

evdb_status evdb_export(evdb_store *store, const evdb_sink *sink, const evdb_export_options *options, uint64_t *count,
                        evdb_error *err)
{
    evdb_export_options o;
    evdb_store_info *info = NULL;
    evdb_cursor *cursor = NULL;
    writer rows = { 0 }, companion = { 0 };
    uint64_t expected;
    evdb_status rc = export_options(options, &o, err);
    if (rc != EVDB_OK) return rc;
    if (!store || !sink) return error_set(err, EVDB_INVALID, "export: %s is NULL", store ? "sink" : "store");
    const evdb_allocator *mem = &store_platform(store)->mem;
    TRY(evdb_store_describe(store, &info, err));
    TRY(evdb_store_count(store, &expected, err));
    TRY(evdb_cursor_open(store, NULL, &cursor, err));
    TRY(writer_open(&rows, writer_type_of(o.format), mem, sink, info, expected, err));
    if (o.companion) TRY(writer_open(&companion, &writer_companion, mem, o.companion, info, expected, err));
    TRY(export_records(cursor, &rows, o.companion ? &companion : NULL, &o, err));
    if (o.progress) o.progress(o.context, EVDB_PHASE_WRITE, rows.written);
    if (count) *count = rows.written;
out:
    writer_close(&companion);
    writer_close(&rows);
    evdb_cursor_close(cursor);
    evdb_store_info_free(info);
    return rc;
}
