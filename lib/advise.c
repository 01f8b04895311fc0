/* advise.c - implements evdb/advise.h. */
#include <evdb/advise.h>
#include <evdb/cursor.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "codec/measure.h"
#include "store_private.h"
#include <stdio.h>
#include <string.h>

enum { CANDIDATE_BYTES = 32 };

/* A report as it is allocated: its texts lie behind the figures. */
typedef struct texts {
    char asked[EVDB_CODEC_SPEC_MAX + 1], codec[EVDB_CODEC_SPEC_MAX + 1], message[sizeof(((evdb_error *)0)->message)];
} texts;

typedef struct measured {
    evdb_codec_report head;
    evdb_codec_figures figures[EVDB_MEASURED_CODECS_MAX];
    texts texts[EVDB_MEASURED_CODECS_MAX];
} measured;

void evdb_codec_report_free(evdb_codec_report *report) { mem_owned_free(report); }

static measured *report_new(const evdb_allocator *mem, uint32_t dim, evdb_metric metric)
{
    measured *m = mem_owned(mem, sizeof(*m));
    if (m) m->head = (evdb_codec_report){ .dim = dim, .metric = metric, .codecs = m->figures };
    return m;
}

/* ---- which codecs ---- */

static void add(measured *m, const char *spec)
{
    uint32_t i = m->head.count++;
    texts *t = &m->texts[i];
    snprintf(t->asked, sizeof(t->asked), "%s", spec);
    m->figures[i] = (evdb_codec_figures){ .asked = t->asked, .codec = t->codec, .message = t->message };
}

/* Where there is such a codec and it is not on the list under another name. Candidates are many names for what a library may have. */
static void add_new(measured *m, const char *spec)
{
    char whole[EVDB_CODEC_SPEC_MAX + 1], listed[EVDB_CODEC_SPEC_MAX + 1];
    if (m->head.count == EVDB_MEASURED_CODECS_MAX || evdb_codec_check(spec, m->head.dim, whole, NULL, NULL) != EVDB_OK) return;
    for (uint32_t i = 0; i < m->head.count; i++)
        if (evdb_codec_check(m->figures[i].asked, m->head.dim, listed, NULL, NULL) == EVDB_OK && strcmp(whole, listed) == 0) return;
    add(m, spec);
}

static void add_kinds(measured *m)
{
    static const char *const historic[] = { "quantization_8bit", "quantization_4bit", "pca_compression", "zlib_compression",
                                            "lz4_compression", "product_quantization" };
    for (size_t i = 0; i < sizeof(historic) / sizeof(*historic); i++) add_new(m, historic[i]);
    for (uint32_t i = 0; evdb_codec_kind_at(i); i++) add_new(m, evdb_codec_kind_at(i)->name);
}

/* A stage whose number is a part of the dimension. */
static void add_part(measured *m, const char *stage, uint32_t part, const char *behind)
{
    char spec[CANDIDATE_BYTES];
    if (m->head.dim < 2 * part) return;
    snprintf(spec, sizeof(spec), "%s:%u%s", stage, m->head.dim / part, behind);
    add_new(m, spec);
}

/* From those that keep everything to those that keep least. */
static void add_candidates(measured *m)
{
    static const char *const plain[] = { "f32", "f32+zstd", "f16", "bf16", "i8", "i8:trained", "i8+zstd", "i4", "i4:trained", "rotate+i4", "i4+zstd",
                                         "pca:0.95+i8", "pca:0.95+i4", "rabitq" };
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) add_new(m, plain[i]);
    for (uint32_t part = 2; part <= 4; part *= 2) add_part(m, "pca", part, "+i8");
    add_part(m, "pca", 2, "+i4");
    for (uint32_t part = 2; part <= 8; part *= 2) {
        add_part(m, "pq", part, "");
        add_part(m, "opq", part, "");
    }
}

static evdb_status add_given(measured *m, const char *const *codecs, uint32_t count, evdb_error *err)
{
    if (count > EVDB_MEASURED_CODECS_MAX)
        return error_set(err, EVDB_LIMIT, "%u codecs; at most %u are measured at a time", count, EVDB_MEASURED_CODECS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        evdb_status rc = evdb_codec_check(codecs ? codecs[i] : NULL, 0, NULL, NULL, err);
        if (rc != EVDB_OK && err) err->item = i;
        if (rc != EVDB_OK) return rc;
        add(m, codecs[i]);
    }
    return EVDB_OK;
}

/* ---- measuring them ---- */

typedef struct watch {
    int (*progress)(void *context, uint32_t done, uint32_t all);
    void *context;
} watch;

static evdb_status tick(const watch *w, uint32_t done, uint32_t all, evdb_error *err)
{
    if (!w->progress || w->progress(w->context, done, all) == 0) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "cancelled after %u of %u codecs were measured", done, all);
}

static void fill(evdb_codec_figures *to, const measure_figures *f, uint32_t dim)
{
    to->bytes = f->bytes;
    to->compression_ratio = f->bytes > 0 ? (double)dim * sizeof(float) / f->bytes : 0;
    to->compression_time = f->encode_us;
    to->decompression_time = f->decode_us;
    to->accuracy_loss = f->loss;
    to->recall_at_10 = f->recall;
    to->training_time = f->training_s;
    to->trained_bytes = f->trained_bytes;
}

