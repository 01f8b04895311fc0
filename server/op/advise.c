/* advise.c - operations that measure codecs: benchmark_compression, advise_compression. */
#include "op/choices.h"
#include "op/ops.h"

#define SAMPLE_DEFAULT 2000 /* vectors: a request is answered in seconds, and the figures are good to a per cent or two */

static const op_result figures_reply[] = {
    OP_RESULT(algorithm, OP_STRING, 0, .doc = "The codec as it was asked for."),
    OP_RESULT(codec, OP_STRING, 0, .doc = "The whole of it, with its parameters; empty where it does not suit these vectors."),
    OP_RESULT(compression_ratio, OP_NUMBER, OP_OPTIONAL, .doc = "4 bytes an element, divided by the bytes of a vector."),
    OP_RESULT(compression_time, OP_NUMBER, OP_OPTIONAL, .doc = "Microseconds of processor time to encode a vector."),
    OP_RESULT(decompression_time, OP_NUMBER, OP_OPTIONAL, .doc = "Microseconds of processor time to decode one."),
    OP_RESULT(accuracy_loss, OP_NUMBER, OP_OPTIONAL, .doc = "Mean of |x - x'| / |x|: 0 = nothing is lost."),
    OP_RESULT(recall_at_10, OP_NUMBER, OP_OPTIONAL, .doc = "Share of the 10 nearest that distances on codes find; left out for fewer than 11 vectors."),
    OP_RESULT(bytes, OP_NUMBER, OP_OPTIONAL, .doc = "Bytes of a vector, on average."),
    OP_RESULT(trained_bytes, OP_INTEGER, OP_OPTIONAL, .doc = "Bytes of what all vectors share."),
    OP_RESULT(training_time, OP_NUMBER, OP_OPTIONAL, .doc = "Seconds of processor time to train the codec."),
    OP_RESULT(error, OP_STRING, OP_OPTIONAL, .doc = "Why there are no figures."),
    OP_END
};

static void put_measures(op_out *o, const evdb_codec_figures *f)
{
    op_out_float(o, "compression_ratio", (float)f->compression_ratio);
    op_out_float(o, "compression_time", (float)f->compression_time);
    op_out_float(o, "decompression_time", (float)f->decompression_time);
    op_out_float(o, "accuracy_loss", (float)f->accuracy_loss);
    if (f->recall_at_10 >= 0) op_out_float(o, "recall_at_10", (float)f->recall_at_10);
    op_out_float(o, "bytes", (float)f->bytes);
    op_out_integer(o, "trained_bytes", (int64_t)f->trained_bytes);
    op_out_float(o, "training_time", (float)f->training_time);
}

static void put_figures(op_out *o, const evdb_codec_figures *f)
{
    op_out_open(o, NULL, '{');
    op_out_text(o, "algorithm", f->asked);
    op_out_text(o, "codec", f->codec);
    if (f->status == EVDB_OK) put_measures(o, f);
    else op_out_text(o, "error", f->message);
    op_out_close(o, '}');
}

static void put_report(op_out *o, const evdb_codec_report *r)
{
    op_out_integer(o, "vectors", (int64_t)r->vectors);
    op_out_integer(o, "queries", r->queries);
    op_out_integer(o, "dim", r->dim);
    op_out_text(o, "metric", evdb_metric_name(r->metric));
    op_out_open(o, "results", '[');
    for (uint32_t i = 0; i < r->count; i++) put_figures(o, &r->codecs[i]);
    op_out_close(o, ']');
}

#define REPORT_RESULTS                                                                                                      \
    OP_RESULT(vectors, OP_INTEGER, 0, .doc = "Vectors that were looked at."),                                                \
    OP_RESULT(queries, OP_INTEGER, 0, .doc = "Of these, those that were searched for among the others."),                    \
    OP_RESULT(dim, OP_INTEGER, 0, .doc = "Elements in a vector."),                                                           \
    OP_RESULT(metric, OP_CHOICE, 0, .choice = &choice_metric, .doc = "How distance was measured."),                          \
    OP_RESULT(results, OP_LIST, 0, .of = figures_reply, .doc = "The codecs, in the order asked for.")

typedef struct benchmark_args {
    op_vector vector;
    op_vectors vectors;
    const char *store;
    op_strings algorithms;
    uint32_t metric;
    int64_t dim, sample, seed;
} benchmark_args;

