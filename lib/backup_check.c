/* backup_check.c - whether a chain of backups is such that a store can be made of it: everything that can be known without making it.
 *
 * A sound checksum only tells accidents. What comes from outside may have been made by somebody who can compute them, so every
 * record is looked at as if it were being written. */
#include "backup_private.h"
#include "base/checksum.h"
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/try.h"
#include "base/utf8.h"
#include "codec/codec.h"
#include "engine/engine.h"
#include "store_private.h"
#include <string.h>

typedef struct known {
    struct known *next;
    uint32_t id;
    uint64_t sum; /* of all that it is */
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    codec *made;  /* NULL until a vector of it is met, where it has no trained parameters */
} known;

typedef struct backup_checker {
    evdb *db;
    const evdb_restore_options *options;
    evdb_metric metric;
    evdb_dtype dtype;
    uint32_t dim;        /* 0 = not known yet */
    bool texts, numbers; /* ids that were seen */
    known *codecs;
    buf code, metadata;
    uint64_t before;     /* records of earlier files */
} backup_checker;

static evdb_status bad(evdb_error *err, const evdb_id *id, const char *what)
{
    char shown[64];
    return error_set(err, EVDB_CORRUPT, "record %s: %s", id_show(id, shown, sizeof(shown)), what);
}

/* ---- codecs ---- */

static known *find_codec(const backup_checker *c, uint32_t id)
{
    known *k = c->codecs;
    while (k && k->id != id) k = k->next;
    return k;
}

/* Of the same number in a later file, it must be the same one. */
static evdb_status meet_codec(void *context, const rows_codec *row, evdb_error *err)
{
    backup_checker *c = context;
    const evdb_allocator *mem = &c->db->platform.mem;
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    uint64_t sum = checksum(row->bytes ? row->bytes : "", row->size, checksum(row->spec, strlen(row->spec), row->own));
    known *k = find_codec(c, row->id);
    evdb_error why;
    if (k) return k->sum == sum ? EVDB_OK : error_set(err, EVDB_CORRUPT, "codec %u is another one than before", row->id);
    if (c->dtype != EVDB_F32 || c->metric == EVDB_CUSTOM) return error_set(err, EVDB_CORRUPT, "codec %s: such a store has none", row->spec);
    if (codec_check(row->spec, c->dim, whole, NULL, &why) != EVDB_OK || strcmp(whole, row->spec) != 0)
        return error_set(err, EVDB_CORRUPT, "codec '%.60s' makes no sense", row->spec);
    if (!(k = mem_zero(mem, sizeof(*k)))) return error_no_memory(err, sizeof(*k), "a codec");
    k->id = row->id;
    k->sum = sum;
    memcpy(k->spec, whole, sizeof(whole));
    k->next = c->codecs;
    c->codecs = k;
    if (!row->bytes) return EVDB_OK;
    evdb_status rc = codec_load(mem, c->db->kernel, row->bytes, row->size, &k->made, err);
    if (rc == EVDB_OK && strcmp(codec_spec(k->made), whole) != 0) rc = error_set(err, EVDB_CORRUPT, "codec %s: its parameters are of another", whole);
    return rc;
}

static evdb_status check_coded(backup_checker *c, const backup_entry *e, evdb_error *err)
{
    const evdb_allocator *mem = &c->db->platform.mem;
    known *k = find_codec(c, e->codec);
    evdb_error why;
    evdb_status rc;
    if (!k) return bad(err, &e->id, "its vector is of a codec that is missing");
    if (!k->made && (rc = codec_create(mem, c->db->kernel, k->spec, c->dim, NULL, &k->made, err)) != EVDB_OK) return rc;
    if (codec_dim(k->made) != c->dim) return bad(err, &e->id, "its vector is of a codec of another dimension");
    c->code.size = 0;
    if (!buf_reserve(&c->code, codec_code_bytes(k->made))) return error_no_memory(err, codec_code_bytes(k->made), "a vector");
    rc = codec_unpack(k->made, e->bytes, e->size, (uint8_t *)c->code.at, &why);
    if (rc == EVDB_NO_MEMORY) return error_no_memory(err, codec_code_bytes(k->made), "a vector");
    return rc == EVDB_OK ? rc : bad(err, &e->id, why.message);
}

/* ---- records ---- */

