/* search.c - implements evdb/search.h. */
#include <evdb/search.h>
#include "base/buf.h"
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "store_private.h"
#include <math.h>
#include <string.h>

enum { K_DEFAULT = 10, EF_MIN = 100, EF_EACH = 4, HITS_MAX = 50000000 }; /* hits of one call */

typedef struct request {
    const float *queries;
    size_t count, stride; /* in bytes */
    uint32_t dim;
    float radius;
    bool range, batch;
    evdb_search_options o;
} request;

static evdb_status check(engine *e, const evdb_search_options *options, request *q, evdb_error *err)
{
    evdb_status rc;
    q->o = (evdb_search_options)EVDB_SEARCH_OPTIONS;
    TRY(engine_usable(e, err));
    TRY(options_import(&q->o, sizeof(q->o), options, "evdb_search_options", err));
    if (!q->o.k) q->o.k = q->range ? EVDB_K_MAX : K_DEFAULT;
    if (!q->o.threads) q->o.threads = 1;
    if (q->o.k > EVDB_K_MAX) TRY(error_set(err, EVDB_LIMIT, "k is %u, but must be 1..%u", q->o.k, EVDB_K_MAX));
    if (q->o.threads > EVDB_SEARCH_THREADS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "threads is %u, but must be 1..%u", q->o.threads, EVDB_SEARCH_THREADS_MAX));
    float accuracy = q->o.accuracy;
    if (accuracy != 0 && !(accuracy >= EVDB_ACCURACY_MIN && accuracy <= EVDB_ACCURACY_MAX))
        TRY(error_set(err, EVDB_INVALID, "accuracy is %g, but must be %g..%g", (double)accuracy, (double)EVDB_ACCURACY_MIN,
                      (double)EVDB_ACCURACY_MAX));
    if (accuracy != 0 && q->o.ef) TRY(error_set(err, EVDB_INVALID, "ef and accuracy exclude each other"));
    if (q->count > EVDB_QUERIES_MAX)
        TRY(error_set(err, EVDB_LIMIT, "%zu queries at once are more than %u", q->count, EVDB_QUERIES_MAX));
    if (q->count && !q->queries) TRY(error_set(err, EVDB_INVALID, "the query is missing"));
    if (q->dim == 0 || q->dim > EVDB_DIM_MAX)
        TRY(error_set(err, EVDB_INVALID, "a query has 1 to %u elements, not %u", EVDB_DIM_MAX, q->dim));
    bool negative = e->metric == EVDB_IP || e->metric == EVDB_CUSTOM;
    if (isnan(q->radius) || (q->range && !negative && q->radius < 0))
        TRY(error_set(err, EVDB_INVALID, "the radius is not a distance"));
out:
    return rc;
}

/* The queries as aligned floats with a stride in floats: the caller's memory whenever possible. f16 will be rounded. */
static evdb_status take_queries(engine *e, request *q, float **copy, evdb_error *err)
{
    size_t row = q->dim * sizeof(float);
    *copy = NULL;
    if (!q->stride) q->stride = row;
    if (e->dtype != EVDB_F16 && (uintptr_t)q->queries % sizeof(float) == 0 && q->stride % sizeof(float) == 0) return EVDB_OK;
    if (!(*copy = mem_array(&e->db->platform.mem, q->count, row)))
        return error_no_memory(err, q->count * row, "a copy of the queries");
    for (size_t i = 0; i < q->count; i++)
        memcpy((char *)*copy + i * row, (const char *)q->queries + i * q->stride, row);
    q->queries = *copy;
    q->stride = row;
    return EVDB_OK;
}

/* As vectors are when they are stored: so a vector that was written is at no distance from itself. */
static void round_queries(const engine *e, const request *q, float *copy)
{
    size_t elements = q->count * (q->stride / sizeof(float));
    if (e->dtype == EVDB_F16)
        for (size_t i = 0; i < elements; i++) copy[i] = element_from_half(element_half(copy[i]));
}

static evdb_status check_queries(engine *e, const request *q, evdb_error *err)
{
    for (size_t i = 0; i < q->count; i++) {
        evdb_status rc = input_vector(e, q->queries + i * (q->stride / sizeof(float)), q->dim, err);
        if (rc == EVDB_OK) continue;
        if (err && q->batch) err->item = i;
        return rc;
    }
    return EVDB_OK;
}

/* ---- the result: one block, columns one after the other ---- */

typedef struct columns {
    size_t *offsets;
    evdb_id *ids;
    int64_t *numbers;
    float *distances, *scores;
    const char **metadata, **authors;
    int64_t *written;
    char *texts;
} columns;

/* What is read of the hits' records. */
typedef struct fetched {
    buf texts;        /* of each its metadata and its author, "" = none, NUL-terminated */
    int64_t *written; /* of each */
    bool authors;     /* some say who wrote them, or when */
} fetched;