static const op_field benchmark_fields[] = {
    OP_FIELD(benchmark_args, store, OP_STRING, 0, .doc = "A store: a sample of its vectors is measured."),
    OP_FIELD(benchmark_args, vector, OP_VECTOR, 0, .min = 1, .max = EVDB_DIM_MAX, .doc = "Or one vector."),
    OP_FIELD(benchmark_args, vectors, OP_VECTORS, OP_BODY, .min = 1, .max = EVDB_BATCH_MAX,
             .doc = "Or many: arrays of numbers, or base64 of packed little-endian float32."),
    OP_FIELD(benchmark_args, dim, OP_INTEGER, 0, .max = EVDB_DIM_MAX, .doc = "Elements in a packed vector."),
    OP_FIELD(benchmark_args, algorithms, OP_STRINGS, OP_SEMICOLONS, .alias = "codecs", .flag = "codec", .max = EVDB_MEASURED_CODECS_MAX,
             .doc = "Codecs to measure; without them the historic six and every kind there is."),
    OP_FIELD(benchmark_args, metric, OP_CHOICE, 0, .choice = &choice_metric,
             .doc = "How distance is measured; without it as the store does, else cosine."),
    OP_FIELD(benchmark_args, sample, OP_INTEGER, 0, .def = SAMPLE_DEFAULT, .min = 1, .max = EVDB_MEASURED_VECTORS_MAX,
             .doc = "Vectors to look at, at most."),
    OP_FIELD(benchmark_args, seed, OP_INTEGER, 0, .max = INT64_MAX, .doc = "Of chance: which vectors are searched for, how codecs are trained."),
    OP_END
};

static const op_result benchmark_reply[] = { REPORT_RESULTS, OP_END };

/* Vectors to measure on, from one of three places. */
typedef struct vectors_found {
    const float *at;
    size_t count;
    uint32_t dim;
    evdb_metric metric; /* of the store they are from, or 0 */
    op_rows rows;
    float *own;
} vectors_found;

static void vectors_free(vectors_found *f)
{
    op_rows_free(&f->rows);
    evdb_bytes_free(f->own);
}

static evdb_status of_store(op_call *call, const benchmark_args *a, vectors_found *out, evdb_error *err)
{
    evdb_store *store = NULL;
    evdb_store_info *info = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_describe(store, &info, err);
    if (rc == EVDB_OK) rc = evdb_store_sample(store, (uint32_t)a->sample, &out->own, &out->count, err);
    if (rc == EVDB_OK && !out->count) rc = op_fail(err, EVDB_INVALID, "store '%s' has no vectors to measure codecs on", a->store);
    if (rc == EVDB_OK) {
        out->at = out->own;
        out->dim = info->dim;
        out->metric = info->metric;
    }
    evdb_store_info_free(info);
    evdb_store_close(store);
    return rc;
}

static evdb_status of_vectors(const benchmark_args *a, vectors_found *out, evdb_error *err)
{
    if (a->vectors.packed && !a->dim) return op_fail(err, EVDB_INVALID, "'dim' must say how many elements a packed vector has");
    evdb_status rc = op_rows_of(&a->vectors, "vectors", (size_t)a->dim, EVDB_BATCH_MAX, false, &out->rows, err);
    out->at = out->rows.at;
    out->count = out->rows.count;
    out->dim = (uint32_t)out->rows.dim;
    return rc;
}

static evdb_status find_vectors(op_call *call, const benchmark_args *a, vectors_found *out, evdb_error *err)
{
    bool many = a->vectors.at || a->vectors.packed;
    if ((a->store != NULL) + (a->vector.at != NULL) + many != 1)
        return op_fail(err, EVDB_INVALID, "give one of 'store', 'vector' and 'vectors'");
    if (a->store) return of_store(call, a, out, err);
    if (many) return of_vectors(a, out, err);
    *out = (vectors_found){ .at = a->vector.at, .count = 1, .dim = (uint32_t)a->vector.count };
    return EVDB_OK;
}

static int watch(void *context, uint32_t done, uint32_t all)
{
    op_call *call = context;
    call->total = all;
    return call->progress(call->progress_context, EVDB_PHASE_WRITE, done);
}

static evdb_status benchmark(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const benchmark_args *a = args;
    vectors_found found = { 0 };
    evdb_codec_report *report = NULL;
    evdb_benchmark_options options = EVDB_BENCHMARK_OPTIONS;
    evdb_status rc = find_vectors(call, a, &found, err);
    options.vectors = found.at;
    options.count = found.count;
    options.dim = found.dim;
    options.metric = a->metric ? a->metric : found.metric;
    options.sample = (uint32_t)a->sample;
    options.codecs = a->algorithms.at;
    options.codec_count = (uint32_t)a->algorithms.count;
    options.seed = (uint64_t)a->seed;
    options.progress = call->progress ? watch : NULL;
    options.context = call;
    call->verb = "measuring";
    call->counted = "codecs";
    if (rc == EVDB_OK) rc = evdb_codec_benchmark(&options, &report, err);
    if (rc == EVDB_OK) put_report(reply, report);
    evdb_codec_report_free(report);
    vectors_free(&found);
    return rc;
}

