/* transfer.c - the streams: export_store writes a whole store as a file, import_store reads one. */
#include "op/choices.h"
#include "op/op_meter.h"
#include "op/ops.h"
#include "op/write_one.h"
#include <inttypes.h>

typedef struct export_args {
    const char *store;
    uint32_t format;
} export_args;

static const op_field export_fields[] = {
    OP_STORE(export_args),
    OP_FIELD(export_args, format, OP_CHOICE, 0, .def = EVDB_FORMAT_JSONL, .choice = &choice_format,
             .doc = "Format of the file; npy, fvecs and bvecs hold vectors only, in order of id."),
    OP_END
};

static const op_result export_reply[] = {
    OP_RESULT(exported, OP_INTEGER, 0, .doc = "Records written; the reply itself is the file."),
    OP_END
};

static const char *media_type(uint32_t format)
{
    return format == EVDB_FORMAT_JSONL ? "application/x-ndjson" : format == EVDB_FORMAT_JSON ? "application/json"
                                                                                             : "application/octet-stream";
}

static evdb_status export_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const export_args *a = args;
    evdb_store *store = NULL;
    evdb_export_options options = EVDB_EXPORT_OPTIONS;
    uint64_t count = 0;
    options.format = a->format;
    options.progress = call->progress;
    options.context = call->progress_context;
    call->verb = "exporting";
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK && call->progress) rc = evdb_store_count(store, &call->total, err);
    if (rc == EVDB_OK) rc = evdb_export(store, call->to, &options, &count, err);
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    call->file->type = media_type(a->format);
    snprintf(call->file->name, sizeof call->file->name, "%s.%s", a->store, choice_format.name(a->format));
    op_out_integer(reply, "exported", (int64_t)count);
    return EVDB_OK;
}

const op op_export_store = {
    .name = "export_store", .doc = "Send a whole store as a file.", .stream = OP_STREAM_OUT,
    .method = "GET", .path = "/api/v1/stores/{name}/export", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = export_fields, .args_size = sizeof(export_args), .reply = export_reply, .run = export_run,
};

typedef struct import_args {
    const char *store;
    uint32_t format;
    bool upsert, keep_going, resume;
    int64_t first_id;
} import_args;

static const op_field import_fields[] = {
    OP_STORE(import_args),
    OP_FIELD(import_args, format, OP_CHOICE, OP_REQUIRED, .choice = &choice_format, .doc = "Format of the bytes."),
    OP_FIELD(import_args, upsert, OP_BOOL, 0, .doc = "Replace records whose id exists, rather than refuse the file."),
    OP_FIELD(import_args, keep_going, OP_BOOL, 0, .doc = "Leave out bad records and list them, rather than refuse the file."),
    OP_FIELD(import_args, first_id, OP_INTEGER, 0, .min = INT64_MIN, .max = INT64_MAX,
             .doc = "With npy, fvecs and bvecs: id of the first vector; the others count up from it."),
    OP_FIELD(import_args, resume, OP_BOOL, 0,
             .doc = "Go on with an import that was broken off: pass over records that are in the store already, just so."),
    OP_END
};

static const op_result skipped_reply[] = {
    OP_RESULT(line, OP_INTEGER, 0, .doc = "Line of the file, or row, from 1."),
    OP_RESULT(message, OP_STRING, 0, .doc = "What is wrong with it."),
    OP_END
};

static const op_result import_reply[] = {
    OP_RESULT(written, OP_INTEGER, 0, .doc = "Records written."),
    OP_RESULT(skipped, OP_INTEGER, 0, .doc = "Bad records left out, with 'keep_going'."),
    OP_RESULT(present, OP_INTEGER, OP_OPTIONAL, .doc = "With 'resume': records that were there already."),
    OP_RESULT(problems, OP_LIST, 0, .of = skipped_reply, .doc = "The first of them."),
    OP_END
};

/* What is seen of an import while it runs. */
typedef struct watcher {
    op_out problems;
    size_t count;
    const op_call *call;
    uint64_t taken;      /* records that the caller's meter has let through */
    evdb_status refused; /* it has not */
    evdb_error why;
} watcher;

static void add_problem(void *context, uint64_t line, const evdb_error *why)
{
    watcher *w = context;
    if (w->count++ >= OP_PROBLEMS_MAX) return;
    op_out_open(&w->problems, NULL, '{');
    op_out_integer(&w->problems, "line", (int64_t)line);
    op_out_text(&w->problems, "message", why->message);
    op_out_close(&w->problems, '}');
}

/* The check sees all records before the first is written: so an import that is more than its caller may write writes nothing. */
static bool meter(watcher *w, uint64_t records)
{
    w->refused = op_meter_take(w->call, records - w->taken, &w->why);
    if (w->refused == EVDB_OK) w->taken = records;
    return w->refused == EVDB_OK;
}

static int watch(void *context, evdb_transfer_phase phase, uint64_t records)
{
    watcher *w = context;
    if (phase == EVDB_PHASE_CHECK && !meter(w, records)) return 1;
    return w->call->progress ? w->call->progress(w->call->progress_context, phase, records) : 0;
}

/* A file can say that anybody wrote its records. Of a caller who may do everything that is believed; of others it would be forged easily. */
static bool may_name_others(const op_call *call) { return !call->who || (call->who->scopes & EVDB_SCOPE_ADMIN); }

static evdb_status import_from(evdb_store *store, const import_args *a, const evdb_source *from, watcher *w,
                               evdb_import_report *report, evdb_error *err)
{
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    evdb_error why;
    options.format = a->format;
    options.kind = a->upsert ? EVDB_UPSERT : EVDB_INSERT;
    options.keep_going = a->keep_going;
    options.resume = a->resume;
    options.first_id = a->first_id;
    options.bad = add_problem;
    options.progress = watch;
    options.context = w;
    options.author = op_author(w->call);
    options.keep_authors = may_name_others(w->call);
    evdb_status rc = evdb_import(store, from, &options, report, &why);
    op_meter_return(w->call, w->taken - report->written);
    if (rc == EVDB_OK) return rc;
    if (w->refused != EVDB_OK) {
        if (err) *err = w->why;
        return w->refused;
    }
    if (report->written) op_fail(err, rc, "%s; %" PRIu64 " records had been written before that", why.message, report->written);
    else op_fail(err, rc, "%s", why.message);
    if (err) err->item = why.item;
    return rc;
}

static evdb_status import_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const import_args *a = args;
    evdb_store *store = NULL;
    evdb_import_report report = { 0 };
    watcher w = { .problems = OP_OUT, .call = call };
    op_out_open(&w.problems, NULL, '[');
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = import_from(store, a, call->from, &w, &report, err);
    op_out_close(&w.problems, ']');
    if (rc == EVDB_OK) rc = op_out_done(&w.problems, err);
    if (rc == EVDB_OK) {
        op_out_integer(reply, "written", (int64_t)report.written);
        op_out_integer(reply, "skipped", (int64_t)report.skipped);
        if (a->resume) op_out_integer(reply, "present", (int64_t)report.present);
        op_out_json(reply, "problems", w.problems.text, w.problems.size);
    }
    op_out_free(&w.problems);
    evdb_store_close(store);
    return rc;
}

const op op_import_store = {
    .name = "import_store", .doc = "Write all records of a file into a store.", .stream = OP_STREAM_IN,
    .method = "POST", .path = "/api/v1/stores/{name}/import", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = import_fields, .args_size = sizeof(import_args), .reply = import_reply, .run = import_run,
};
