/* view.c - implements engine/view.h. */
#include "engine/view.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/filling.h"
#include "engine/generation.h"
#include "engine/stored.h"

enum { INDEX_SEED = 20260101 }; /* the same vectors in the same order make the same graph */

void view_init(view *v)
{
    v->current = NULL;
    pthread_mutex_init(&v->refresh, NULL);
    pthread_mutex_init(&v->pointer, NULL);
}

static void index_free(engine *e, view_index *index)
{
    if (!index) return;
    indexed_free(index->vectors);
    mem_free(&e->db->platform.mem, index);
}

void view_destroy(engine *e)
{
    index_free(e, e->view.current);
    pthread_mutex_destroy(&e->view.refresh);
    pthread_mutex_destroy(&e->view.pointer);
}

static view_index *acquire(view *v)
{
    pthread_mutex_lock(&v->pointer);
    view_index *index = v->current;
    if (index) index->references++;
    pthread_mutex_unlock(&v->pointer);
    return index;
}

static void release(engine *e, view_index *index)
{
    if (!index) return;
    pthread_mutex_lock(&e->view.pointer);
    bool last = --index->references == 0;
    pthread_mutex_unlock(&e->view.pointer);
    if (last) index_free(e, index);
}

static void replace(engine *e, view_index *index)
{
    index->references = 1;
    pthread_mutex_lock(&e->view.pointer);
    view_index *old = e->view.current;
    index->number = ++e->view.numbers;
    e->view.current = index;
    pthread_mutex_unlock(&e->view.pointer);
    release(e, old);
}

/* ---- loading ---- */

evdb_status filling_put(filling *f, uint64_t sequence, const rows_vector *v, evdb_error *err)
{
    const void *row;
    evdb_status rc = stored_row(f->engine, f->reader, &f->index->form, v, f->dim, &f->room, &row, err);
    return rc == EVDB_OK ? indexed_put(f->index->vectors, v->slot, sequence, &v->id, row, err) : rc;
}

static evdb_status load_vector(void *context, const rows_vector *v, evdb_error *err) { return filling_put(context, v->sequence, v, err); }

indexed_options view_options(engine *e, const stored_form *form)
{
    return (indexed_options){ .flat = { .mem = &e->db->platform.mem, .kernel = e->db->kernel, .dim = atomic_load(&e->dim),
                                        .metric = e->metric, .dtype = form->dtype, .codec = form->codec, .string_ids = atomic_load(&e->id_type) == EVDB_ID_STRING,
                                        .custom = e->custom },
                              .m = e->m, .ef_construction = e->ef_construction, .seed = INDEX_SEED,
                              .memory_max = e->db->index_memory_max };
}

/* From the rows, all of them. */
static evdb_status load_rows(engine *e, rows_reader *rd, uint64_t tip, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    view_index *index = mem_zero(mem, sizeof(*index));
    filling f = { .engine = e, .reader = rd, .index = index, .dim = atomic_load(&e->dim) };
    evdb_status rc;
    if (!index) return error_no_memory(err, sizeof(*index), "an index");
    expiry_init(&index->expiry);
    TRY(stored_form_now(e, rd, f.dim, &index->form, err));
    indexed_options o = view_options(e, &index->form);
    TRY(indexed_create(&o, &index->vectors, err));
    index->flat = indexed_flat(index->vectors);
    TRY(expiry_begin(&f, err));
    TRY(rows_vectors(rd, load_vector, &f, err));
    TRY(expiry_settle(&f, tip, err));
    flat_publish(index->flat, tip);
    replace(e, index);
    index = NULL;
out:
    stored_room_free(e, &f.room);
    index_free(e, index);
    return rc;
}

/* ---- following ---- */

static evdb_status follow_change(void *context, const rows_change *c, evdb_error *err)
{
    filling *f = context;
    rows_vector v;
    bool found = false;
    evdb_status rc = EVDB_OK;
    if (c->freed >= 0) flat_remove(f->index->flat, (uint64_t)c->freed, c->sequence);
    /* a later change may have replaced this vector already: then that one brings it */
    if (c->kind == EVDB_CHANGE_PUT && c->slot >= 0) TRY(rows_vector_at(f->reader, (uint64_t)c->slot, c->sequence, &v, &found, err));
    if (found) TRY(filling_put(f, v.sequence, &v, err));
    rc = expiry_change(f, c, err);
out:
    return rc;
}

evdb_status view_follow(engine *e, rows_reader *rd, view_index *at, uint64_t tip, evdb_error *err)
{
    filling f = { .engine = e, .reader = rd, .index = at, .dim = atomic_load(&e->dim) };
    evdb_status rc;
    TRY(expiry_begin(&f, err));
    TRY(rows_changes(rd, flat_sequence(at->flat), SIZE_MAX, follow_change, &f, err));
    TRY(expiry_settle(&f, tip, err));
    flat_publish(at->flat, tip);
out:
    stored_room_free(e, &f.room);
    return rc;
}