/* rd sees the state the hits were found in. */
static evdb_status fetch(rows_reader *rd, const evdb_id *ids, size_t count, fetched *f, evdb_error *err)
{
    buf *texts = &f->texts;
    rows_record row;
    char shown[64];
    evdb_error why;
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < count; i++) {
        rc = rows_get(rd, &ids[i], 0, &row, &why);
        if (rc == EVDB_NOT_FOUND)
            rc = error_set(&why, EVDB_CORRUPT, "record %s is missing, but its vector is there", id_show(&ids[i], shown, sizeof(shown)));
        if (rc != EVDB_OK && err) *err = why;
        if (rc != EVDB_OK) break;
        bool added = buf_add(texts, row.metadata, row.metadata_length) && buf_byte(texts, 0) && buf_add(texts, row.author, row.author_length);
        if (!added || !buf_byte(texts, 0)) return error_no_memory(err, row.metadata_length, "metadata");
        f->written[i] = row.written;
        f->authors |= row.author || row.written;
    }
    return rc;
}

/* Lays the block out; with `at` NULL only counts its bytes. Widest elements first, so that all are aligned. */
static size_t lay_out(char *at, size_t queries, size_t count, bool strings, bool metadata, bool authors, size_t text_bytes,
                      columns *out)
{
    size_t size = sizeof(evdb_result);
#define COLUMN(member, n)                                                                          \
    do {                                                                                           \
        if (at) out->member = (void *)(at + size);                                                 \
        size += (n) * sizeof(*out->member);                                                        \
    } while (0)
    COLUMN(offsets, queries + 1);
    COLUMN(ids, count);
    COLUMN(numbers, strings ? 0 : count);
    COLUMN(metadata, metadata ? count : 0);
    COLUMN(authors, authors ? count : 0);
    COLUMN(written, authors ? count : 0);
    COLUMN(distances, count);
    COLUMN(scores, count);
    COLUMN(texts, text_bytes);
#undef COLUMN
    return size;
}

typedef struct hits {
    const hit *at;       /* k a query */
    const size_t *found; /* a query */
    const view_snapshot *snapshot;
    rows_reader *reader; /* of the same state; NULL unless metadata is wanted */
    bool cut;
} hits;

static void fill_columns(engine *e, const request *q, const hits *h, const columns *c, bool strings)
{
    char *text = c->texts;
    size_t n = 0;
    for (size_t i = 0; i < q->count; i++) {
        c->offsets[i] = n;
        for (size_t j = 0; h->snapshot->index && j < h->found[i]; j++, n++) {
            const hit *one = &h->at[i * q->o.k + j];
            c->ids[n] = flat_id(&h->snapshot->rows, one->row);
            c->distances[n] = one->distance;
            c->scores[n] = evdb_distance_score(e->metric, one->distance);
            if (!strings) {
                c->numbers[n] = c->ids[n].number;
                continue;
            }
            memcpy(text, c->ids[n].text, c->ids[n].length); /* the block is zeroed: a NUL follows */
            c->ids[n].text = text;
            text += c->ids[n].length + 1;
        }
    }
    c->offsets[q->count] = n;
}

static evdb_status build(engine *e, const request *q, const hits *h, evdb_result **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    bool strings = atomic_load(&e->id_type) == EVDB_ID_STRING, metadata = q->o.flags & EVDB_SEARCH_METADATA;
    size_t count = 0, id_bytes = 0;
    evdb_id *ids = NULL;
    columns c = { 0 };
    fetched f = { 0 };
    evdb_status rc = EVDB_OK;
    buf_init(&f.texts, mem);
    for (size_t i = 0; h->snapshot->index && i < q->count; i++)
        for (size_t j = 0; j < h->found[i]; j++, count++)
            if (strings) id_bytes += flat_id(&h->snapshot->rows, h->at[i * q->o.k + j].row).length + 1;
    if (metadata && count) {
        ids = mem_array(mem, count, sizeof(*ids));
        f.written = mem_array(mem, count, sizeof(*f.written));
        if (!ids || !f.written) TRY(error_no_memory(err, count * sizeof(*ids), "results"));
        for (size_t i = 0, n = 0; i < q->count; i++)
            for (size_t j = 0; j < h->found[i]; j++)
                ids[n++] = flat_id(&h->snapshot->rows, h->at[i * q->o.k + j].row);
        TRY(fetch(h->reader, ids, count, &f, err));
    }
    size_t bytes = lay_out(NULL, q->count, count, strings, metadata, f.authors, id_bytes + f.texts.size, &c);
    evdb_result *r = mem_owned(mem, bytes);
    if (!r) TRY(error_no_memory(err, bytes, "results"));
    lay_out((char *)r, q->count, count, strings, metadata, f.authors, id_bytes + f.texts.size, &c);
    fill_columns(e, q, h, &c, strings);
    char *at = c.texts + id_bytes;
    if (f.texts.size) memcpy(at, f.texts.at, f.texts.size);
    for (size_t i = 0; metadata && i < count; i++, at += strlen(at) + 1) {
        c.metadata[i] = at;
        at += strlen(at) + 1;
        if (f.authors) c.authors[i] = *at ? at : NULL;
        if (f.authors) c.written[i] = f.written[i];
    }
    *r = (evdb_result){ .queries = q->count, .count = count, .offsets = c.offsets, .ids = c.ids,
                        .numbers = strings ? NULL : c.numbers, .distances = c.distances, .scores = c.scores,
                        .metadata = metadata ? c.metadata : NULL, .complete = !h->cut,
                        .stop = h->cut ? EVDB_STOP_LIMIT : EVDB_STOP_COMPLETE, .authors = f.authors ? c.authors : NULL,
                        .written = f.authors ? c.written : NULL };
    *out = r;
out:
    mem_free(mem, ids);
    mem_free(mem, f.written);
    buf_free(&f.texts);
    return rc;
}