static evdb_status check_metadata(backup_checker *c, const backup_entry *e, evdb_error *err)
{
    evdb_error why;
    c->metadata.size = 0;
    evdb_status rc = json_text_object(e->text, e->length, &c->metadata, &why);
    if (rc == EVDB_NO_MEMORY && err) *err = why;
    if (rc == EVDB_NO_MEMORY) return rc;
    if (rc != EVDB_OK) return bad(err, &e->id, why.message);
    return c->metadata.size == e->length ? EVDB_OK : bad(err, &e->id, "its metadata are not as stores keep them");
}

/* Values that input would refuse. */
static evdb_status check_elements(const backup_checker *c, const backup_entry *e, evdb_error *err)
{
    const unsigned char *bytes = e->bytes;
    evdb_status rc = element_check(c->dtype, &e->id, e->bytes, e->size, e->dim, err);
    if (rc != EVDB_OK) return rc;
    if (c->dtype == EVDB_F32 && !c->db->kernel->finite_f32(e->bytes, e->dim)) return bad(err, &e->id, "its vector has an element that is not finite");
    if (c->metric == EVDB_COSINE && bytes[0] == 0 && memcmp(bytes, bytes + 1, e->size - 1) == 0)
        return bad(err, &e->id, "its vector is all zeros, which has no direction");
    return EVDB_OK;
}

static evdb_status check_record(void *context, const backup_entry *e, evdb_error *err)
{
    backup_checker *c = context;
    evdb_id id = e->id;
    evdb_error why;
    if ((id.text && !id.length) || id_check(&id, &why) != EVDB_OK) return error_set(err, EVDB_CORRUPT, "an id makes no sense");
    if (e->kind == BACKUP_DELETE) return EVDB_OK;
    c->texts |= id.text != NULL;
    c->numbers |= id.text == NULL;
    if (c->texts && c->numbers) return bad(err, &e->id, "its id is of another kind than those before");
    if (!c->dim) c->dim = e->dim;
    if (c->dim != e->dim) return bad(err, &e->id, "its vector has another dimension than those before");
    bool named = !e->author || (!memchr(e->author, 0, e->author_length) && utf8_valid(e->author, e->author_length));
    if (!named) return bad(err, &e->id, "its author's name makes no sense");
    evdb_status rc = e->codec ? check_coded(c, e, err) : check_elements(c, e, err);
    return rc == EVDB_OK ? check_metadata(c, e, err) : rc;
}

static evdb_status check_state(void *context, const backup_entry *e, evdb_error *err)
{
    backup_checker *c = context;
    char wanted[EVDB_CODEC_SPEC_MAX + 1], whole[EVDB_CODEC_SPEC_MAX + 1];
    evdb_id id = e->id;
    bool typed = (!c->texts || e->id_type == EVDB_ID_STRING) && (!c->numbers || e->id_type == EVDB_ID_INTEGER);
    if (!typed || (c->dim && e->dim != c->dim) || e->version > INT64_MAX || e->live > e->version)
        return error_set(err, EVDB_CORRUPT, "its end does not fit its records");
    bool erased = e->change == EVDB_CHANGE_DELETE && id.text && !id.length; /* what the last change deleted was forgotten */
    if (e->change && !erased && ((id.text && !id.length) || id_check(&id, NULL) != EVDB_OK)) return error_set(err, EVDB_CORRUPT, "an id makes no sense");
    if (e->codec && !find_codec(c, e->codec)) return error_set(err, EVDB_CORRUPT, "the codec in force is missing");
    memcpy(wanted, e->text, e->length);
    wanted[e->length] = 0;
    bool plain = c->dtype == EVDB_F32 && c->metric != EVDB_CUSTOM;
    if (e->length && (!plain || codec_check(wanted, e->dim, whole, NULL, NULL) != EVDB_OK || strcmp(whole, wanted) != 0))
        return error_set(err, EVDB_CORRUPT, "the codec that is wanted makes no sense");
    return EVDB_OK;
}

static evdb_status check_tick(void *context, uint64_t entries, evdb_error *err)
{
    const backup_checker *c = context;
    return backup_tick(c->options, EVDB_PHASE_CHECK, c->before + entries, err);
}

/* ---- files ---- */

