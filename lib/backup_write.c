/* backup_write.c - evdb_backup_write().
 *
 * No long read: a log that somebody reads from cannot be emptied. Records are read by the page, in order of id, each page a state of
 * its own; then what the feed of changes says has changed since the first page, in rounds, until little is left; and that in one
 * read, whose last change is the backup's. The later entry of an id counts, so it is the store as of that change.
 *
 * Nor a long step: a writer that is woken on the processor of whoever reads a page waits until that one sleeps (up to 4 ms, where idle
 * processors are not looked for). So steps end after a tenth of a millisecond, and a pause as long follows. */
#include "backup_private.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "format/backup_out.h"
#include "platform/wake.h"
#include "store_private.h"
#include <evdb/backup.h>
#include <string.h>

enum {
    STEP_NS = 100000,
    STEP_CHANGES = 8, /* between looks at the clock */
    LAST_CHANGES = 100,
    ROUNDS_MAX = 8,
    PAUSE_MAX_NS = 50000000,
    ALONE_NS = 100000000 /* without a change for so long, nobody writes */
};

typedef struct saving {
    engine *engine;
    const evdb_backup_options *options;
    backup_head head;
    backup_out *out;
    rows_reader *reader;
    uint64_t entries;
    uint64_t seen;     /* the last change, when it was last looked for */
    uint64_t began;    /* monotonic: the step under way */
    uint64_t alone_at; /* monotonic: nobody writes from then on */
    uint64_t reached;  /* changes up to here are in the backup */
    buf codecs;        /* uint32_t: numbers of those that are in it */
    buf after;         /* text of the last page's last id ... */
    evdb_id last;      /* ... which points there */
} saving;

static evdb_status tick(const saving *s, evdb_error *err)
{
    const evdb_backup_options *o = s->options;
    evdb_status rc = engine_usable(s->engine, err);
    if (rc != EVDB_OK || !o->progress || o->progress(o->context, EVDB_PHASE_WRITE, s->entries) == 0) return rc;
    return error_set(err, EVDB_CANCELLED, "the backup was cancelled after %llu records", (unsigned long long)s->entries);
}

static bool step_over(const saving *s) { return engine_now_ns(s->engine) - s->began >= STEP_NS; }

/* Between steps: who writes meanwhile gets half of the time. That nothing was written during one does not mean that nobody wants to:
 * they may have waited for this processor. */
static void give_way(saving *s)
{
    uint64_t now = engine_now_ns(s->engine), took = now - s->began;
    _Atomic uint32_t nobody = 0;
    if (!rows_unchanged_since(s->engine->rows, s->seen)) s->alone_at = now + ALONE_NS;
    if (took && now < s->alone_at) (void)wake_wait(&nobody, 0, took < PAUSE_MAX_NS ? took : PAUSE_MAX_NS);
    s->began = engine_now_ns(s->engine);
}

static evdb_status look(saving *s, rows_tip *tip, evdb_error *err)
{
    evdb_status rc = rows_tip_now(s->reader, tip, err);
    if (rc == EVDB_OK) s->seen = tip->sequence;
    return rc;
}

/* ---- entries ---- */

static bool has_codec(const saving *s, uint32_t id)
{
    const uint32_t *at = (const uint32_t *)(const void *)s->codecs.at;
    for (size_t i = 0; i < s->codecs.size / sizeof(*at); i++)
        if (at[i] == id) return true;
    return false;
}

