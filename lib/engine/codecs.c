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
    return atomic_load(&e->codecs.pending) || atomic_load(&e->codecs.untrained) || atomic_load(&e->drift.found);
}

bool codecs_renewed(engine *e, uint32_t version)
{
    rows_coding c;
    codecs_coding(e, &c);
    return c.version != version && c.recode_from < 0;
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
static evdb_status meet(engine *e, rows_reader *rd, uint32_t id, uint32_t dim, const codec_met **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    rows_codec row;
    codec *made = NULL;
    evdb_status rc = rows_codec_get(rd, id, &row, err);
    if (rc == EVDB_OK) rc = make(e, &row, dim, &made, err);
    if (rc != EVDB_OK) return rc;
    codec_met *m = mem_alloc(mem, sizeof(*m));
    if (!m) {
        codec_free(made);
        return error_no_memory(err, sizeof(*m), "a codec");
    }
    *m = (codec_met){ .id = id, .loss = row.loss, .codec = made, .next = e->codecs.met };
    e->codecs.met = m;
    *out = m;
    return EVDB_OK;
}

evdb_status codecs_get(engine *e, rows_reader *rd, uint32_t id, uint32_t dim, const codec_met **out, evdb_error *err)
{
    rows_reader *own = NULL;
    evdb_status rc = EVDB_OK;
    *out = NULL;
    if (!id) return EVDB_OK;
    pthread_mutex_lock(&e->codecs.lock);
    *out = find(&e->codecs, id, dim);
    pthread_mutex_unlock(&e->codecs.lock);
    if (*out) return EVDB_OK;
    if (!rd && (rc = rows_read(e->rows, &own, err)) != EVDB_OK) return rc;
    pthread_mutex_lock(&e->codecs.lock);
    *out = find(&e->codecs, id, dim);
    if (!*out) rc = meet(e, rd ? rd : own, id, dim, out, err);
    pthread_mutex_unlock(&e->codecs.lock);
    rows_read_end(own);
    return rc;
}
