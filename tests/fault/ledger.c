/* ledger.c - implements ledger.h. */
#include "ledger.h"
#include "memory_io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_vector(int64_t id, uint32_t tag, float out[LEDGER_DIM])
{
    uint64_t seed = (uint64_t)id * 0x9e3779b97f4a7c15u + tag;
    for (int i = 0; i < LEDGER_DIM; i++) out[i] = (float)((int64_t)(seed_next(&seed) >> 40) - (1 << 23)) / (1 << 23);
}

/* Of various lengths, so that records move about in their pages. */
void ledger_metadata(uint32_t tag, char out[LEDGER_METADATA_MAX])
{
    uint64_t seed = tag;
    int pad = (int)(seed_next(&seed) % 400);
    snprintf(out, LEDGER_METADATA_MAX, "{\"tag\":%u,\"pad\":\"%0*d\"}", tag, pad, 7);
}

/* ---- writing ---- */

typedef struct writing {
    int64_t ids[LEDGER_BATCH_MAX];
    uint32_t rows[LEDGER_BATCH_MAX];
    float vectors[LEDGER_BATCH_MAX][LEDGER_DIM];
    const char *texts[LEDGER_BATCH_MAX];
    char text[LEDGER_METADATA_MAX];
    size_t count;
    evdb_write kind;
    bool vector, metadata;
} writing;

static bool applies(evdb_write kind, const ledger_row *row)
{
    bool there = row->acknowledged.vector != 0;
    if (row->under_way) return false; /* its state is unknown */
    return kind == EVDB_UPSERT || (kind == EVDB_INSERT) == !there;
}

static void choose(const ledger *l, uint32_t at, uint32_t count, writing *w)
{
    for (uint32_t i = at; i < LEDGER_ROWS && i < at + count && w->count < LEDGER_BATCH_MAX; i++) {
        if (!applies(w->kind, &l->rows[i])) continue;
        w->rows[w->count] = i;
        w->ids[w->count++] = l->first + i;
    }
}

static void note_wanted(ledger *l, const writing *w, uint32_t tag)
{
    for (size_t i = 0; i < w->count; i++) {
        ledger_row *row = &l->rows[w->rows[i]];
        row->wanted = row->acknowledged;
        if (w->kind == EVDB_DELETE) row->wanted = (ledger_state){ 0, 0 };
        if (w->vector) row->wanted.vector = tag;
        if (w->metadata) row->wanted.metadata = tag;
        atomic_thread_fence(memory_order_seq_cst); /* the wanted state first, should we be killed here */
        row->under_way = tag;
    }
    atomic_thread_fence(memory_order_seq_cst);
}

static void note_acknowledged(ledger *l, const writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        ledger_row *row = &l->rows[w->rows[i]];
        if (w->kind == EVDB_DELETE) row->trashed = row->acknowledged;
        row->acknowledged = row->wanted;
        atomic_thread_fence(memory_order_seq_cst);
        row->under_way = 0;
    }
    l->acknowledged++;
    atomic_thread_fence(memory_order_seq_cst);
}

static evdb_status call(evdb_store *store, const writing *w, evdb_error *err)
{
    const float *vector = w->vector ? w->vectors[0] : NULL;
    const char *text = w->metadata ? w->text : NULL;
    evdb_id id = { .number = w->ids[0] };
    evdb_batch b = EVDB_BATCH;
    if (w->count == 1) switch (w->kind) {
        case EVDB_INSERT: return evdb_record_insert(store, id, vector, LEDGER_DIM, text, NULL, err);
        case EVDB_UPSERT: return evdb_record_upsert(store, id, vector, LEDGER_DIM, text, NULL, err);
        case EVDB_UPDATE: return evdb_record_update(store, id, vector, LEDGER_DIM, text, 0, NULL, err);
        case EVDB_DELETE: return evdb_record_delete(store, id, 0, err);
        }
    b.kind = w->kind;
    b.count = w->count;
    b.numbers = w->ids;
    b.dim = LEDGER_DIM;
    if (w->vector) b.vectors = w->vectors;
    if (w->metadata) b.metadata = w->texts;
    return evdb_batch_write(store, &b, NULL, err);
}