/* A codec, if it is not in the file yet. */
static evdb_status save_codec(saving *s, uint32_t id, evdb_error *err)
{
    rows_codec c;
    evdb_status rc = EVDB_OK;
    if (!id || has_codec(s, id)) return EVDB_OK;
    TRY(rows_codec_get(s->reader, id, &c, err));
    if (!buf_add(&s->codecs, &id, sizeof(id))) TRY(error_no_memory(err, sizeof(id), "a backup"));
    backup_entry e = { .kind = BACKUP_CODEC, .codec = id, .text = c.spec, .length = strlen(c.spec), .own = c.own, .loss = c.loss,
                       .trained = c.bytes ? c.size : 0 };
    TRY(backup_out_add(s->out, &e, err));
    for (size_t at = 0; c.bytes && at < c.size; at += BACKUP_PART_MAX) {
        size_t left = c.size - at;
        e = (backup_entry){ .kind = BACKUP_PART, .bytes = (const char *)c.bytes + at, .size = left < BACKUP_PART_MAX ? left : BACKUP_PART_MAX };
        TRY(backup_out_add(s->out, &e, err));
        TRY(backup_out_step(s->out, err));
    }
out:
    return rc;
}

static evdb_status save_record(saving *s, const rows_record *r, evdb_error *err)
{
    evdb_status rc;
    TRY(save_codec(s, r->codec, err));
    backup_entry e = { .kind = BACKUP_PUT, .id = r->id, .version = r->version, .expires = r->expires, .codec = r->codec,
                       .dim = atomic_load(&s->engine->dim), .bytes = r->vector, .size = r->vector_bytes, .text = r->metadata, .length = r->metadata_length,
                       .author = r->author, .author_length = r->author_length, .written = r->written };
    TRY(backup_out_add(s->out, &e, err));
    s->entries++;
out:
    return rc;
}

/* ---- all records ---- */

static evdb_status remember(saving *s, const evdb_id *id, evdb_error *err)
{
    s->after.size = 0;
    s->last = *id;
    if (!id->text) return EVDB_OK;
    if (!buf_add(&s->after, id->text, id->length)) return error_no_memory(err, id->length, "an id");
    s->last.text = s->after.at;
    return EVDB_OK;
}

static evdb_status save_page(saving *s, bool first, bool *more, evdb_error *err)
{
    rows_record r;
    rows_tip tip;
    evdb_status rc;
    TRY(rows_read(s->engine->rows, &s->reader, err));
    TRY(engine_learn(s->engine, s->reader, err));
    TRY(look(s, &tip, err));
    TRY(rows_seek(s->reader, first ? NULL : &s->last, err));
    for (bool enough = false; !enough;) {
        TRY(rows_step(s->reader, ROWS_VECTOR, &r, more, err));
        if (!*more) break;
        TRY(save_record(s, &r, err));
        enough = backup_out_full(s->out) || step_over(s);
        if (enough) TRY(remember(s, &r.id, err));
    }
out:
    rows_read_end(s->reader);
    s->reader = NULL;
    return rc;
}

static evdb_status save_all(saving *s, evdb_error *err)
{
    bool more = true;
    evdb_status rc = EVDB_OK;
    for (bool first = true; more; first = false) {
        TRY(save_page(s, first, &more, err));
        if (backup_out_full(s->out)) {
            TRY(backup_out_step(s->out, err));
            TRY(tick(s, err));
        }
        give_way(s);
    }
out:
    return rc;
}

/* ---- what changed ---- */

/* A change counts if it is its record's last, as far as this read sees: else that one comes later. */
static evdb_status save_change(void *context, const rows_change *c, evdb_error *err)
{
    saving *s = context;
    rows_record r;
    evdb_status rc = rows_get(s->reader, &c->id, ROWS_VECTOR, &r, err);
    s->reached = c->sequence;
    if (rc == EVDB_OK && r.version == c->sequence) rc = save_record(s, &r, err);
    else if (rc == EVDB_NOT_FOUND && c->kind == EVDB_CHANGE_DELETE) {
        s->entries++;
        rc = backup_out_add(s->out, &(backup_entry){ .kind = BACKUP_DELETE, .id = c->id, .version = c->sequence }, err);
    } else if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    return rc == EVDB_OK ? backup_out_step(s->out, err) : rc;
}