const op op_benchmark_compression = {
    .name = "benchmark_compression", .doc = "Measure what codecs save, cost and lose on vectors.",
    .method = "POST", .path = "/api/v1/compression/benchmark", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = benchmark_fields, .args_size = sizeof(benchmark_args), .reply = benchmark_reply, .run = benchmark,
};

typedef struct advise_args {
    const char *store;
    op_number recall;
    op_strings algorithms;
    int64_t sample, seed;
} advise_args;

static const op_field advise_fields[] = {
    OP_STORE(advise_args),
    OP_FIELD(advise_args, recall, OP_NUMBER, 0,
             .doc = "Share of the 10 nearest that the codec must find, above 0 and up to 1; 0.95 when left out."),
    OP_FIELD(advise_args, algorithms, OP_STRINGS, OP_SEMICOLONS, .alias = "codecs", .flag = "codec", .max = EVDB_MEASURED_CODECS_MAX,
             .doc = "Candidates; without them a list for the store's dimension."),
    OP_FIELD(advise_args, sample, OP_INTEGER, 0, .def = SAMPLE_DEFAULT, .min = EVDB_MEASURED_NEAREST + 1, .max = EVDB_MEASURED_VECTORS_MAX,
             .doc = "Vectors to look at, at most."),
    OP_FIELD(advise_args, seed, OP_INTEGER, 0, .max = INT64_MAX, .doc = "Of chance: which vectors are searched for, how codecs are trained."),
    OP_END
};

static const op_result advise_reply[] = {
    OP_RESULT(proposed, OP_STRING, OP_OPTIONAL, .doc = "Of the codecs that find enough, the one that keeps the store in the fewest bytes; left out when none does."),
    OP_RESULT(recall, OP_NUMBER, 0, .doc = "Share of the nearest that it had to find."),
    OP_RESULT(recall_at_10, OP_NUMBER, OP_OPTIONAL, .doc = "... and that it does."),
    OP_RESULT(compression_ratio, OP_NUMBER, OP_OPTIONAL, .doc = "4 bytes an element, divided by the bytes of a vector."),
    OP_RESULT(compression_time, OP_NUMBER, OP_OPTIONAL, .doc = "Microseconds of processor time to encode a vector."),
    OP_RESULT(decompression_time, OP_NUMBER, OP_OPTIONAL, .doc = "Microseconds of processor time to decode one."),
    REPORT_RESULTS,
    OP_END
};

static void put_proposal(op_out *o, const evdb_codec_figures *f)
{
    op_out_text(o, "proposed", f->codec);
    op_out_float(o, "recall_at_10", (float)f->recall_at_10);
    op_out_float(o, "compression_ratio", (float)f->compression_ratio);
    op_out_float(o, "compression_time", (float)f->compression_time);
    op_out_float(o, "decompression_time", (float)f->decompression_time);
}

static evdb_status advise(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const advise_args *a = args;
    evdb_store *store = NULL;
    evdb_codec_report *report = NULL;
    evdb_advise_options options = EVDB_ADVISE_OPTIONS;
    options.recall = a->recall.given ? a->recall.value : EVDB_ADVISE_RECALL;
    options.codecs = a->algorithms.at;
    options.codec_count = (uint32_t)a->algorithms.count;
    options.sample = (uint32_t)a->sample;
    options.seed = (uint64_t)a->seed;
    options.progress = call->progress ? watch : NULL;
    options.context = call;
    call->verb = "measuring";
    call->counted = "codecs";
    if (options.recall == 0) return op_fail(err, EVDB_INVALID, "recall is 0, but must be above 0 and at most 1");
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_advise(store, &options, &report, err);
    if (rc == EVDB_OK) {
        if (report->proposed) put_proposal(reply, report->proposed);
        op_out_float(reply, "recall", options.recall);
        put_report(reply, report);
    }
    evdb_codec_report_free(report);
    evdb_store_close(store);
    return rc;
}

const op op_advise_compression = {
    .name = "advise_compression", .doc = "Measure codecs on a sample of a store's vectors and propose one.",
    .method = "POST", .path = "/api/v1/stores/{name}/compression/advise", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = advise_fields, .args_size = sizeof(advise_args), .reply = advise_reply, .run = advise,
};
