/* codecs_own.c - codecs that single records ask for: codecs_own(). */
#include "base/error.h"
#include "base/try.h"
#include "engine/codecs.h"
#include "engine/recode_private.h"
#include <string.h>

typedef struct adding {
    const char *spec;
    double loss;
    buf saved;
    uint32_t id;
} adding;

static rows_codec added(const adding *a, uint32_t id)
{
    return (rows_codec){ .id = id, .own = true, .spec = a->spec, .loss = a->loss, .bytes = a->saved.at, .size = a->saved.size };
}

static evdb_status add(void *context, rows *r, evdb_error *err)
{
    adding *a = context;
    const rows_codec row = added(a, 0);
    return rows_codec_add(r, &row, &a->id, err);
}

/* Its parameters, where it has such: those of the store's codec of this name, or made from the store's vectors. */
static evdb_status parameters(engine *e, rows_reader *rd, adding *a, evdb_error *err)
{
    rows_codec stores;
    codec *made = NULL;
    uint64_t needed;
    bool found;
    evdb_status rc;
    TRY(recode_needed(a->spec, atomic_load(&e->dim), true, &needed, err));
    if (!needed) goto out;
    TRY(rows_codec_find(rd, a->spec, false, &stores, &found, err));
    if (found && stores.bytes) {
        a->loss = stores.loss;
        if (!buf_add(&a->saved, stores.bytes, stores.size)) rc = error_no_memory(err, stores.size, "a codec");
        goto out;
    }
    TRY(recode_train(e, rd, a->spec, &made, &a->loss, err));
    rc = codec_save(made, &a->saved, err);
out:
    codec_free(made);
    return rc;
}

evdb_status codecs_allowed(const engine *e, const char *spec, evdb_error *err)
{
    if (e->dtype == EVDB_F32 && e->metric != EVDB_CUSTOM) return EVDB_OK;
    return error_set(err, EVDB_UNSUPPORTED, "codec '%.40s': only stores of f32 and of no custom metric have codecs", spec);
}

evdb_status codecs_own(engine *e, const char *spec, uint32_t dim, const codec_met **out, evdb_error *err)
{
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    adding a = { .spec = whole };
    rows_reader *rd = NULL;
    rows_codec row;
    bool found;
    evdb_status rc;
    buf_init(&a.saved, &e->db->platform.mem);
    TRY(codecs_allowed(e, spec, err));
    TRY(codec_check(strcmp(spec, CODECS_NONE) == 0 ? "f32" : spec, dim, whole, NULL, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(engine_learn(e, rd, err));
    TRY(rows_codec_find(rd, whole, true, &row, &found, err));
    if (!found) {
        TRY(parameters(e, rd, &a, err));
        rows_read_end(rd);
        rd = NULL;
        TRY(recode_commit(e, add, &a, err));
        row = added(&a, a.id); /* not read back: until a vector is of it, anybody may forget it */
    }
    rc = codecs_meet(e, &row, dim, out, err);
out:
    rows_read_end(rd);
    buf_free(&a.saved);
    return rc;
}
