/* indexed_saved.c - what a snapshot sees, as bytes: vectors, ids, slots and the graph, without the dead and without gaps. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "index/indexed_private.h"
#include <stdio.h>
#include <string.h>

typedef struct saved_index {
    uint32_t rows, dim, metric, strings;
    uint32_t waiting; /* of the rows, not in the graph */
    uint32_t graph;   /* 1 = there is one */
} saved_index;

typedef struct saving {
    indexed *x;
    const flat_snapshot *s;
    const saver *to;
    row_list rows, waiting; /* old numbers; new ones */
    uint32_t *number_of;    /* old to new */
} saving;

/* With the indexer's turn: whoever is held is in the graph. */
static evdb_status number(saving *v, evdb_error *err)
{
    const evdb_allocator *mem = v->x->o.flat.mem;
    uint32_t used = flat_used(v->x->flat);
    v->number_of = mem_alloc(mem, ((size_t)used + 1) * sizeof(*v->number_of));
    if (!v->number_of) return error_no_memory(err, used * sizeof(*v->number_of), "saving an index");
    memset(v->number_of, 0xff, used * sizeof(*v->number_of));
    for (uint32_t i = 0; i < used; i++) {
        if (!flat_visible(v->s, i)) continue;
        v->number_of[i] = (uint32_t)v->rows.count;
        bool kept = row_list_add(mem, &v->rows, i);
        if (kept && indexed_has_graph(v->x) && !flat_held(v->x->flat, i)) kept = row_list_add(mem, &v->waiting, v->number_of[i]);
        if (!kept) return error_no_memory(err, used * sizeof(*v->number_of), "saving an index");
    }
    return EVDB_OK;
}

static evdb_status save_ids(const saving *v, evdb_error *err)
{
    const saver *to = v->to;
    uint64_t at = 0;
    evdb_status rc;
    bool strings = v->x->o.flat.string_ids;
    TRY(to->begin(to->context, strings ? "offsets" : "numbers", err));
    for (size_t i = 0; i < v->rows.count; i++) {
        evdb_id id = flat_id(v->s, v->rows.at[i]);
        if (strings) TRY(to->write(to->context, &at, sizeof(at), err));
        else TRY(to->write(to->context, &id.number, sizeof(id.number), err));
        at += strings ? id.length + 1 : 0;
    }
    if (!strings) goto out;
    TRY(to->write(to->context, &at, sizeof(at), err));
    TRY(to->begin(to->context, "texts", err));
    for (size_t i = 0; i < v->rows.count; i++) {
        evdb_id id = flat_id(v->s, v->rows.at[i]);
        TRY(to->write(to->context, id.text, id.length + 1, err));
    }
out:
    return rc;
}

static evdb_status save_rows(const saving *v, evdb_error *err)
{
    const saver *to = v->to;
    const flat *f = v->x->flat;
    size_t bytes = flat_stride(&v->x->o.flat);
    evdb_status rc;
    TRY(to->begin(to->context, "slots", err));
    for (size_t i = 0; i < v->rows.count; i++) TRY(to->write(to->context, &(uint32_t){ flat_slot(f, v->rows.at[i]) }, sizeof(uint32_t), err));
    TRY(save_ids(v, err));
    if (v->x->o.flat.metric == EVDB_COSINE) {
        TRY(to->begin(to->context, "inverse", err));
        for (size_t i = 0; i < v->rows.count; i++) TRY(to->write(to->context, &(float){ flat_inverse(f, v->rows.at[i]) }, sizeof(float), err));
    }
    TRY(to->begin(to->context, "vectors", err));
    for (size_t i = 0; i < v->rows.count; i++) TRY(to->write(to->context, flat_stored(f, v->rows.at[i]), bytes, err));
    TRY(to->begin(to->context, "waiting", err));
    if (v->waiting.count) TRY(to->write(to->context, v->waiting.at, v->waiting.count * sizeof(*v->waiting.at), err));
out:
    return rc;
}

evdb_status indexed_save(indexed *x, const flat_snapshot *s, const saver *to, evdb_error *err)
{
    saving v = { .x = x, .s = s, .to = to };
    const graph *g = atomic_load(&x->graph);
    evdb_status rc;
    if (x->claimed.count) return error_set(err, EVDB_BUSY, "the index is half-way through a step");
    TRY(number(&v, err));
    saved_index head = { .rows = (uint32_t)v.rows.count, .dim = x->o.flat.dim, .metric = x->o.flat.metric,
                         .strings = x->o.flat.string_ids, .waiting = (uint32_t)v.waiting.count, .graph = g != NULL };
    TRY(to->begin(to->context, "index", err));
    TRY(to->write(to->context, &head, sizeof(head), err));
    TRY(save_rows(&v, err));
    if (!g) goto out;
    /* links are saved for held rows; to a graph that never met it, a waiting row is a node without links */
    for (size_t i = 0; i < v.waiting.count; i++) v.number_of[v.rows.at[v.waiting.at[i]]] = FLAT_NO_ROW;
    TRY(graph_save(g, v.rows.at, head.rows, v.number_of, to, err));
out:
    mem_free(x->o.flat.mem, v.rows.at);
    mem_free(x->o.flat.mem, v.waiting.at);
    mem_free(x->o.flat.mem, v.number_of);
    return rc;
}

