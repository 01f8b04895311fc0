/* export.c - `evdb export`: a store to a file. */
#include "cli.h"
#include "file.h"
#include "format.h"
#include "interrupt.h"
#include "op/choices.h"
#include "progress.h"
#include "terminal.h"
#include <inttypes.h>
#include <string.h>

typedef struct export_args {
    const char *store, *file, *companion;
    uint32_t format;
} export_args;

const op_field export_fields[] = {
    OP_STORE(export_args),
    OP_FIELD(export_args, file, OP_STRING, OP_REQUIRED, .position = 2, .doc = "File to write, or - for standard output."),
    OP_FIELD(export_args, format, OP_CHOICE, 0, .choice = &choice_format, .doc = "Format; without it, by the file's extension."),
    OP_FIELD(export_args, companion, OP_STRING, 0,
             .doc = "With npy, fvecs and bvecs, which hold vectors only: JSONL file for ids and metadata."),
    OP_END
};

static const op export_shape = { .name = "export", .args = export_fields, .args_size = sizeof(export_args) };

typedef struct drawn { progress bar; uint64_t total; } drawn;

static int draw(void *context, evdb_transfer_phase phase, uint64_t records)
{
    drawn *d = context;
    (void)phase;
    progress_show(&d->bar, "exporting", records, records, d->total);
    return interrupt_noted();
}

/* Writes to sinks that are open already; the companion is committed first, so that a main file has one. */
static evdb_status write_files(evdb_store *store, const evdb_export_options *chosen, sink *target, sink *companion,
                               uint64_t *count, evdb_error *err)
{
    evdb_export_options options = *chosen;
    evdb_sink to = sink_writer(target), beside = sink_writer(companion);
    drawn d = { .bar = progress_begin() };
    options.companion = companion->file ? &beside : NULL;
    options.progress = draw;
    options.context = &d;
    evdb_status rc = evdb_store_count(store, &d.total, err);
    if (rc == EVDB_OK) rc = evdb_export(store, &to, &options, count, err);
    if (rc == EVDB_OK && companion->file) rc = sink_commit(companion, err);
    if (rc == EVDB_OK) rc = sink_commit(target, err);
    progress_clear(&d.bar);
    return rc;
}

static op_exit export_to(cli *c, const export_args *a)
{
    evdb_store *store = NULL;
    sink target = { 0 }, companion = { 0 };
    evdb_export_options options = EVDB_EXPORT_OPTIONS;
    uint64_t count = 0;
    evdb_error err;
    evdb_status rc = format_of(a->format, a->file, &options.format, &err);
    if (rc == EVDB_OK) rc = evdb_store_open(c->db, a->store, &store, &err);
    interrupt_note();
    if (rc == EVDB_OK) rc = sink_open(&target, a->file, &err);
    if (rc == EVDB_OK && a->companion) rc = sink_open(&companion, a->companion, &err);
    if (rc == EVDB_OK && sink_same(&target, &companion))
        rc = op_fail(&err, EVDB_INVALID, "'%s' cannot be its own companion", target.name);
    if (rc == EVDB_OK) rc = write_files(store, &options, &target, &companion, &count, &err);
    sink_close(&companion);
    sink_close(&target);
    evdb_store_close(store);
    if (rc != EVDB_OK) interrupt_obey();
    if (rc != EVDB_OK) return complain_error(rc, &err);
    if (strcmp(a->file, "-") == 0) return OP_EXIT_OK; /* standard output carries the records */
    if (c->json) printf("{\"exported\":%" PRIu64 "}\n", count);
    else printf("exported %" PRIu64 " record%s of '%s'\n", count, count == 1 ? "" : "s", a->store);
    return OP_EXIT_OK;
}

op_exit run_export(cli *c)
{
    export_args a;
    op_exit rc = extra_bind(c, &export_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    rc = database_open(c, false);
    if (rc == OP_EXIT_OK) rc = export_to(c, &a);
    op_unbind(&export_shape, &a);
    return rc;
}
