/* import_input.c - implements import.h: opening what is imported, and reading it into a store. */
#include "format.h"
#include "import.h"
#include "interrupt.h"
#include "progress.h"
#include "op/op_audit.h"
#include "terminal.h"

static evdb_status open_foreign(import_input *in, evdb_foreign_kind kind, const import_args *a, evdb_error *err)
{
    evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
    options.kind = kind;
    options.name = kind == EVDB_FOREIGN_CHROMA ? a->collection : a->table;
    options.column = a->column;
    in->info = (evdb_foreign_info)EVDB_FOREIGN_INFO;
    if (a->companion) return op_fail(err, EVDB_INVALID, "%s carries ids itself: it has no companion", evdb_foreign_kind_name(kind));
    if (kind == EVDB_FOREIGN_CHROMA ? a->table != NULL : a->collection != NULL)
        return op_fail(err, EVDB_INVALID, "%s has %s", evdb_foreign_kind_name(kind), a->table ? "collections, no tables" : "tables, no collections");
    evdb_status rc = evdb_open(":memory:", NULL, &in->scratch, err);
    if (rc == EVDB_OK) rc = evdb_foreign_open(in->scratch, a->file, &options, &in->foreign, err);
    return rc == EVDB_OK ? evdb_foreign_describe(in->foreign, &in->info, err) : rc;
}

evdb_status import_open(import_input *in, const import_args *a, evdb_error *err)
{
    uint32_t format = 0;
    *in = (import_input){ 0 };
    evdb_status rc = format_of_input(a->format, a->file, &format, err);
    if (rc != EVDB_OK) return rc;
    if (format > FORMAT_FOREIGN) return open_foreign(in, (evdb_foreign_kind)(format - FORMAT_FOREIGN), a, err);
    if (a->table || a->collection || a->column) return op_fail(err, EVDB_INVALID, "%s has no tables to choose from", evdb_format_name((evdb_format)format));
    in->format = (evdb_format)format;
    rc = source_open(&in->from, a->file, err);
    return rc == EVDB_OK && a->companion ? source_open(&in->beside, a->companion, err) : rc;
}

void import_close(import_input *in)
{
    source_close(&in->from);
    source_close(&in->beside);
    evdb_foreign_close(in->foreign);
    evdb_close(in->scratch);
}

typedef struct drawn { progress bar; const import_input *in; } drawn;

static int draw(void *context, evdb_transfer_phase phase, uint64_t records)
{
    drawn *d = context;
    const char *verb = phase == EVDB_PHASE_CHECK ? "checking" : "writing";
    if (d->in->foreign) progress_show(&d->bar, verb, records, records, d->in->info.records);
    else progress_show(&d->bar, verb, records, d->in->from.at, d->in->from.size);
    return interrupt_noted();
}

static void report_bad(void *context, uint64_t line, const evdb_error *why)
{
    drawn *d = context;
    (void)line; /* the message names it */
    progress_clear(&d->bar);
    complain("skipped %s", why->message);
}

op_exit import_load(evdb_store *store, const import_args *a, import_input *in, evdb_import_report *report)
{
    drawn d = { .bar = progress_begin(), .in = in };
    evdb_source reader = source_reader(&in->from), companion = source_reader(&in->beside);
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    char user[OP_AUDIT_USER_BYTES];
    evdb_error err;
    options.format = in->format;
    options.kind = a->upsert ? EVDB_UPSERT : EVDB_INSERT;
    options.keep_going = a->keep_going;
    options.resume = a->resume;
    options.batch = (uint32_t)a->batch;
    options.first_id = a->first_id;
    options.companion = in->beside.file ? &companion : NULL;
    options.progress = draw;
    options.bad = report_bad;
    options.context = &d;
    options.author = op_audit_self(user);
    options.keep_authors = 1;
    evdb_status rc = in->foreign ? evdb_foreign_import(store, in->foreign, &options, report, &err)
                                 : evdb_import(store, &reader, &options, report, &err);
    progress_clear(&d.bar);
    return rc == EVDB_OK ? OP_EXIT_OK : complain_error(rc, &err);
}
