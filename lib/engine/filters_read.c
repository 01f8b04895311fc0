/* filters_read.c - what records have in their metadata: for the bits of filters, and for columns. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/filters_private.h"
#include <string.h>

enum { FOLLOW_SHARE = 2 }; /* more changes than one in so many records: reading them all is cheaper than one by one */

/* Whoever wants to know what records hold. */
typedef evdb_status take_fn(void *context, const rows_record *record, evdb_error *err);

typedef struct reading {
    engine *engine;
    rows_reader *reader;
    take_fn *take;
    void *context;
} reading;

static evdb_status read_all(const reading *r, evdb_error *err)
{
    rows_record record;
    bool found = true;
    evdb_status rc;
    TRY(rows_seek(r->reader, NULL, err));
    for (;;) {
        TRY(rows_step(r->reader, 0, &record, &found, err));
        if (!found) break;
        TRY(r->take(r->context, &record, err));
    }
out:
    return rc;
}

static evdb_status read_changed(void *context, const rows_change *change, evdb_error *err)
{
    const reading *r = context;
    rows_record record;
    evdb_error why;
    if (change->kind == EVDB_CHANGE_DELETE) return EVDB_OK; /* no row that is seen has the slot */
    evdb_status rc = rows_get(r->reader, &change->id, 0, &record, &why);
    if (rc == EVDB_NOT_FOUND) return EVDB_OK; /* deleted since */
    if (rc == EVDB_OK) return r->take(r->context, &record, err);
    if (err) *err = why;
    return rc;
}

/* Can what was true of `since` be brought to the snapshot by its changes? */
static bool worth_following(bool known, uint64_t since, const view_snapshot *s)
{
    return known && since <= s->rows.sequence &&
           (s->rows.sequence - since) * FOLLOW_SHARE <= flat_count(s->index->flat) + EVDB_CHANGES_MAX;
}

/* Records that changed after `since`, or all records, after begin(). */
static evdb_status read_since(reading *r, bool known, uint64_t since, const view_snapshot *s, void (*begin)(void *context),
                              evdb_error *err)
{
    evdb_error why;
    evdb_status rc = EVDB_GONE;
    if (worth_following(known, since, s)) {
        rc = rows_changes(r->reader, since, SIZE_MAX, read_changed, r, &why);
        if (rc != EVDB_OK && rc != EVDB_GONE && err) *err = why;
    }
    if (rc != EVDB_GONE) return rc;
    begin(r->context);
    return read_all(r, err);
}

/* ---- columns ---- */

void columns_forget(engine *e)
{
    filters *f = &e->filters;
    f->columns_known = false;
    for (uint32_t i = 0; f->columns && i < f->info->field_count; i++) column_free(&f->columns[i]);
}

static void columns_begin(void *context) { columns_forget(context); }

static evdb_status columns_take(void *context, const rows_record *record, evdb_error *err)
{
    filters *f = &((engine *)context)->filters;
    evdb_status rc = EVDB_OK;
    for (uint32_t i = 0; rc == EVDB_OK && i < f->info->field_count; i++)
        rc = column_put(&f->columns[i], record->slot, record->metadata, record->metadata_length, err);
    return rc;
}

static evdb_status declare(engine *e, rows_reader *rd, evdb_error *err)
{
    filters *f = &e->filters;
    evdb_status rc = EVDB_OK;
    if (!f->info) TRY(rows_info(rd, &f->info, err));
    if (f->columns) goto out;
    if (!(f->columns = mem_array(&e->db->platform.mem, f->info->field_count + 1u, sizeof(*f->columns))))
        TRY(error_no_memory(err, f->info->field_count * sizeof(*f->columns), "columns"));
    for (uint32_t i = 0; i < f->info->field_count; i++) column_init(&f->columns[i], &e->db->platform.mem, f->info->fields[i]);
out:
    return rc;
}