evdb_status ledger_write(ledger *l, evdb_store *store, evdb_write kind, uint32_t at, uint32_t count, evdb_error *err)
{
    writing w = { .kind = kind };
    uint32_t tag = ++l->tag;
    choose(l, at, count, &w);
    if (!w.count) return EVDB_OK;
    w.vector = kind == EVDB_INSERT || kind == EVDB_UPSERT || (kind == EVDB_UPDATE && tag % 3 != 0);
    w.metadata = kind == EVDB_INSERT || kind == EVDB_UPSERT || (kind == EVDB_UPDATE && tag % 3 != 1);
    ledger_metadata(tag, w.text);
    for (size_t i = 0; i < w.count; i++) {
        ledger_vector(w.ids[i], tag, w.vectors[i]);
        w.texts[i] = w.text;
    }
    note_wanted(l, &w, tag);
    evdb_status rc = call(store, &w, err);
    if (rc == EVDB_OK) note_acknowledged(l, &w);
    return rc;
}

evdb_status ledger_write_any(ledger *l, evdb_store *store, uint64_t *seed, evdb_error *err)
{
    static const evdb_write kinds[] = { EVDB_INSERT, EVDB_UPSERT, EVDB_UPSERT, EVDB_UPDATE, EVDB_DELETE };
    uint64_t r = seed_next(seed);
    uint32_t count = r % 3 ? 1 : (uint32_t)(r >> 8) % LEDGER_BATCH_MAX + 1;
    return ledger_write(l, store, kinds[(r >> 16) % 5], (uint32_t)(r >> 32) % LEDGER_ROWS, count, err);
}

void ledger_undone(ledger *l)
{
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) l->rows[i].under_way = 0;
}

/* ---- comparing ---- */

bool ledger_holds(const evdb_record *record, int64_t id, ledger_state state)
{
    float vector[LEDGER_DIM];
    char metadata[LEDGER_METADATA_MAX];
    if (!record || !state.vector) return !record && !state.vector;
    ledger_vector(id, state.vector, vector);
    ledger_metadata(state.metadata, metadata);
    return record->dim == LEDGER_DIM && memcmp(record->vector, vector, sizeof(vector)) == 0 &&
           strcmp(record->metadata, metadata) == 0;
}

typedef enum ledger_fate { AS_ACKNOWLEDGED, AS_WANTED, GONE, DIFFERENT } ledger_fate;

/* What is neither of the first two is printed. */
static ledger_fate compare(const ledger_row *row, int64_t id, evdb_store *store)
{
    evdb_record *record = NULL;
    evdb_error err;
    evdb_status rc = evdb_record_get(store, (evdb_id){ .number = id }, &record, &err);
    ledger_fate fate = rc == EVDB_NOT_FOUND ? GONE : DIFFERENT;
    if (rc == EVDB_OK || rc == EVDB_NOT_FOUND) {
        if (ledger_holds(record, id, row->acknowledged)) fate = AS_ACKNOWLEDGED;
        else if (row->under_way && ledger_holds(record, id, row->wanted)) fate = AS_WANTED;
    }
    if (fate == GONE || fate == DIFFERENT)
        fprintf(stderr, "record %lld: acknowledged %u/%u, wanted %u/%u (write %u), but there is: %s %s\n",
                (long long)id, row->acknowledged.vector, row->acknowledged.metadata, row->wanted.vector,
                row->wanted.metadata, row->under_way, evdb_status_name(rc),
                rc == EVDB_OK ? record->metadata : err.message);
    evdb_record_free(record);
    return fate;
}

void ledger_compare(ledger *l, evdb_store *store, ledger_found *found)
{
    uint32_t tag = 0;
    ledger_fate common = AS_ACKNOWLEDGED;
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) {
        ledger_row *row = &l->rows[i];
        bool distinct = memcmp(&row->acknowledged, &row->wanted, sizeof(row->wanted)) != 0;
        ledger_fate fate = compare(row, l->first + i, store);
        found->records += row->acknowledged.vector != 0;
        found->lost += fate == GONE;
        found->corrupt += fate == DIFFERENT;
        if (fate <= AS_WANTED && row->under_way && distinct) {
            if (row->under_way == tag && fate != common) {
                fprintf(stderr, "batch %u was written in part: record %lld\n", tag, (long long)(l->first + i));
                found->corrupt++;
            }
            tag = row->under_way;
            common = fate;
        }
        bool restored = fate == AS_WANTED && row->wanted.vector && memcmp(&row->wanted, &row->trashed, sizeof(row->wanted)) == 0;
        if (restored) row->trashed = (ledger_state){ 0, 0 };
        if (fate == AS_WANTED && row->acknowledged.vector && !row->wanted.vector) row->trashed = row->acknowledged;
        if (fate == AS_WANTED) row->acknowledged = row->wanted;
        row->under_way = 0;
    }
}

