/* transfer_check.c - implements transfer_check.h. */
#include "transfer_check.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "store_private.h"
#include "transfer_present.h"
#include <stdio.h>

evdb_status transfer_check_begin(transfer_check *c, evdb_store *store, const evdb_store_info *info, evdb_write kind,
                                 bool thorough, bool may_repeat, evdb_error *err)
{
    uint64_t records = 0;
    *c = (transfer_check){ .store = store, .kind = kind, .dim = info->dim, .id_type = info->id_type };
    if (!thorough) return EVDB_OK;
    evdb_status rc = evdb_store_count(store, &records, err);
    if (rc != EVDB_OK) return rc;
    c->empty = records == 0;
    c->in_store = kind == EVDB_INSERT && !c->empty;
    return may_repeat ? idset_create(store_platform(store), &c->seen, err) : EVDB_OK;
}

void transfer_check_end(transfer_check *c)
{
    idset_free(c->seen);
    c->seen = NULL;
}

static evdb_status bad(const reader_row *row, const char *unit, evdb_status status, const char *text, evdb_error *err)
{
    return error_item(err, row->line, status, "%s %llu: %s", unit, (unsigned long long)row->line, text);
}

static evdb_status check_vector(const transfer_check *c, const reader_row *row, const char *unit, evdb_error *err)
{
    evdb_error why;
    evdb_status rc = input_vector(c->store->engine, row->vector, row->dim, &why);
    if (rc != EVDB_OK) return bad(row, unit, rc, why.message, err);
    /* a store that has no dimension yet takes it from the first good record */
    if (!c->dim || row->dim == c->dim) return EVDB_OK;
    return error_item(err, row->line, EVDB_INVALID, "%s %llu: the vector has %u elements, those before it %u", unit,
                      (unsigned long long)row->line, row->dim, c->dim);
}

/* Why the store's record of that id stands in the way, or NULL. */
static evdb_status look_up(transfer_check *c, const reader_row *row, const char **why, evdb_error *err)
{
    static const char *const others[] = { [PRESENT_OTHER_VECTOR] = "is in the store with another vector",
                                          [PRESENT_OTHER_METADATA] = "is in the store with other metadata" };
    presence found = PRESENT_NOT;
    bool has = false;
    evdb_status rc;
    *why = NULL;
    if (c->resume && !c->empty) {
        rc = transfer_present(c->store, &c->id, row, &found, err);
        c->present = found == PRESENT_SAME;
        if (rc == EVDB_OK && c->kind == EVDB_INSERT && found != PRESENT_NOT && !c->present) *why = others[found];
        return rc;
    }
    rc = c->in_store ? store_has(c->store, &c->id, &has, err) : EVDB_OK;
    if (has) *why = "is already in the store";
    return rc;
}

static evdb_status check_unique(transfer_check *c, const reader_row *row, const char *unit, bool *fatal,
                                evdb_error *err)
{
    bool added = true;
    char id[64], text[128];
    const char *why;
    evdb_status rc = look_up(c, row, &why, err);
    if (rc == EVDB_OK && !why && c->seen) rc = idset_add(c->seen, &c->id, &added, err);
    *fatal = rc != EVDB_OK;
    if (rc != EVDB_OK || (!why && added)) return rc;
    snprintf(text, sizeof(text), "id %s %s", id_show(&c->id, id, sizeof(id)), why ? why : "appears a second time");
    return bad(row, unit, EVDB_EXISTS, text, err);
}

evdb_status transfer_check_row(transfer_check *c, const reader_row *row, const char *unit, bool *fatal, evdb_error *err)
{
    evdb_error why;
    evdb_id_type type = c->id_type;
    *fatal = c->present = false;
    evdb_status rc = check_vector(c, row, unit, err);
    if (rc != EVDB_OK) return rc;
    if (type == EVDB_ID_UNDECIDED) type = row->id.text ? EVDB_ID_STRING : EVDB_ID_INTEGER;
    rc = id_resolve(type, &row->id, c->id_text, &c->id, &why);
    if (rc != EVDB_OK) return bad(row, unit, rc, why.message, err);
    rc = check_unique(c, row, unit, fatal, err);
    if (rc != EVDB_OK) return rc;
    /* only a good record decides, as it would when written */
    c->id_type = type;
    c->dim = row->dim;
    return EVDB_OK;
}