/* What is wrong with one codec is said in its figures; what is wrong with all of them is returned. */
static evdb_status measure_one(measured *m, uint32_t i, const measure_sample *s, uint64_t seed, evdb_error *err)
{
    evdb_error why = { .message = "" };
    measure_figures f;
    evdb_status rc = evdb_codec_check(m->texts[i].asked, s->dim, m->texts[i].codec, NULL, &why);
    if (rc == EVDB_OK) rc = measure_codec(s, m->texts[i].asked, seed, &f, &why);
    if (rc == EVDB_NO_MEMORY || rc == EVDB_INTERNAL) {
        if (err) *err = why;
        return rc;
    }
    m->figures[i].status = rc;
    if (rc == EVDB_OK) fill(&m->figures[i], &f, s->dim);
    else memcpy(m->texts[i].message, why.message, sizeof(why.message));
    return EVDB_OK;
}

static evdb_status measure_all(measured *m, const platform *p, const float *rows, size_t count, uint64_t seed, const watch *w,
                               evdb_error *err)
{
    measure_sample s = { .p = p };
    evdb_status rc;
    TRY(tick(w, 0, m->head.count, err));
    TRY(measure_sample_make(p, kernel_best(), rows, count, m->head.dim, m->head.metric, seed, &s, err));
    m->head.vectors = count;
    m->head.queries = (uint32_t)s.query_count;
    for (uint32_t i = 0; i < m->head.count; i++) {
        TRY(measure_one(m, i, &s, seed, err));
        TRY(tick(w, i + 1, m->head.count, err));
    }
out:
    measure_sample_free(&s);
    return rc;
}

/* How many vectors are looked at. */
static size_t sample_size(uint64_t there, uint32_t asked, uint32_t dim)
{
    uint64_t most = EVDB_MEASURED_BYTES_MAX / (dim * sizeof(float));
    if (most > EVDB_MEASURED_VECTORS_MAX) most = EVDB_MEASURED_VECTORS_MAX;
    if (asked && most > asked) most = asked;
    return (size_t)(there < most ? there : most);
}

/* ---- vectors at hand ---- */

static evdb_status check_benchmark(evdb_benchmark_options *o, evdb_error *err)
{
    if (!o->vectors || !o->count) return error_set(err, EVDB_INVALID, "there are no vectors to measure codecs on");
    if (!o->dim || o->dim > EVDB_DIM_MAX)
        return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, o->dim);
    if (!o->metric) o->metric = EVDB_COSINE;
    if (o->metric == EVDB_CUSTOM) return error_set(err, EVDB_INVALID, "recall cannot be measured under a metric of a program's own");
    if (!evdb_metric_name(o->metric)) return error_set(err, EVDB_INVALID, "there is no metric %d", (int)o->metric);
    const kernel *k = kernel_best();
    for (size_t i = 0; i < o->count; i++)
        if (!k->finite_f32(o->vectors + i * o->dim, o->dim))
            return error_item(err, i, EVDB_INVALID, "vector %zu has an element that is not finite", i);
    return EVDB_OK;
}

/* Some of many rows, evenly; rows themselves where all are wanted. */
static evdb_status pick(const evdb_allocator *mem, const evdb_benchmark_options *o, size_t wanted, float **own, evdb_error *err)
{
    size_t row = o->dim * sizeof(float);
    if (wanted == o->count) return EVDB_OK;
    if (!(*own = mem_array(mem, wanted, row))) return error_no_memory(err, wanted * row, "a sample of the vectors");
    for (size_t i = 0; i < wanted; i++)
        memcpy(*own + i * o->dim, o->vectors + (size_t)((uint64_t)i * o->count / wanted) * o->dim, row);
    return EVDB_OK;
}

evdb_status evdb_codec_benchmark(const evdb_benchmark_options *options, evdb_codec_report **out, evdb_error *err)
{
    evdb_benchmark_options o = EVDB_BENCHMARK_OPTIONS;
    platform p = platform_real;
    measured *m = NULL;
    float *own = NULL;
    evdb_status rc = options_import(&o, sizeof(o), options, "evdb_benchmark_options", err);
    if (rc == EVDB_OK) rc = check_benchmark(&o, err);
    if (rc != EVDB_OK) return rc;
    if (o.allocator) p.mem = *o.allocator;
    size_t wanted = sample_size(o.count, o.sample, o.dim);
    if (!(m = report_new(&p.mem, o.dim, o.metric))) TRY(error_no_memory(err, sizeof(*m), "figures of codecs"));
    if (o.codec_count) TRY(add_given(m, o.codecs, o.codec_count, err));
    else add_kinds(m);
    TRY(pick(&p.mem, &o, wanted, &own, err));
    TRY(measure_all(m, &p, own ? own : o.vectors, wanted, o.seed, &(watch){ o.progress, o.context }, err));
    *out = &m->head;
    m = NULL;
out:
    mem_free(&p.mem, own);
    mem_owned_free(m);
    return rc;
}