unsigned ledger_differences(ledger *l, evdb_store *store)
{
    ledger_found found = { 0 };
    ledger_compare(l, store, &found);
    return found.lost + found.corrupt;
}

/* ---- the trash ---- */

static bool is_there(const evdb_trash *trash, int64_t id, ledger_state state)
{
    char metadata[LEDGER_METADATA_MAX];
    ledger_metadata(state.metadata, metadata);
    for (size_t i = 0; i < trash->count; i++)
        if (trash->at[i].id.number == id) return strcmp(trash->at[i].metadata, metadata) == 0;
    return false;
}

unsigned ledger_trash_differences(const ledger *l, evdb_store *store)
{
    evdb_trash *trash = NULL;
    evdb_error err;
    unsigned bad = 0;
    if (evdb_trash_list(store, 0, 0, &trash, &err) != EVDB_OK) {
        fprintf(stderr, "the trash: %s\n", err.message);
        return 1;
    }
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) {
        const ledger_row *row = &l->rows[i];
        if (!row->trashed.vector || is_there(trash, l->first + i, row->trashed)) continue;
        fprintf(stderr, "record %lld: was deleted as %u/%u, and is not in the trash\n", (long long)(l->first + i), row->trashed.vector,
                row->trashed.metadata);
        bad++;
    }
    evdb_trash_free(trash);
    return bad;
}

unsigned ledger_trash_restore(ledger *l, evdb_store *store)
{
    evdb_id ids[LEDGER_ROWS];
    evdb_undelete what = EVDB_UNDELETE;
    evdb_error err;
    uint32_t tag = ++l->tag;
    what.ids = ids;
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) {
        ledger_row *row = &l->rows[i];
        if (row->acknowledged.vector || !row->trashed.vector) continue;
        ids[what.count++] = (evdb_id){ .number = l->first + i };
        row->wanted = row->trashed;
        atomic_thread_fence(memory_order_seq_cst);
        row->under_way = tag;
    }
    evdb_status rc = what.count ? evdb_trash_restore(store, &what, NULL, &err) : EVDB_OK;
    if (rc != EVDB_OK) fprintf(stderr, "restore: %s\n", err.message);
    for (size_t i = 0; rc == EVDB_OK && i < what.count; i++) {
        ledger_row *row = &l->rows[ids[i].number - l->first];
        row->acknowledged = row->wanted;
        row->trashed = (ledger_state){ 0, 0 };
        atomic_thread_fence(memory_order_seq_cst);
        row->under_way = 0;
    }
    return rc == EVDB_OK ? ledger_differences(l, store) : 1;
}

void ledger_trash_emptied(ledger *l)
{
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) l->rows[i].trashed = (ledger_state){ 0, 0 };
}

unsigned ledger_feed_problems(evdb_store *store, uint64_t *from)
{
    unsigned bad = 0;
    evdb_error err;
    for (;;) {
        evdb_changes *changes;
        if (evdb_changes_read(store, *from, 0, &changes, &err) != EVDB_OK) {
            fprintf(stderr, "changes after %llu: %s\n", (unsigned long long)*from, err.message);
            return bad + 1;
        }
        for (size_t i = 0; i < changes->count; i++)
            if (changes->at[i].sequence != *from + 1 + i) {
                fprintf(stderr, "change %llu follows %llu\n", (unsigned long long)changes->at[i].sequence,
                        (unsigned long long)(*from + i));
                bad++;
            }
        size_t count = changes->count;
        *from = changes->last;
        evdb_changes_free(changes);
        if (!count) break;
    }
    return bad;
}

static void print_problem(void *context, const char *store, const char *text)
{
    (void)context;
    fprintf(stderr, "verify: %s: %s\n", store ? store : "system.db", text);
}

unsigned ledger_verify_problems(evdb *db)
{
    evdb_verify_report report;
    evdb_error err;
    if (evdb_verify(db, NULL, print_problem, NULL, &report, &err) == EVDB_OK) return (unsigned)report.problems;
    fprintf(stderr, "verify: %s\n", err.message);
    return 1;
}