/* Does this file begin a chain, or go on with it? */
static evdb_status check_link(const backup_checked *c, const backup_head *h, evdb_error *err)
{
    if (c->alone || (!c->count && h->full)) return EVDB_OK;
    if (!c->count) return error_set(err, EVDB_INVALID, "it is an increment: the backup it builds on is needed before it");
    if (h->full) return error_set(err, EVDB_INVALID, "it is full: it does not go on from the one before it");
    if (memcmp(h->base, c->id, BACKUP_ID) != 0 || h->base_sequence != c->last.sequence || strcmp(h->store.uuid, c->last.uuid) != 0)
        return error_set(err, EVDB_INVALID, "it does not go on from the one before it");
    return EVDB_OK;
}

/* The store that is described must be one that could be created. */
static evdb_status check_store(const backup_head *h, evdb_error *err)
{
    const evdb_store_info *s = &h->store;
    evdb_store_options o = EVDB_STORE_OPTIONS, checked;
    evdb_error why;
    o.dim = s->dim;
    o.metric = s->metric;
    o.metric_name = s->metric_name;
    o.dtype = s->dtype;
    o.id_type = s->id_type;
    o.m = s->m;
    o.ef_construction = s->ef_construction;
    o.index_threads = s->index_threads;
    o.ttl_ms = s->ttl_ms;
    o.trash_ms = s->trash_ms;
    o.authors = s->authors;
    o.field_count = s->field_count;
    o.fields = s->fields;
    evdb_status rc = store_name_check(s->name, &why);
    if (rc == EVDB_OK) rc = store_options_check(&o, &checked, &why);
    if (rc == EVDB_OK) return rc;
    return error_set(err, EVDB_CORRUPT, "the store it describes makes no sense: %s", why.message);
}

static evdb_status begin(evdb *db, backup_checked *c, const backup_head *h, evdb_error *err)
{
    evdb_status rc;
    TRY(check_link(c, h, err));
    TRY(check_store(h, err));
    if (c->checker) goto out;
    c->checker = mem_zero(&db->platform.mem, sizeof(*c->checker));
    if (!c->checker) TRY(error_no_memory(err, sizeof(*c->checker), "checking a backup"));
    c->checker->db = db;
    c->checker->metric = h->store.metric;
    c->checker->dtype = h->store.dtype;
    buf_init(&c->checker->code, &db->platform.mem);
    buf_init(&c->checker->metadata, &db->platform.mem);
out:
    if (rc == EVDB_OK && (h->store.metric != c->checker->metric || h->store.dtype != c->checker->dtype))
        rc = error_set(err, EVDB_INVALID, "it is of another kind of store than the one before it");
    if (rc == EVDB_OK && !c->checker->dim) c->checker->dim = h->store.dim;
    return rc;
}

evdb_status backup_check_next(evdb *db, backup_checked *c, const evdb_source *source, const evdb_restore_options *o, evdb_error *err)
{
    backup_in *in = NULL;
    evdb_status rc;
    TRY(backup_in_open(&db->platform.mem, source, o->key, &in, err));
    const backup_head *head = backup_in_head(in);
    backup_info_fill(head, NULL, &c->last_seen);
    TRY(begin(db, c, head, err));
    c->checker->options = o;
    c->checker->before = c->records;
    const backup_visitor v = { .context = c->checker, .codec = meet_codec, .record = check_record, .state = check_state, .chunk = check_tick };
    TRY(backup_walk(&db->platform.mem, in, &v, err));
    const backup_foot *foot = backup_in_foot(in);
    backup_info_fill(head, foot, &c->last);
    c->last_seen = c->last;
    memcpy(c->id, head->id, sizeof(c->id));
    c->sum = foot->sum;
    c->ttl_ms = head->store.ttl_ms;
    c->trash_ms = head->store.trash_ms;
    c->authors = head->store.authors;
    c->raw_bytes += foot->raw_bytes;
    c->records += foot->entries;
    if (!c->count++) backup_in_give_head(in, &c->first);
    rc = backup_tick(o, EVDB_PHASE_CHECK, c->records, err);
out:
    backup_in_close(in);
    return rc;
}

void backup_check_end(evdb *db, backup_checked *c)
{
    const evdb_allocator *mem = &db->platform.mem;
    backup_head_free(&c->first);
    if (!c->checker) return;
    for (known *k = c->checker->codecs, *next; k; k = next) {
        next = k->next;
        codec_free(k->made);
        mem_free(mem, k);
    }
    buf_free(&c->checker->code);
    buf_free(&c->checker->metadata);
    mem_free(mem, c->checker);
}
