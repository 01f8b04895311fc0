/* generation_verify.c - generation_verify(): the file of an index beside the rows that it was made from. */
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/generation.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TOLD_MAX = 20 }; /* rows of one file that are named */

typedef struct verifying {
    engine *engine;
    view_index *index;
    flat_snapshot rows;
    rows_reader *reader;
    stored_room room;
    uint64_t matched, told;
    void (*problem)(void *context, const char *text);
    void *context;
} verifying;

__attribute__((format(printf, 2, 3))) static void report(verifying *v, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (v->told++ < TOLD_MAX) v->problem(v->context, text);
}

/* Was the record taken out because its time has come? Then it is yet to be deleted. */
static bool taken_out(const verifying *v, const evdb_id *id)
{
    rows_record record;
    return rows_get(v->reader, id, 0, &record, NULL) == EVDB_OK && record.expires &&
           record.expires <= atomic_load(&v->index->expiry.until);
}

/* A vector of the store: the index must have it, under its id. */
static evdb_status compare(void *context, const rows_vector *r, evdb_error *err)
{
    verifying *v = context;
    char shown[64];
    uint32_t row = flat_row(v->index->flat, r->slot), dim = atomic_load(&v->engine->dim);
    const void *expected;
    evdb_status rc = stored_row(v->engine, v->reader, &v->index->form, r, dim, &v->room, &expected, err);
    if (rc != EVDB_OK) return rc;
    if (row == FLAT_NO_ROW && taken_out(v, &r->id)) return EVDB_OK;
    if (row == FLAT_NO_ROW || !flat_visible(&v->rows, row)) report(v, "index: has no row for record %s", id_show(&r->id, shown, sizeof(shown)));
    else {
        evdb_id id = flat_id(&v->rows, row);
        bool same = id_equal(&id, &r->id) && memcmp(flat_stored(v->index->flat, row), expected, flat_row_bytes(v->index->flat)) == 0;
        if (!same) report(v, "index: has another vector for record %s", id_show(&r->id, shown, sizeof(shown)));
    }
    v->matched++;
    return EVDB_OK;
}

/* After what happened since, the index has exactly the vectors there are. Where changes were trimmed it cannot be told. */
static evdb_status check_rows(verifying *v, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_error why;
    evdb_status rc;
    TRY(rows_read(v->engine->rows, &rd, err));
    TRY(rows_tip_now(rd, &tip, err));
    if (flat_sequence(v->index->flat) > tip.sequence) {
        report(v, "index: is of change %llu, which the store has not had", (unsigned long long)flat_sequence(v->index->flat));
        goto out;
    }
    rc = view_follow(v->engine, rd, v->index, tip.sequence, &why);
    if (rc == EVDB_GONE || rc == EVDB_CORRUPT) { /* damaged rows are reported by those who look at rows */
        rc = EVDB_OK;
        goto out;
    }
    if (rc != EVDB_OK && err) *err = why;
    if (rc != EVDB_OK) goto out;
    flat_begin(v->index->flat, &v->rows);
    v->reader = rd;
    rc = rows_vectors(rd, compare, v, &why);
    flat_end(&v->rows);
    if (rc == EVDB_OK && v->matched != flat_count(v->index->flat))
        report(v, "index: has %llu rows, and the store %llu vectors", (unsigned long long)flat_count(v->index->flat),
               (unsigned long long)v->matched);
    if (rc == EVDB_CORRUPT) rc = EVDB_OK;
    if (rc != EVDB_OK && err) *err = why;
out:
    rows_read_end(rd);
    return rc;
}

evdb_status generation_verify(engine *e, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    verifying v = { .engine = e, .problem = problem, .context = context };
    char *dir = NULL, text[160];
    evdb_error bad;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK || !dir) return rc;
    rc = generation_read(e, dir, UINT64_MAX, &v.index, &bad);
    if (rc == EVDB_OK && indexed_problem(v.index->vectors, text, sizeof(text))) report(&v, "index: %s", text);
    if (rc == EVDB_OK) rc = check_rows(&v, &bad);
    if (rc == EVDB_NO_MEMORY && err) *err = bad;
    else if (rc != EVDB_OK && rc != EVDB_NOT_FOUND && rc != EVDB_NO_MEMORY) problem(context, bad.message);
    stored_room_free(e, &v.room);
    if (v.index) indexed_free(v.index->vectors);
    mem_free(&e->db->platform.mem, v.index);
    mem_free(&e->db->platform.mem, dir);
    return rc == EVDB_NO_MEMORY ? rc : EVDB_OK;
}
