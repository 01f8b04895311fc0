/* filters.c - implements engine/filters.h: what is kept, and for how long. */
#include "engine/filters_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include <string.h>

void filters_init(filters *f)
{
    pthread_mutex_init(&f->turn, NULL);
    pthread_mutex_init(&f->lock, NULL);
}

/* With the lock. */
static void let_go(engine *e, matches *m)
{
    if (!m || --m->references) return;
    mem_free(&e->db->platform.mem, m->rows.bits);
    mem_free(&e->db->platform.mem, m);
}

void filters_end(engine *e, matches *m)
{
    pthread_mutex_lock(&e->filters.lock);
    let_go(e, m);
    pthread_mutex_unlock(&e->filters.lock);
}

/* With the turn. */
static void forget(engine *e, filter_kept *k)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    filter_kept old;
    pthread_mutex_lock(&e->filters.lock);
    old = *k;
    *k = (filter_kept){ 0 };
    let_go(e, old.now);
    pthread_mutex_unlock(&e->filters.lock);
    mem_free(mem, old.spelling);
    filter_free(old.parsed);
    mem_free(mem, old.slots);
}

void filters_destroy(engine *e)
{
    filters *f = &e->filters;
    for (size_t i = 0; i < FILTERS_KEPT; i++) forget(e, &f->kept[i]);
    columns_forget(e);
    mem_free(&e->db->platform.mem, f->columns);
    mem_owned_free(f->info);
    pthread_mutex_destroy(&f->turn);
    pthread_mutex_destroy(&f->lock);
}

void filters_stats(engine *e, uint64_t *bytes, uint64_t *reads)
{
    *bytes = atomic_load(&e->filters.bytes);
    *reads = atomic_load(&e->filters.reads);
}

static uint64_t bytes_of(const filter_kept *k)
{
    uint64_t seen = k->now ? k->now->rows.rows / 8 : 0;
    return k->parsed ? k->words * sizeof(*k->slots) + seen + 2 * strlen(filter_canonical(k->parsed)) : 0;
}

