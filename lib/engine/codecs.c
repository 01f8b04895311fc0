/* codecs.c - implements engine/codecs.h. */
#include "engine/codecs.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include <string.h>

void codecs_init(codecs *c)
{
    memset(c, 0, sizeof(*c));
    c->coding.recode_from = -1;
    pthread_mutex_init(&c->lock, NULL);
}

void codecs_destroy(engine *e)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    for (codec_met *m = e->codecs.met, *next; m; m = next) {
        next = m->next;
        codec_free((codec *)(uintptr_t)m->codec);
        mem_free(mem, m);
    }
    pthread_mutex_destroy(&e->codecs.lock);
}

evdb_status codecs_learn(engine *e, rows_reader *rd, evdb_error *err)
{
    rows_coding coding;
    evdb_status rc = rows_coding_now(rd, &coding, err);
    if (rc != EVDB_OK) return rc;
    pthread_mutex_lock(&e->codecs.lock);
    if (coding.version >= e->codecs.coding.version) { /* else the reader is of earlier than another thread's */
        e->codecs.coding = coding;
        atomic_store(&e->codecs.now, coding.codec);
        atomic_store(&e->codecs.version, coding.version);
        atomic_store(&e->codecs.pending, coding.recode_from >= 0 || (*coding.wanted && !coding.codec));
    }
    pthread_mutex_unlock(&e->codecs.lock);
    return EVDB_OK;
}

void codecs_coding(engine *e, rows_coding *out)
{
    pthread_mutex_lock(&e->codecs.lock);
    *out = e->codecs.coding;
    pthread_mutex_unlock(&e->codecs.lock);
}

bool codecs_unsettled(engine *e)
{
    return atomic_load(&e->codecs.pending) || atomic_load(&e->codecs.untrained) || drift_found(e, atomic_load(&e->codecs.now));
}

bool codecs_renewed(engine *e, uint32_t version)
{
    rows_coding c;
    codecs_coding(e, &c);
    return c.version != version && c.recode_from < 0;
}

void codecs_hear(engine *e, const rows *r)
{
    rows_coding now;
    rows_coding_within(r, &now);
    if (now.version != atomic_load(&e->codecs.version) || now.recode_from >= 0) atomic_store(&e->codecs.pending, true);
}

/* Without trained parameters it is made anew from its name: its dimension may have been open when it was chosen. */
static evdb_status make(engine *e, const rows_codec *row, uint32_t dim, codec **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    evdb_error why;
    evdb_status rc = row->bytes ? codec_load(mem, e->db->kernel, row->bytes, row->size, out, &why)
                                : codec_create(mem, e->db->kernel, row->spec, dim, NULL, out, &why);
    if (rc == EVDB_OK && codec_dim(*out) != dim) {
        codec_free(*out);
        rc = error_set(&why, EVDB_CORRUPT, "codec %s: is of %u elements, and the vector has %u", row->spec, codec_dim(*out), dim);
    }
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

static const codec_met *find(codecs *c, uint32_t id, uint32_t dim)
{
    const codec_met *m = c->met;
    while (m && !(m->id == id && codec_dim(m->codec) == dim)) m = m->next;
    return m;
}

/* With the lock held. */
static evdb_status meet(engine *e, const rows_codec *row, uint32_t dim, const codec_met **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    codec *made = NULL;
    evdb_status rc = make(e, row, dim, &made, err);
    if (rc != EVDB_OK) return rc;
    codec_met *m = mem_alloc(mem, sizeof(*m));
    if (!m) {
        codec_free(made);
        return error_no_memory(err, sizeof(*m), "a codec");
    }
    *m = (codec_met){ .id = row->id, .own = row->own, .loss = row->loss, .codec = made, .next = e->codecs.met };
    e->codecs.met = m;
    *out = m;
    return EVDB_OK;
}

evdb_status codecs_meet(engine *e, const rows_codec *row, uint32_t dim, const codec_met **out, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    pthread_mutex_lock(&e->codecs.lock);
    *out = find(&e->codecs, row->id, dim);
    if (!*out) rc = meet(e, row, dim, out, err);
    pthread_mutex_unlock(&e->codecs.lock);
    return rc;
}

/* Is it known without a look at rows.db? */
static bool known(engine *e, uint32_t id, uint32_t dim, const codec_met **out)
{
    *out = NULL;
    if (!id) return true;
    pthread_mutex_lock(&e->codecs.lock);
    *out = find(&e->codecs, id, dim);
    pthread_mutex_unlock(&e->codecs.lock);
    return *out;
}

evdb_status codecs_get(engine *e, rows_reader *rd, uint32_t id, uint32_t dim, const codec_met **out, evdb_error *err)
{
    rows_codec row;
    if (known(e, id, dim, out)) return EVDB_OK;
    evdb_status rc = rows_codec_get(rd, id, &row, err);
    return rc == EVDB_OK ? codecs_meet(e, &row, dim, out, err) : rc;
}

evdb_status codecs_in_force(engine *e, uint32_t dim, const codec_met **out, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_coding coding;
    evdb_status rc = EVDB_OK;
    if (known(e, atomic_load(&e->codecs.now), dim, out)) return EVDB_OK;
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_coding_now(rd, &coding, err)); /* another one may be in force since that was read: both are of one state here */
    TRY(codecs_get(e, rd, coding.codec, dim, out, err));
out:
    rows_read_end(rd);
    return rc;
}

evdb_status codecs_put_back(engine *e, rows *r, const codec_met *met, evdb_error *err)
{
    rows_coding now;
    rows_codec row = { .id = met->id, .own = met->own, .spec = codec_spec(met->codec), .loss = met->loss };
    buf saved;
    bool there;
    evdb_status rc = EVDB_OK;
    buf_init(&saved, &e->db->platform.mem);
    rows_coding_within(r, &now);
    if (met->id == now.codec) goto out;
    TRY(rows_codec_known(r, met->id, &there, err));
    if (there) goto out;
    if (codec_trained_bytes(met->codec)) TRY(codec_save(met->codec, &saved, err));
    row.bytes = saved.at;
    row.size = saved.size;
    rc = rows_codec_add(r, &row, &row.id, err);
out:
    buf_free(&saved);
    return rc;
}