/* By the graph where there is one and it may be used, else by scanning, which is told to the indexer: it may be worth a graph. */
static evdb_status look(engine *e, const request *q, const view_snapshot *s, const flat_query *fq, hit *out, size_t *found,
                        bool *cut, evdb_error *err)
{
    indexed_state state;
    uint32_t ef = q->o.ef ? q->o.ef : q->o.k > EF_MIN / EF_EACH ? q->o.k * EF_EACH : EF_MIN;
    indexed_state_now(s->index->vectors, &state);
    bool graph = !q->range && !(q->o.flags & EVDB_SEARCH_EXACT) && state.linked && indexed_has_graph(s->index->vectors);
    evdb_status rc = EVDB_OK;
    if (graph && q->o.accuracy != 0) rc = accuracy_effort(e, s, q->o.k, q->o.accuracy, &ef, err);
    if (rc != EVDB_OK) return rc;
    if (!graph) rc = flat_search(&s->rows, fq, out, found, cut, err);
    if (graph) rc = indexed_search(s->index->vectors, &s->rows, fq, ef, out, found, err);
    if (graph && rc == EVDB_OK && fq->count && !fq->only) recall_searched(e, fq->queries, fq->k, ef);
    uint64_t scanned = graph ? state.waiting : fq->only ? fq->only->count : flat_count(s->index->flat);
    if (!(q->o.flags & EVDB_SEARCH_EXACT)) indexer_scanned(e, q->count * scanned);
    return rc;
}

static evdb_status run(engine *e, const evdb_search_options *options, request *q, evdb_result **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    view_snapshot snapshot = { 0 };
    rows_reader *rd = NULL, **same;
    matches *only = NULL;
    hit *found_hits = NULL;
    size_t *found = NULL;
    float *copy = NULL;
    bool cut = false;
    evdb_status rc;
    TRY(check(e, options, q, err));
    TRY(metrics_ready(e, err));
    TRY(take_queries(e, q, &copy, err));
    same = q->o.flags & EVDB_SEARCH_METADATA ? &rd : NULL;
    if (q->o.filter) TRY(filters_begin(e, q->o.filter, &snapshot, same, &only, err));
    else TRY(view_begin(e, &snapshot, same, err));
    TRY(check_queries(e, q, err)); /* after view_begin, which learns the dimension */
    round_queries(e, q, copy);
    if ((uint64_t)q->count * q->o.k > HITS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "%zu queries of %u hits are more than %d at once", q->count, q->o.k, HITS_MAX));
    found = mem_array(mem, q->count + 1, sizeof(*found));
    found_hits = mem_array(mem, q->count * q->o.k, sizeof(*found_hits));
    if (!found || !found_hits) TRY(error_no_memory(err, q->count * q->o.k * sizeof(*found_hits), "results"));
    flat_query fq = { q->queries, q->count, q->stride / sizeof(float), q->o.k, q->radius, q->o.threads,
                      only ? &only->rows : NULL };
    if (snapshot.index) TRY(look(e, q, &snapshot, &fq, found_hits, found, &cut, err));
    metrics_watch(e);
    TRY(build(e, q, &(hits){ found_hits, found, &snapshot, rd, q->range && cut }, out, err));
out:
    if (only) filters_end(e, only);
    view_end(e, &snapshot);
    rows_read_end(rd);
    mem_free(mem, found);
    mem_free(mem, found_hits);
    mem_free(mem, copy);
    return rc;
}

evdb_status evdb_search(evdb_store *store, const float *query, uint32_t dim, const evdb_search_options *options,
                        evdb_result **out, evdb_error *err)
{
    request q = { .queries = query, .count = 1, .dim = dim, .radius = INFINITY };
    return run(store->engine, options, &q, out, err);
}

evdb_status evdb_search_range(evdb_store *store, const float *query, uint32_t dim, float radius,
                              const evdb_search_options *options, evdb_result **out, evdb_error *err)
{
    request q = { .queries = query, .count = 1, .dim = dim, .radius = radius, .range = true };
    return run(store->engine, options, &q, out, err);
}

evdb_status evdb_search_batch(evdb_store *store, const float *queries, size_t count, size_t stride, uint32_t dim,
                              const evdb_search_options *options, evdb_result **out, evdb_error *err)
{
    request q = { .queries = queries, .count = count, .stride = stride, .dim = dim, .radius = INFINITY, .batch = true };
    return run(store->engine, options, &q, out, err);
}

void evdb_result_free(evdb_result *result) { mem_owned_free(result); }