/* ---- and back ---- */

static evdb_status check_base(const flat_base *b, size_t text_bytes, evdb_error *err)
{
    bool good = !b->offsets || (b->offsets[0] == 0 && b->offsets[b->count] == text_bytes);
    for (uint32_t i = 0; good && b->offsets && i < b->count; i++)
        good = b->offsets[i] < b->offsets[i + 1] && b->offsets[i + 1] <= text_bytes && b->texts[b->offsets[i + 1] - 1] == 0;
    for (uint32_t i = 0; good && i < b->count; i++) good = b->slots[i] != UINT32_MAX;
    return good ? EVDB_OK : error_set(err, EVDB_CORRUPT, "a saved index names its rows wrongly");
}

static evdb_status load_base(const indexed_options *o, const saved_index *head, uint64_t sequence, const loader *from, void *owner,
                             void (*release)(void *), flat_base *b, evdb_error *err)
{
    size_t n = head->rows, text_bytes = 0;
    const void *at = NULL;
    evdb_status rc;
    *b = (flat_base){ .count = head->rows, .sequence = sequence, .owner = owner, .release = release };
    TRY(from->find(from->context, "slots", n * sizeof(*b->slots), &at, NULL, err));
    b->slots = at;
    if (head->strings) {
        TRY(from->find(from->context, "offsets", (n + 1) * sizeof(*b->offsets), &at, NULL, err));
        b->offsets = at;
        TRY(from->find(from->context, "texts", SIZE_MAX, &at, &text_bytes, err));
        b->texts = at;
    } else {
        TRY(from->find(from->context, "numbers", n * sizeof(*b->numbers), &at, NULL, err));
        b->numbers = at;
    }
    if (o->flat.metric == EVDB_COSINE) {
        TRY(from->find(from->context, "inverse", n * sizeof(*b->inverses), &at, NULL, err));
        b->inverses = at;
    }
    TRY(from->find(from->context, "vectors", n * flat_stride(&o->flat), &at, NULL, err));
    b->vectors = at;
    TRY(check_base(b, text_bytes, err));
out:
    return rc;
}

static evdb_status load_graph(indexed *x, const saved_index *head, const loader *from, evdb_error *err)
{
    graph_options o = indexed_graph_options(x);
    const uint32_t *waiting;
    const void *at = NULL;
    graph *g = NULL;
    evdb_status rc;
    uint32_t capacity = head->rows + head->rows / 8 + INDEXED_CLAIM_MAX;
    if (!indexed_has_graph(x)) return EVDB_OK;
    TRY(from->find(from->context, "waiting", head->waiting * sizeof(*waiting), &at, NULL, err));
    waiting = at;
    bool fits = !x->o.memory_max || graph_estimate(o.dim, o.m, head->rows) <= x->o.memory_max;
    if (head->graph && fits) TRY(graph_load(&o, capacity, head->rows, from, &g, err));
    atomic_store(&x->graph, g);
    size_t next = 0;
    for (uint32_t i = 0; i < head->rows; i++) {
        bool waits = !g || (next < head->waiting && waiting[next] == i);
        if (!waits) (void)flat_hold(x->flat, i);
        else TRY(tail_add(x, i, err));
        next += g && waits;
    }
    if (g && next != head->waiting) TRY(error_set(err, EVDB_CORRUPT, "a saved index names the rows that wait wrongly"));
    atomic_store(&x->linked, g ? head->rows - head->waiting : 0);
out:
    return rc;
}

bool indexed_problem(const indexed *x, char *out, size_t size)
{
    const graph *g = atomic_load(&x->graph);
    uint32_t node = 0;
    const char *problem = g ? graph_sound(g, &node) : NULL;
    if (problem) snprintf(out, size, "node %u %s", node, problem);
    return problem != NULL;
}

evdb_status indexed_load(const indexed_options *o, uint64_t sequence, const loader *from, void *owner, void (*release)(void *),
                         indexed **out, evdb_error *err)
{
    saved_index head;
    flat_base base;
    indexed *x = NULL;
    const void *at = NULL;
    evdb_status rc;
    TRY(from->find(from->context, "index", sizeof(head), &at, NULL, err));
    memcpy(&head, at, sizeof(head));
    if (head.dim != o->flat.dim || head.metric != (uint32_t)o->flat.metric || head.strings != (uint32_t)o->flat.string_ids)
        TRY(error_set(err, EVDB_CORRUPT, "a saved index is of another store"));
    TRY(load_base(o, &head, sequence, from, owner, release, &base, err));
    TRY(indexed_create(o, &x, err));
    flat *f = NULL;
    base.release = NULL; /* until all is well the owner is the caller's */
    TRY(flat_create_on(&o->flat, &base, &f, err));
    flat_free(x->flat);
    x->flat = f;
    TRY(load_graph(x, &head, from, err));
    flat_own_base(f, release);
    *out = x;
    x = NULL;
out:
    indexed_free(x);
    return rc;
}