/* What was not asked for longest, of places taken or of all. */
static filter_kept *oldest(filters *f, const filter_kept *but, bool taken)
{
    filter_kept *found = NULL;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < FILTERS_KEPT; i++) {
        filter_kept *k = &f->kept[i];
        if (k != but && (k->parsed || !taken) && (!found || k->used < found->used)) found = k;
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

/* Throws out what was not asked for longest until the rest is within bounds. `k` stays. */
static void tidy(engine *e, const filter_kept *k)
{
    filters *f = &e->filters;
    uint64_t kept = 0, columns = 0;
    for (size_t i = 0; i < FILTERS_KEPT; i++) kept += bytes_of(&f->kept[i]);
    while (kept > FILTERS_BYTES_MAX && kept > bytes_of(k)) {
        filter_kept *last = oldest(f, k, true);
        if (!last) break;
        kept -= bytes_of(last);
        forget(e, last);
    }
    for (uint32_t i = 0; f->columns && i < f->info->field_count; i++) columns += column_bytes(&f->columns[i]);
    atomic_store(&f->bytes, kept + columns);
}

static filter_kept *by_spelling(filters *f, const char *text)
{
    for (size_t i = 0; i < FILTERS_KEPT; i++)
        if (f->kept[i].spelling && strcmp(f->kept[i].spelling, text) == 0) return &f->kept[i];
    return NULL;
}

static filter_kept *by_meaning(filters *f, const char *canonical)
{
    for (size_t i = 0; i < FILTERS_KEPT; i++)
        if (f->kept[i].parsed && strcmp(filter_canonical(f->kept[i].parsed), canonical) == 0) return &f->kept[i];
    return NULL;
}

/* The place of a filter, a new one if it must be. With the turn. */
static evdb_status find(engine *e, const char *text, filter_kept **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    filters *f = &e->filters;
    filter *parsed = NULL;
    char *spelling = NULL;
    evdb_status rc = EVDB_OK;
    if ((*out = by_spelling(f, text))) return rc;
    TRY(filter_parse(mem, text, &parsed, err));
    if (!(spelling = mem_text(mem, text, strlen(text)))) TRY(error_no_memory(err, strlen(text), "a filter"));
    if (!(*out = by_meaning(f, filter_canonical(parsed)))) {
        *out = oldest(f, NULL, false);
        forget(e, *out);
        (*out)->parsed = parsed;
        parsed = NULL;
    }
    pthread_mutex_lock(&f->lock);
    mem_free(mem, (*out)->spelling);
    (*out)->spelling = spelling;
    pthread_mutex_unlock(&f->lock);
out:
    filter_free(parsed);
    return rc;
}

/* Puts the rows that the snapshot sees in the place of those there were. With the turn. */
static evdb_status choose_rows(engine *e, filter_kept *k, const view_snapshot *s, matches **out, evdb_error *err)
{
    matches *m = mem_zero(&e->db->platform.mem, sizeof(*m));
    if (!m) return error_no_memory(err, sizeof(*m), "a filter's matches");
    evdb_status rc = flat_select(&s->rows, k->slots, k->words * 64, &m->rows, err);
    if (rc != EVDB_OK) {
        mem_free(&e->db->platform.mem, m);
        return rc;
    }
    m->index = s->index->number;
    m->sequence = s->rows.sequence;
    m->turns = s->turns;
    m->references = 2; /* the place's and the caller's */
    pthread_mutex_lock(&e->filters.lock);
    let_go(e, k->now);
    k->now = m;
    pthread_mutex_unlock(&e->filters.lock);
    *out = m;
    return EVDB_OK;
}

/* What was remembered of this very text, in passing. */
static matches *remembered(engine *e, const char *text)
{
    filters *f = &e->filters;
    pthread_mutex_lock(&f->lock);
    filter_kept *k = by_spelling(f, text);
    matches *m = k ? k->now : NULL;
    if (m) {
        m->references++;
        k->used = ++f->clock;
    }
    pthread_mutex_unlock(&f->lock);
    return m;
}

static bool is_of(const matches *m, const view_snapshot *s)
{
    return s->index && m->index == s->index->number && m->sequence == s->rows.sequence && m->turns == s->turns;
}

/* The snapshot is taken with the turn, so it never is of before what is kept. */
static evdb_status bring(engine *e, const char *text, view_snapshot *s, rows_reader **rd, matches **out, evdb_error *err)
{
    filters *f = &e->filters;
    filter_kept *k;
    evdb_status rc;
    pthread_mutex_lock(&f->turn);
    TRY(find(e, text, &k, err));
    TRY(view_begin(e, s, rd, err));
    if (!s->index) goto out;
    pthread_mutex_lock(&f->lock);
    k->used = ++f->clock;
    matches *now = k->now && is_of(k->now, s) ? k->now : NULL; /* somebody else was faster */
    if (now) now->references++;
    pthread_mutex_unlock(&f->lock);
    if (now) {
        *out = now;
        goto out;
    }
    TRY(filter_know(e, k, *rd, s, err));
    TRY(choose_rows(e, k, s, out, err));
    tidy(e, k);
out:
    pthread_mutex_unlock(&f->turn);
    return rc;
}

evdb_status filters_begin(engine *e, const char *text, view_snapshot *s, rows_reader **same, matches **out, evdb_error *err)
{
    rows_reader *rd = NULL;
    evdb_status rc;
    matches *m = remembered(e, text);
    *out = NULL;
    if (m) {
        rc = view_begin(e, s, same, err);
        if (rc == EVDB_OK && is_of(m, s)) {
            *out = m;
            return rc;
        }
        filters_end(e, m);
        if (rc != EVDB_OK) return rc;
        view_end(e, s);
        *s = (view_snapshot){ 0 };
        if (same) rows_read_end(*same);
        if (same) *same = NULL;
    }
    rc = bring(e, text, s, &rd, out, err);
    if (same) *same = rd;
    else rows_read_end(rd);
    return rc;
}
