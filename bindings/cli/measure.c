/* measure.c - `evdb compress bench` and `evdb advise`: figures of codecs, and a plot of what they lose against what they take. */
#include "import.h"
#include "interrupt.h"
#include "op/choices.h"
#include "plot.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define SAMPLE_STORE "vectors" /* where those of a file are kept meanwhile, in memory */

typedef struct bench_args {
    const char *file;
    uint32_t format;
} bench_args;

const op_field bench_fields[] = {
    OP_FIELD(bench_args, file, OP_STRING, 0, .position = 1, .doc = "File of vectors: npy, fvecs, bvecs, json or jsonl; or - for standard input."),
    OP_FIELD(bench_args, format, OP_CHOICE, 0, .choice = &choice_format, .doc = "Format; without it, by the file's extension."),
    OP_END
};

static const op bench_shape = { .name = "bench", .args = bench_fields, .args_size = sizeof(bench_args) };

/* Codecs that were measured, with the letters that they have in the plot. */
static size_t take_points(const json_t *results, const char *y, plot_point *points)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@";
    size_t i, count = 0;
    json_t *figures;
    json_array_foreach(results, i, figures) {
        json_t *value = json_object_get(figures, y), *bytes = json_object_get(figures, "bytes");
        if (!value || json_number_value(bytes) <= 0 || i >= sizeof letters - 1) continue;
        points[count++] = (plot_point){ json_number_value(bytes), json_number_value(value), letters[i] };
        printf("%s%c %s", count % 4 == 1 ? "\n" : "   ", letters[i], json_string_value(json_object_get(figures, "algorithm")));
    }
    if (count) putchar('\n');
    return count;
}

static bool show_plot(const json_t *reply)
{
    const json_t *results = json_object_get(reply, "results");
    const char *y = json_integer_value(json_object_get(reply, "queries")) ? "recall_at_10" : "accuracy_loss";
    plot_point *points = calloc(json_array_size(results) + 1, sizeof *points);
    if (!points) return false;
    size_t count = take_points(results, y, points);
    bool ok = !count || plot_print("bytes of a vector", y, points, count, terminal_width(stdout));
    free(points);
    return ok;
}

static op_exit show_figures(const cli *c, const json_t *reply)
{
    op_exit rc = show_reply(c, reply);
    if (rc != OP_EXIT_OK || show_plot(reply)) return rc;
    complain("out of memory drawing the plot");
    return OP_EXIT_FAILED;
}

/* One line a codec. */
static op_exit print_lines(const json_t *results)
{
    size_t i;
    json_t *figures;
    json_array_foreach(results, i, figures) {
        char *line = json_dumps(figures, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        if (!line) return OP_EXIT_FAILED;
        puts(line);
        free(line);
    }
    return OP_EXIT_OK;
}

static op_exit measure(cli *c)
{
    json_t *reply = NULL;
    op_exit rc = call_operation(c, c->op, c->args, &reply);
    if (rc == OP_EXIT_OK) rc = c->json ? print_lines(json_object_get(reply, "results")) : show_figures(c, reply);
    json_decref(reply);
    return rc;
}

/* Reads the file into a store of a database in memory, which knows all formats and checks what it reads. */
static op_exit load_file(cli *c, const bench_args *a)
{
    import_args how = { .file = a->file, .format = a->format, .batch = EVDB_BATCH_MAX };
    import_input in;
    evdb_store *store = NULL;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    evdb_import_report report;
    evdb_error err;
    options.metric = EVDB_EUCLIDEAN; /* under which a vector may be zero */
    c->directory = ":memory:";
    evdb_status opened = import_open(&in, &how, &err);
    op_exit rc = opened == EVDB_OK ? database_open(c, true) : complain_error(opened, &err);
    if (rc == OP_EXIT_OK && (opened = evdb_store_create(c->db, SAMPLE_STORE, &options, &store, &err)) != EVDB_OK)
        rc = complain_error(opened, &err);
    interrupt_note();
    if (rc == OP_EXIT_OK) rc = import_load(store, &how, &in, &report);
    interrupt_obey();
    evdb_store_close(store);
    import_close(&in);
    return rc;
}

static op_exit take_file(cli *c, const bench_args *a)
{
    static const char *const others[] = { "store", "vector", "vectors", NULL };
    for (const char *const *other = others; *other; other++)
        if (json_object_get(c->args, *other)) {
            complain("FILE and --%s exclude each other", *other);
            return OP_EXIT_USAGE;
        }
    op_exit rc = load_file(c, a);
    if (rc != OP_EXIT_OK) return rc;
    bool set = json_object_set_new(c->args, "store", json_string(SAMPLE_STORE)) == 0;
    if (set && !json_object_get(c->args, "metric")) set = json_object_set_new(c->args, "metric", json_string("cosine")) == 0;
    return set ? OP_EXIT_OK : OP_EXIT_FAILED;
}

op_exit run_bench(cli *c)
{
    bench_args a;
    op_exit rc = extra_bind(c, &bench_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    if (!a.file && !json_object_get(c->args, "store")) c->directory = ":memory:";
    rc = a.file ? take_file(c, &a) : database_open(c, false);
    op_unbind(&bench_shape, &a);
    return rc == OP_EXIT_OK ? measure(c) : rc;
}

op_exit run_advise(cli *c)
{
    json_t *reply = NULL;
    if (c->json) return run_operation(c);
    op_exit rc = database_open(c, false);
    if (rc == OP_EXIT_OK) rc = call_operation(c, c->op, c->args, &reply);
    if (rc == OP_EXIT_OK) rc = show_figures(c, reply);
    json_decref(reply);
    return rc;
}
