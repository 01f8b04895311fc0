/* import.c - `evdb import`: a file to a store, which is created when missing. */
#include "import.h"
#include "format.h"
#include "interrupt.h"
#include "origin.h"
#include "terminal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const op_field import_fields[] = {
    OP_FIELD(import_args, file, OP_STRING, OP_REQUIRED, .position = 2, .doc = "File to read, or - for standard input."),
    OP_FIELD(import_args, format, OP_CHOICE, 0, .choice = &choice_input, .doc = "Format; without it, by the file's extension."),
    OP_FIELD(import_args, companion, OP_STRING, 0, .doc = "With npy, fvecs and bvecs: JSONL file of ids and metadata, line by line."),
    OP_FIELD(import_args, table, OP_STRING, 0, .doc = "With sqlite-vec: table to read; without it, the only vec0 table."),
    OP_FIELD(import_args, collection, OP_STRING, 0, .doc = "With chroma: collection to read, by name or id; without it, the only one."),
    OP_FIELD(import_args, column, OP_STRING, 0, .doc = "With sqlite-vec: column of vectors; without it, the only one."),
    OP_FIELD(import_args, first_id, OP_INTEGER, 0, .min = INT64_MIN, .max = INT64_MAX,
             .doc = "With npy, fvecs and bvecs without a companion: id of the first vector."),
    OP_FIELD(import_args, batch, OP_INTEGER, 0, .def = 1000, .min = 1, .max = EVDB_BATCH_MAX, .doc = "Records in one commit."),
    OP_FIELD(import_args, upsert, OP_BOOL, 0, .doc = "Replace records whose id exists, rather than refuse the file."),
    OP_FIELD(import_args, keep_going, OP_BOOL, 0, .doc = "Leave out bad records and list them, rather than refuse the file."),
    OP_FIELD(import_args, resume, OP_BOOL, 0,
             .doc = "Go on with an import that was broken off: pass over records that are in the store already, just so."),
    OP_END
};

static const op import_shape = { .name = "import", .args = import_fields, .args_size = sizeof(import_args) };

/* One codec may be written in several ways; "none" is none. */
static bool same_codec(const json_t *asked, const json_t *is, const json_t *store)
{
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    const char *spec = json_string_value(asked);
    uint32_t dim = (uint32_t)json_integer_value(json_object_get(store, "dim"));
    if (!is) return strcmp(spec, "none") == 0;
    return evdb_codec_check(spec, dim, whole, NULL, NULL) == EVDB_OK && strcmp(whole, json_string_value(is)) == 0;
}

/* Options that speak of the store must agree with the one that is there. */
static op_exit check_agreement(const cli *c, const json_t *store)
{
    const char *key;
    json_t *asked;
    json_object_foreach(c->args, key, asked) {
        json_t *is = json_object_get(store, key);
        if (json_equal(asked, is) || (strcmp(key, "codec") == 0 && same_codec(asked, is, store))) continue;
        char *is_text = json_dumps(is, JSON_COMPACT | JSON_ENCODE_ANY), *asked_text = json_dumps(asked, JSON_COMPACT | JSON_ENCODE_ANY);
        complain("the store exists with %s %s, not %s", key, is_text ? is_text : "undecided", asked_text ? asked_text : "that");
        free(is_text);
        free(asked_text);
        return OP_EXIT_INVALID;
    }
    return OP_EXIT_OK;
}

/* Opens the store to import into; *created when it was missing and has been made. */
static op_exit find_store(cli *c, const char *name, import_input *in, evdb_store **store, bool *created)
{
    evdb_error err;
    json_t *reply = NULL, *args = NULL;
    evdb_status rc = evdb_store_open(c->db, name, store, &err);
    bool missing = rc == EVDB_NOT_FOUND;
    *created = false;
    if (rc != EVDB_OK && !missing) return complain_error(rc, &err);
    if (missing && in->format == EVDB_FORMAT_JSON && !origin_fill(&in->from, c->op, c->args)) return OP_EXIT_FAILED;
    if (missing && in->foreign && !origin_fill_foreign(&in->info, c->args)) return OP_EXIT_FAILED;
    if (!missing) args = json_pack("{s:s}", "store", name);
    op_exit failed = missing ? call_operation(c, c->op, c->args, &reply)
                             : call_operation(c, op_find("describe_store"), args, &reply);
    *created = missing && !failed;
    if (!failed && !missing) failed = check_agreement(c, reply);
    if (!failed && missing && (rc = evdb_store_open(c->db, name, store, &err)) != EVDB_OK) failed = complain_error(rc, &err);
    json_decref(args);
    json_decref(reply);
    return failed;
}

static void say_result(const char *name, const evdb_import_report *report)
{
    printf("imported %" PRIu64 " record%s into '%s'", report->written, report->written == 1 ? "" : "s", name);
    if (report->skipped) printf(", skipped %" PRIu64, report->skipped);
    if (report->present) printf(", %" PRIu64 " were there", report->present);
    putchar('\n');
}

static op_exit import_into(cli *c, const import_args *a, import_input *in)
{
    const char *name = json_string_value(json_object_get(c->args, "name"));
    evdb_store *store = NULL;
    evdb_import_report report = { 0 };
    bool created = false;
    op_exit rc = database_open(c, true);
    interrupt_note();
    if (rc == OP_EXIT_OK) rc = find_store(c, name, in, &store, &created);
    if (rc == OP_EXIT_OK) rc = import_load(store, a, in, &report);
    evdb_store_close(store);
    if (rc != OP_EXIT_OK && created && !report.written && evdb_store_drop(c->db, name, NULL) != EVDB_OK)
        complain("the empty store '%s' is left behind", name);
    if (rc != OP_EXIT_OK && report.written)
        complain("%" PRIu64 " records had been written before that: --resume goes on from there", report.written);
    if (rc != OP_EXIT_OK) interrupt_obey();
    if (rc != OP_EXIT_OK) return rc;
    if (!c->json) say_result(name, &report);
    else {
        printf("{\"written\":%" PRIu64 ",\"skipped\":%" PRIu64, report.written, report.skipped);
        if (a->resume) printf(",\"present\":%" PRIu64, report.present);
        puts("}");
    }
    return rc;
}

op_exit run_import(cli *c)
{
    import_args a;
    import_input in;
    evdb_error err;
    op_exit rc = extra_bind(c, &import_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    evdb_status opened = import_open(&in, &a, &err); /* files first: a wrong name creates nothing */
    rc = opened == EVDB_OK ? import_into(c, &a, &in) : complain_error(opened, &err);
    import_close(&in);
    op_unbind(&import_shape, &a);
    return rc;
}