/* From the file that an indexer left, and the feed since; from the rows where that does not lead to the tip. */
static evdb_status load(engine *e, rows_reader *rd, uint64_t tip, evdb_error *err)
{
    view_index *index = NULL;
    evdb_error why;
    evdb_status rc = generation_load(e, tip, &index, &why);
    if (rc == EVDB_OK) rc = view_follow(e, rd, index, tip, &why);
    if (rc == EVDB_OK) {
        replace(e, index);
        return rc;
    }
    index_free(e, index);
    return load_rows(e, rd, tip, err);
}

evdb_status view_adopt(engine *e, view_index *index, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_status rc;
    pthread_mutex_lock(&e->view.refresh);
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_tip_now(rd, &tip, err));
    TRY(view_follow(e, rd, index, tip.sequence, err));
    replace(e, index);
    index = NULL;
out:
    rows_read_end(rd);
    pthread_mutex_unlock(&e->view.refresh);
    index_free(e, index);
    return rc;
}

evdb_status view_reload(engine *e, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_status rc = EVDB_OK;
    pthread_mutex_lock(&e->view.refresh);
    if (!e->view.current) goto out;
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_tip_now(rd, &tip, err));
    TRY(load_rows(e, rd, tip.sequence, err));
out:
    rows_read_end(rd);
    pthread_mutex_unlock(&e->view.refresh);
    return rc;
}

/* The file went backwards under us, or a failed attempt left a half-applied change: only a fresh load helps. */
static void forget(engine *e)
{
    pthread_mutex_lock(&e->view.pointer);
    view_index *old = e->view.current;
    e->view.current = NULL;
    pthread_mutex_unlock(&e->view.pointer);
    release(e, old);
}

/* Brings the index to what rd sees. Under the refresh lock. */
static evdb_status refresh(engine *e, rows_reader *rd, evdb_error *err)
{
    rows_tip tip;
    evdb_error why;
    evdb_status rc;
    TRY(rows_tip_now(rd, &tip, err));
    TRY(engine_learn(e, rd, err));
    TRY(codecs_learn(e, rd, err));
    if (codecs_unsettled(e)) recode_begin(e);
    view_index *index = e->view.current; /* only changed under the refresh lock */
    if (index && codecs_renewed(e, index->form.version)) index = NULL; /* a search meanwhile goes on with what it has */
    if (index && flat_sequence(index->flat) == tip.sequence && !expiry_due(e, &index->expiry)) goto out;
    if (index && flat_sequence(index->flat) <= tip.sequence) {
        rc = view_follow(e, rd, index, tip.sequence, &why);
        if (rc == EVDB_OK) goto out;
        forget(e);
        if (rc != EVDB_GONE) {
            if (err) *err = why;
            goto out;
        }
    }
    /* before the first record nobody knows how its ids are to be kept */
    rc = EVDB_OK;
    if (atomic_load(&e->dim) && atomic_load(&e->id_type)) TRY(load(e, rd, tip.sequence, err));
out:
    return rc;
}

static void begin(view_snapshot *s)
{
    s->turns = atomic_load(&s->index->expiry.turns); /* before the rows: those that go meanwhile are of a later turn */
    flat_begin(s->index->flat, &s->rows);
}

static evdb_status catch_up(engine *e, view_snapshot *out, rows_reader **same, evdb_error *err)
{
    rows_reader *rd = NULL;
    pthread_mutex_lock(&e->view.refresh);
    evdb_status rc = rows_read(e->rows, &rd, err);
    if (rc == EVDB_OK) rc = refresh(e, rd, err);
    out->index = rc == EVDB_OK ? acquire(&e->view) : NULL;
    if (out->index) begin(out); /* nobody publishes while we hold the lock: what rd sees */
    pthread_mutex_unlock(&e->view.refresh);
    if (rc == EVDB_OK && same) *same = rd;
    else rows_read_end(rd);
    return rc;
}

evdb_status view_begin(engine *e, view_snapshot *out, rows_reader **same, evdb_error *err)
{
    out->index = same ? NULL : acquire(&e->view);
    if (out->index && rows_unchanged_since(e->rows, flat_sequence(out->index->flat)) && !expiry_due(e, &out->index->expiry)) {
        begin(out);
        return EVDB_OK;
    }
    release(e, out->index);
    return catch_up(e, out, same, err);
}

void view_end(engine *e, view_snapshot *s)
{
    if (!s->index) return;
    flat_end(&s->rows);
    release(e, s->index);
}

view_index *view_hold(view *v) { return acquire(v); }
void view_let_go(engine *e, view_index *index) { release(e, index); }

void view_stats(engine *e, uint64_t *bytes, uint64_t *sequence)
{
    view_index *index = acquire(&e->view);
    indexed_state state = { 0 };
    if (index) indexed_state_now(index->vectors, &state);
    *bytes = index ? flat_memory(index->flat) + state.memory_bytes : 0;
    *sequence = index ? flat_sequence(index->flat) : 0;
    release(e, index);
}