static evdb_status some_changes(saving *s, bool *any, evdb_error *err)
{
    evdb_error why;
    uint64_t forgotten, before = s->reached;
    evdb_status rc = rows_forgotten(s->reader, &forgotten, err);
    if (rc != EVDB_OK) return rc;
    if (s->reached < forgotten)
        return error_set(err, EVDB_GONE, "records were forgotten since change %llu, which the backup goes on from: take a full backup",
                         (unsigned long long)s->reached);
    rc = rows_changes(s->reader, before, STEP_CHANGES, save_change, s, &why);
    *any = s->reached != before;
    if (rc == EVDB_GONE)
        return error_set(err, rc, "changes since %llu, which the backup goes on from, were trimmed: take a full backup",
                         (unsigned long long)s->reached);
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

static evdb_status save_some_changes(saving *s, uint64_t *tip, evdb_error *err)
{
    rows_tip at;
    evdb_status rc;
    TRY(rows_read(s->engine->rows, &s->reader, err));
    TRY(engine_learn(s->engine, s->reader, err));
    TRY(look(s, &at, err));
    *tip = at.sequence;
    for (bool any = true; any && at.sequence - s->reached > LAST_CHANGES && !step_over(s);) TRY(some_changes(s, &any, err));
out:
    rows_read_end(s->reader);
    s->reader = NULL;
    return rc;
}

static evdb_status save_rounds(saving *s, evdb_error *err)
{
    uint64_t tip, until = s->reached;
    int rounds = 0;
    evdb_status rc;
    do {
        if (s->reached >= until) rounds++;
        TRY(save_some_changes(s, &tip, err));
        if (s->reached >= until) until = tip;
        TRY(backup_out_step(s->out, err));
        TRY(tick(s, err));
        give_way(s);
    } while (tip - s->reached > LAST_CHANGES && rounds < ROUNDS_MAX);
out:
    return rc;
}

static evdb_status note_change(void *context, const rows_change *c, evdb_error *err)
{
    saving *s = context;
    backup_entry e = { .kind = BACKUP_STATE, .version = c->sequence, .id = c->id, .change = c->kind };
    rows_coding coding;
    rows_tip tip;
    evdb_status rc;
    TRY(rows_tip_now(s->reader, &tip, err));
    TRY(rows_coding_now(s->reader, &coding, err));
    e.live = tip.live;
    e.dim = atomic_load(&s->engine->dim);
    e.id_type = (evdb_id_type)atomic_load(&s->engine->id_type);
    e.codec = coding.codec;
    e.coding = coding.version;
    e.text = coding.wanted;
    e.length = strlen(coding.wanted);
    TRY(save_codec(s, coding.codec, err));
    rc = backup_out_add(s->out, &e, err);
out:
    return rc;
}

/* The rest, and where the store stands, in one read. */
static evdb_status save_last(saving *s, backup_foot *foot, evdb_error *err)
{
    rows_tip tip;
    evdb_status rc;
    TRY(rows_read(s->engine->rows, &s->reader, err));
    TRY(engine_learn(s->engine, s->reader, err));
    TRY(rows_tip_now(s->reader, &tip, err));
    for (bool any = true; any; give_way(s)) TRY(some_changes(s, &any, err));
    if (tip.sequence) TRY(rows_changes(s->reader, tip.sequence - 1, 1, note_change, s, err));
    else TRY(note_change(s, &(rows_change){ .kind = 0 }, err));
    *foot = (backup_foot){ .sequence = tip.sequence, .records = tip.live, .entries = s->entries };
out:
    rows_read_end(s->reader);
    s->reader = NULL;
    return rc;
}

/* ---- all of it ---- */

static evdb_status check_base(const saving *s, const evdb_backup_info *base, backup_head *h, evdb_error *err)
{
    h->full = !base;
    if (!base) return EVDB_OK;
    if (!backup_id_parse(base->id, h->base, BACKUP_ID)) return error_set(err, EVDB_INVALID, "the base is no backup: its id makes no sense");
    if (strcmp(base->uuid, s->engine->uuid) != 0)
        return error_set(err, EVDB_INVALID, "backup '%s' is of another store ('%s', which was dropped or replaced since): take a full backup",
                         base->name, base->store);
    if (!base->encrypted != !s->options->key) /* a restore takes one key, for all or for none */
        return error_set(err, EVDB_INVALID, "backup '%s' is %sencrypted, so an increment of it %s a key", base->name, base->encrypted ? "" : "not ",
                         base->encrypted ? "needs" : "may not have");
    h->base_sequence = base->sequence;
    return EVDB_OK;
}

static evdb_status begin(saving *s, const evdb_sink *sink, evdb_store_info **info, evdb_error *err)
{
    const platform *p = &s->engine->db->platform;
    const evdb_backup_options *o = s->options;
    rows_tip tip;
    evdb_status rc;
    TRY(check_base(s, o->base, &s->head, err));
    TRY(store_describe(s->engine, info, err));
    TRY(rows_read(s->engine->rows, &s->reader, err));
    TRY(rows_tip_now(s->reader, &tip, err));
    if (s->head.base_sequence > tip.sequence)
        TRY(error_set(err, EVDB_INVALID, "backup '%s' is of change %llu, but the store has only had %llu", o->base->name,
                      (unsigned long long)s->head.base_sequence, (unsigned long long)tip.sequence));
    s->began = engine_now_ns(s->engine);
    s->reached = s->head.full ? tip.sequence : s->head.base_sequence;
    s->head.store = **info;
    s->head.created_ms = p->clock_ms(p->clock_context);
    if (o->name) memcpy(s->head.name, o->name, strnlen(o->name, sizeof(s->head.name) - 1));
    TRY(backup_out_open(p, sink, &s->head, o->key, &s->out, err));
out:
    rows_read_end(s->reader);
    s->reader = NULL;
    return rc;
}

static evdb_status write_options(const evdb_backup_options *given, evdb_backup_options *o, evdb_backup_info *base, evdb_error *err)
{
    evdb_status rc;
    *o = (evdb_backup_options)EVDB_BACKUP_OPTIONS;
    TRY(options_import(o, sizeof(*o), given, "evdb_backup_options", err));
    if (o->name) TRY(evdb_backup_name_check(o->name, err));
    if (!o->base) goto out;
    TRY(options_import(base, sizeof(*base), o->base, "evdb_backup_info", err));
    o->base = base;
out:
    return rc;
}

evdb_status evdb_backup_write(evdb_store *store, const evdb_sink *sink, const evdb_backup_options *options, evdb_backup_info *out,
                              evdb_error *err)
{
    evdb_backup_options o;
    evdb_backup_info base = EVDB_BACKUP_INFO, info;
    evdb_store_info *described = NULL;
    backup_foot foot;
    evdb_status rc;
    if (!store || !sink) return error_set(err, EVDB_INVALID, "backup: %s is NULL", store ? "sink" : "store");
    saving s = { .engine = store->engine, .options = &o };
    buf_init(&s.codecs, &s.engine->db->platform.mem);
    buf_init(&s.after, &s.engine->db->platform.mem);
    TRY(engine_usable(s.engine, err));
    TRY(write_options(options, &o, &base, err));
    TRY(begin(&s, sink, &described, err));
    if (s.head.full) TRY(save_all(&s, err));
    TRY(save_rounds(&s, err));
    TRY(save_last(&s, &foot, err));
    TRY(syncer_flush(s.engine, err)); /* numbers of changes that a power failure took are used again: an increment would miss those */
    TRY(backup_out_finish(s.out, &foot, err));
    TRY(tick(&s, err));
    backup_info_fill(&s.head, &foot, &info);
    if (out) rc = options_export(out, &info, sizeof(info), "evdb_backup_info", err);
out:
    backup_out_close(s.out);
    buf_free(&s.codecs);
    buf_free(&s.after);
    evdb_store_info_free(described);
    return rc;
}