/* ---- a store's vectors ---- */

/* Every n-th record in order of id: ids are walked, and only vectors of the sample are read. */
static evdb_status draw(evdb_store *store, uint32_t dim, uint64_t there, size_t wanted, float *rows, size_t *drawn, evdb_error *err)
{
    evdb_cursor_options options = EVDB_CURSOR_OPTIONS;
    evdb_cursor *cursor = NULL;
    evdb_record *record = NULL;
    evdb_status rc;
    options.flags = there > wanted ? EVDB_CURSOR_NO_VECTORS : 0;
    TRY(evdb_cursor_open(store, &options, &cursor, err));
    for (uint64_t i = 0; *drawn < wanted; i++) {
        const evdb_record *at;
        TRY(evdb_cursor_next(cursor, &at, err));
        if (!at) break;
        if (i < *drawn * there / wanted) continue;
        if (!at->vector) rc = evdb_record_get(store, at->id, &record, err);
        if (rc == EVDB_NOT_FOUND) continue; /* deleted meanwhile */
        if (rc != EVDB_OK) goto out;
        memcpy(rows + (*drawn)++ * dim, record ? record->vector : at->vector, dim * sizeof(*rows));
        evdb_record_free(record);
        record = NULL;
    }
out:
    evdb_cursor_close(cursor);
    return rc;
}

evdb_status evdb_store_sample(evdb_store *store, uint32_t most, float **out, size_t *count, evdb_error *err)
{
    evdb_store_info *info = NULL;
    float *rows = NULL;
    uint64_t records;
    size_t drawn = 0;
    evdb_status rc;
    TRY(evdb_store_describe(store, &info, err));
    TRY(evdb_store_count(store, &records, err));
    size_t wanted = info->dim ? sample_size(records, most, info->dim) : 0, bytes = wanted * info->dim * sizeof(*rows);
    if (!(rows = mem_owned(&store_platform(store)->mem, bytes))) TRY(error_no_memory(err, bytes, "a sample of the vectors"));
    TRY(draw(store, info->dim, records, wanted, rows, &drawn, err));
    *out = rows;
    *count = drawn;
    rows = NULL;
out:
    evdb_bytes_free(rows);
    evdb_store_info_free(info);
    return rc;
}

static void propose(measured *m, float recall, uint64_t records)
{
    double least = 0;
    for (uint32_t i = 0; i < m->head.count; i++) {
        const evdb_codec_figures *f = &m->figures[i];
        double whole = f->bytes * (double)records + (double)f->trained_bytes;
        if (f->status != EVDB_OK || f->recall_at_10 < (double)recall || (m->head.proposed && whole >= least)) continue;
        m->head.proposed = f;
        least = whole;
    }
}

static evdb_status check_advise(evdb_advise_options *o, const evdb_store_info *info, uint64_t records, evdb_error *err)
{
    if (o->recall == 0) o->recall = EVDB_ADVISE_RECALL;
    if (!(o->recall > 0 && o->recall <= 1))
        return error_set(err, EVDB_INVALID, "recall is %g, but must be above 0 and at most 1", (double)o->recall);
    if (info->metric == EVDB_CUSTOM)
        return error_set(err, EVDB_UNSUPPORTED, "store '%s' has a metric of a program's own: recall of codes cannot be measured",
                         info->name);
    if (records <= EVDB_MEASURED_NEAREST || (o->sample && o->sample <= EVDB_MEASURED_NEAREST))
        return error_set(err, EVDB_INVALID, "recall cannot be measured on fewer than %u vectors", EVDB_MEASURED_NEAREST + 1);
    return EVDB_OK;
}

evdb_status evdb_store_advise(evdb_store *store, const evdb_advise_options *options, evdb_codec_report **out, evdb_error *err)
{
    evdb_advise_options o = EVDB_ADVISE_OPTIONS;
    const platform *p = store_platform(store);
    evdb_store_info *info = NULL;
    measured *m = NULL;
    float *rows = NULL;
    uint64_t records;
    size_t drawn = 0;
    evdb_status rc;
    TRY(options_import(&o, sizeof(o), options, "evdb_advise_options", err));
    TRY(evdb_store_describe(store, &info, err));
    TRY(evdb_store_count(store, &records, err));
    TRY(check_advise(&o, info, records, err));
    if (!(m = report_new(&p->mem, info->dim, info->metric))) TRY(error_no_memory(err, sizeof(*m), "figures of codecs"));
    if (o.codec_count) TRY(add_given(m, o.codecs, o.codec_count, err));
    else add_candidates(m);
    TRY(evdb_store_sample(store, o.sample, &rows, &drawn, err));
    if (!drawn) TRY(error_set(err, EVDB_BUSY, "store '%s' was emptied meanwhile", info->name));
    TRY(measure_all(m, p, rows, drawn, o.seed, &(watch){ o.progress, o.context }, err));
    propose(m, o.recall, records);
    *out = &m->head;
    m = NULL;
out:
    evdb_bytes_free(rows);
    mem_owned_free(m);
    evdb_store_info_free(info);
    return rc;
}
