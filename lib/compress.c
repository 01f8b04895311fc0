/* compress.c - implements evdb/compress.h. */
#include <evdb/compress.h>
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/recode_private.h"
#include "store_private.h"
#include <stdio.h>
#include <string.h>

static const char *const states[] = { [EVDB_COMPRESSION_SETTLED] = "settled", [EVDB_COMPRESSION_WAITING] = "waiting",
                                      [EVDB_COMPRESSION_TRAINING] = "training", [EVDB_COMPRESSION_RECODING] = "recoding" };

const char *evdb_compression_state_name(evdb_compression_state state)
{
    return state >= EVDB_COMPRESSION_SETTLED && state <= EVDB_COMPRESSION_RECODING ? states[state] : NULL;
}

evdb_status evdb_store_set_codec(evdb_store *store, const char *spec, evdb_error *err)
{
    engine *e = store->engine;
    char whole[EVDB_CODEC_SPEC_MAX + 1] = "";
    evdb_status rc;
    TRY(engine_usable(e, err));
    if (!spec) TRY(error_set(err, EVDB_INVALID, "a codec is missing: 'i8', say, or 'none'"));
    TRY(codecs_allowed(e, spec, err));
    if (*spec && strcmp(spec, CODECS_NONE) != 0) TRY(codec_check(spec, atomic_load(&e->dim), whole, NULL, err));
    TRY(recode_choose(e, whole, err));
    atomic_store(&e->recode.next_look, 0);
    recode_begin(e);
out:
    return rc;
}

evdb_status evdb_store_recode(evdb_store *store, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? recode_run(store->engine, err) : rc;
}

/* Of the codec in force: what a vector takes. */
static evdb_status sizes(engine *e, rows_reader *rd, const rows_coding *coding, evdb_compression *out, evdb_error *err)
{
    uint32_t dim = atomic_load(&e->dim);
    const codec_met *met = NULL;
    rows_codec row;
    evdb_status rc = EVDB_OK;
    out->version = coding->version;
    if (coding->codec) {
        TRY(rows_codec_get(rd, coding->codec, &row, err));
        snprintf(out->in_force, sizeof(out->in_force), "%s", row.spec);
        out->loss = row.loss;
    }
    out->plain_bytes = out->vector_bytes = out->row_bytes = dim * sizeof(float);
    if (dim) TRY(codecs_get(e, rd, coding->codec, dim, &met, err));
    if (!met) goto out;
    out->vector_bytes = codec_bound(met->codec);
    out->row_bytes = codec_code_bytes(met->codec);
    out->trained_bytes = codec_trained_bytes(met->codec);
out:
    return rc;
}

/* What it waits for. A codec that was chosen before the first vector came may not fit it: then for another codec. */
static evdb_status what_is_missing(engine *e, evdb_compression *c, evdb_error *err)
{
    evdb_error unfit;
    c->state = EVDB_COMPRESSION_WAITING;
    if (!*c->codec) return EVDB_OK;
    evdb_status rc = recode_needed(c->codec, atomic_load(&e->dim), false, &c->needed, &unfit);
    if (rc == EVDB_INVALID || rc == EVDB_LIMIT) {
        snprintf(c->problem, sizeof(c->problem), "%.*s", (int)sizeof(c->problem) - 1, unfit.message);
        rc = EVDB_OK;
    }
    if (rc != EVDB_OK && err) *err = unfit;
    return rc;
}

evdb_status evdb_store_get_compression(evdb_store *store, evdb_compression *out, evdb_error *err)
{
    engine *e = store->engine;
    evdb_compression c = EVDB_COMPRESSION;
    rows_coding coding;
    rows_reader *rd = NULL;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(engine_learn(e, rd, err));
    TRY(codecs_learn(e, rd, err));
    TRY(rows_coding_now(rd, &coding, err)); /* not what another thread has learned since: its codec may be none that rd sees */
    snprintf(c.codec, sizeof(c.codec), "%s", coding.wanted);
    TRY(sizes(e, rd, &coding, &c, err));
    TRY(rows_slots(rd, &c.total, err));
    c.done = coding.recode_from < 0 || (uint64_t)coding.recode_from > c.total ? c.total : (uint64_t)coding.recode_from;
    c.state = coding.recode_from >= 0 ? EVDB_COMPRESSION_RECODING : EVDB_COMPRESSION_SETTLED;
    recode_problem(e, c.problem, sizeof(c.problem));
    if (strcmp(c.codec, c.in_force) != 0) TRY(what_is_missing(e, &c, err));
    if (atomic_load(&e->recode.phase) == RECODE_TRAINING) c.state = EVDB_COMPRESSION_TRAINING;
    c.loss_now = drift_loss(e);
    if (codecs_unsettled(e)) recode_begin(e); /* who waits for it by asking may be the only one there is */
    rc = options_export(out, &c, sizeof(c), "evdb_compression", err);
out:
    rows_read_end(rd);
    return rc;
}

evdb_status evdb_record_insert_compressed(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                                          const char *spec, uint64_t *version, evdb_error *err)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = EVDB_INSERT;
    b.ids = &id;
    b.vectors = vector;
    b.dim = dim;
    if (metadata) b.metadata = &metadata;
    b.codec = spec ? spec : CODECS_NONE;
    return record_write(store, &b, version, err);
}