static evdb_status columns_know(engine *e, rows_reader *rd, const view_snapshot *s, evdb_error *err)
{
    filters *f = &e->filters;
    reading r = { e, rd, columns_take, e };
    bool known = f->columns_known;
    for (uint32_t i = 0; i < f->info->field_count; i++) known &= !column_wasteful(&f->columns[i]);
    if (known && f->columns_sequence == s->rows.sequence) return EVDB_OK;
    f->columns_known = false; /* unless all goes well */
    evdb_status rc = read_since(&r, known, f->columns_sequence, s, columns_begin, err);
    f->columns_known = rc == EVDB_OK;
    f->columns_sequence = s->rows.sequence;
    return rc;
}

/* The columns that the filter asks for; false when one of its fields is not declared. */
static bool all_declared(const filters *f, const filter *asked, const column **out)
{
    for (uint32_t i = 0; i < filter_fields(asked); i++) {
        out[i] = NULL;
        for (uint32_t j = 0; j < f->info->field_count && !out[i]; j++)
            if (strcmp(f->info->fields[j], filter_field(asked, i)) == 0) out[i] = &f->columns[j];
        if (!out[i]) return false;
    }
    return true;
}

/* ---- bits of slots ---- */

typedef struct marking {
    engine *engine;
    filter_kept *kept;
} marking;

static evdb_status make_room(engine *e, filter_kept *k, uint64_t slots, evdb_error *err)
{
    size_t words = (size_t)(slots + 63) / 64, more = k->words + k->words / 8;
    if (words <= k->words) return EVDB_OK;
    if (more < words) more = words;
    uint64_t *grown = mem_resize(&e->db->platform.mem, k->slots, more, sizeof(*grown));
    if (!grown) return error_no_memory(err, more * sizeof(*grown), "a filter's matches");
    memset(grown + k->words, 0, (more - k->words) * sizeof(*grown));
    k->slots = grown;
    k->words = more;
    return EVDB_OK;
}

static void mark_begin(void *context) { (void)context; } /* every record is asked about: nothing old is seen */

static evdb_status mark(void *context, const rows_record *record, evdb_error *err)
{
    const marking *m = context;
    uint64_t bit = UINT64_C(1) << record->slot % 64;
    evdb_status rc = make_room(m->engine, m->kept, record->slot + 1, err);
    if (rc != EVDB_OK) return rc;
    uint64_t *word = &m->kept->slots[record->slot / 64];
    atomic_fetch_add_explicit(&m->engine->filters.reads, 1, memory_order_relaxed);
    *word = filter_matches(m->kept->parsed, record->metadata, record->metadata_length) ? *word | bit : *word & ~bit;
    return EVDB_OK;
}

static evdb_status select_slots(engine *e, filter_kept *k, const column *const *columns, evdb_error *err)
{
    const filters *f = &e->filters;
    size_t slots = 0;
    for (uint32_t i = 0; i < f->info->field_count; i++)
        if (f->columns[i].slots > slots) slots = f->columns[i].slots;
    evdb_status rc = make_room(e, k, slots, err);
    return rc == EVDB_OK ? filter_select(k->parsed, &e->db->platform.mem, columns, slots, k->slots, err) : rc;
}

evdb_status filter_know(engine *e, filter_kept *k, rows_reader *rd, const view_snapshot *s, evdb_error *err)
{
    const column *columns[EVDB_FILTER_FIELDS_MAX];
    marking m = { e, k };
    reading r = { e, rd, mark, &m };
    bool known = k->known;
    evdb_status rc;
    if (known && k->sequence == s->rows.sequence) return EVDB_OK; /* of another index */
    k->known = false; /* unless all goes well */
    TRY(declare(e, rd, err));
    if (e->filters.info->field_count && all_declared(&e->filters, k->parsed, columns)) {
        TRY(columns_know(e, rd, s, err));
        TRY(select_slots(e, k, columns, err));
    } else TRY(read_since(&r, known, k->sequence, s, mark_begin, err));
    k->known = true;
    k->sequence = s->rows.sequence;
out:
    return rc;
}
