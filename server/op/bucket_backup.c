/* bucket_backup.c - implements op/bucket_backup.h but for pruning.
 *
 * A backup and all it builds on are read through one window, since the library reads them one after the other. */
#include "op/bucket_backup.h"
#include "op/bucket_list.h"
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 8 << 20 }; /* bytes that one request reads of a backup */

static evdb_status no_memory(evdb_error *err) { return op_fail(err, EVDB_NO_MEMORY, "out of memory reading backups"); }

evdb_status bucket_backup_list(const op_call *call, evdb_backup_info ***out, size_t *count, evdb_error *err)
{
    bucket_list l = { .at = NULL };
    evdb_backup_info **infos = NULL;
    evdb_status rc = bucket_list_read(call, &l, err);
    if (rc == EVDB_OK && !(infos = calloc(l.count + 1, sizeof *infos + sizeof **infos))) rc = no_memory(err);
    for (size_t i = 0; infos && i < l.count; i++) {
        infos[i] = (evdb_backup_info *)(void *)(infos + l.count + 1) + i;
        *infos[i] = l.at[i].info;
    }
    *out = infos;
    *count = l.count;
    free(l.at);
    return rc;
}

/* ---- one of them ---- */

static evdb_status find(const op_call *call, const char *name, bucket_object *out, evdb_error *err)
{
    char object[OP_OBJECT_NAME_MAX + 1];
    evdb_status rc = evdb_backup_name_check(name, err);
    if (rc != EVDB_OK) return rc;
    bucket_object_name(name, object);
    rc = call->bucket->find(call->bucket->context, object, &out->object, err);
    if (rc == EVDB_NOT_FOUND) return op_fail(err, rc, "there is no backup '%s'", name);
    if (rc == EVDB_OK) rc = bucket_look(call, out, err);
    if (rc != EVDB_OK || out->trouble == EVDB_OK) return rc;
    return op_fail(err, out->trouble, "backup '%s': %s", name, out->info.problem);
}

typedef struct making {
    evdb_store *store;
    const evdb_backup_options *options;
    evdb_backup_info *out;
} making;

static evdb_status produce(void *from, const evdb_sink *sink, evdb_error *err)
{
    const making *m = from;
    return evdb_backup_write(m->store, sink, m->options, m->out, err);
}

evdb_status bucket_backup_create(const op_call *call, evdb_store *store, const char *name, const char *base, evdb_backup_info *out,
                                 evdb_error *err)
{
    const op_bucket *b = call->bucket;
    evdb_backup_options options = EVDB_BACKUP_OPTIONS;
    making m = { .store = store, .options = &options, .out = out };
    char object[OP_OBJECT_NAME_MAX + 1];
    op_object other;
    bucket_object on = { .info = EVDB_BACKUP_INFO };
    evdb_status rc = evdb_backup_name_check(name, err);
    if (rc != EVDB_OK) return rc;
    bucket_object_name(name, object);
    rc = b->find(b->context, object, &other, err); /* before a store is read for nothing */
    if (rc == EVDB_OK) rc = EVDB_EXISTS;
    else if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    if (rc == EVDB_OK && base) rc = find(call, base, &on, err);
    options.key = call->backup_key;
    options.progress = call->progress;
    options.context = call->progress_context;
    options.name = name;
    options.base = base ? &on.info : NULL;
    if (rc == EVDB_OK) rc = b->write(b->context, object, produce, &m, err);
    return rc == EVDB_EXISTS ? op_fail(err, rc, "backup '%s' already exists", name) : rc;
}

evdb_status bucket_backup_delete(const op_call *call, const char *name, evdb_error *err)
{
    bucket_list l = { .at = NULL };
    const bucket_object *one = NULL;
    evdb_status rc = evdb_backup_name_check(name, err);
    if (rc == EVDB_OK) rc = bucket_list_read(call, &l, err);
    for (size_t i = 0; rc == EVDB_OK && i < l.count; i++)
        if (strcmp(l.at[i].info.name, name) == 0) one = &l.at[i];
    if (rc == EVDB_OK && !one) rc = op_fail(err, EVDB_NOT_FOUND, "there is no backup '%s'", name);
    for (size_t i = 0; rc == EVDB_OK && i < l.count; i++)
        if (*one->info.id && strcmp(l.at[i].info.base, one->info.id) == 0)
            rc = op_fail(err, EVDB_INVALID, "backup '%s' is an increment of '%s': delete that first", l.at[i].info.name, name);
    if (rc == EVDB_OK) rc = call->bucket->remove(call->bucket->context, one->object.name, err);
    free(l.at);
    return rc;
}

/* ---- with all it builds on ---- */

typedef struct chain chain;
typedef struct reader {
    chain *of;
    op_object object;
    uint64_t at;
} reader;

struct chain {
    const op_bucket *bucket;
    bucket_object *at; /* from the full backup on */
    size_t count;
    reader *readers;
    evdb_source *sources;
    const evdb_source **list;
    unsigned char *window;
    const reader *owner; /* whose bytes are in the window, and which */
    uint64_t begin;
    size_t size;
};

static evdb_status read_through(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    reader *r = context;
    chain *c = r->of;
    uint64_t left = r->object.size - r->at;
    *got = 0;
    if (!left) return EVDB_OK;
    if (c->owner != r || r->at < c->begin || r->at >= c->begin + c->size) {
        size_t count = left < WINDOW ? (size_t)left : WINDOW;
        c->owner = NULL;
        evdb_status rc = c->bucket->read(c->bucket->context, &r->object, r->at, c->window, count, err);
        if (rc != EVDB_OK) return rc;
        c->owner = r;
        c->begin = r->at;
        c->size = count;
    }
    size_t into = (size_t)(r->at - c->begin), here = c->size - into;
    *got = here < capacity ? here : capacity;
    memcpy(buffer, c->window + into, *got);
    r->at += *got;
    return EVDB_OK;
}

static evdb_status go_back(void *context, evdb_error *err)
{
    (void)err;
    ((reader *)context)->at = 0;
    return EVDB_OK;
}

static void chain_free(chain *c)
{
    free(c->at);
    free(c->readers);
    free(c->sources);
    free(c->list);
    free(c->window);
}

static const bucket_object *by_id(const bucket_list *l, const char *id)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->at[i].info.id, id) == 0 && !*l->at[i].info.problem) return &l->at[i];
    return NULL;
}

/* The newest first, until it is turned round. A backup that leads back to itself is too long a chain. */
static evdb_status follow(chain *c, const bucket_list *l, evdb_error *err)
{
    while (*c->at[c->count - 1].info.base) {
        const evdb_backup_info *last = &c->at[c->count - 1].info;
        const bucket_object *base = by_id(l, last->base);
        if (!base)
            return op_fail(err, EVDB_NOT_FOUND, "backup '%s' builds on one of change %llu that is not there", last->name,
                           (unsigned long long)last->base_sequence);
        if (c->count == EVDB_BACKUP_CHAIN_MAX)
            return op_fail(err, EVDB_LIMIT, "the backup builds on more than %u others", EVDB_BACKUP_CHAIN_MAX);
        bucket_object *at = reallocarray(c->at, c->count + 1, sizeof *at);
        if (!at) return no_memory(err);
        c->at = at;
        c->at[c->count++] = *base;
    }
    for (size_t i = 0; i < c->count / 2; i++) {
        bucket_object one = c->at[i];
        c->at[i] = c->at[c->count - 1 - i];
        c->at[c->count - 1 - i] = one;
    }
    return EVDB_OK;
}

/* Leaves out what is later than the caller wants. */
static evdb_status cut(chain *c, const evdb_restore_options *o, evdb_error *err)
{
    for (; c->count; c->count--) {
        const evdb_backup_info *i = &c->at[c->count - 1].info;
        if ((!o->sequence || i->sequence <= o->sequence) && (!o->time_ms || i->finished_ms <= o->time_ms)) return EVDB_OK;
    }
    return op_fail(err, EVDB_NOT_FOUND, "there is no state that early: backup '%s', which is the first, is of change %llu", c->at[0].info.name,
                   (unsigned long long)c->at[0].info.sequence);
}

static evdb_status chain_open(const op_call *call, const char *name, const evdb_restore_options *o, chain *c, evdb_error *err)
{
    bucket_list l = { .at = NULL };
    c->bucket = call->bucket;
    c->at = calloc(1, sizeof *c->at);
    if (!c->at) return no_memory(err);
    evdb_status rc = find(call, name, c->at, err);
    c->count = 1;
    if (rc == EVDB_OK && *c->at->info.base) rc = bucket_list_read(call, &l, err);
    if (rc == EVDB_OK) rc = follow(c, &l, err);
    free(l.at);
    if (rc == EVDB_OK) rc = cut(c, o, err);
    if (rc != EVDB_OK) return rc;
    c->readers = calloc(c->count, sizeof *c->readers);
    c->sources = calloc(c->count, sizeof *c->sources);
    c->list = calloc(c->count, sizeof *c->list);
    c->window = malloc(WINDOW);
    if (!c->readers || !c->sources || !c->list || !c->window) return no_memory(err);
    for (size_t i = 0; i < c->count; i++) {
        c->readers[i] = (reader){ .of = c, .object = c->at[i].object };
        c->sources[i] = (evdb_source){ &c->readers[i], read_through, go_back };
        c->list[i] = &c->sources[i];
    }
    return EVDB_OK;
}

evdb_status bucket_backup_verify(const op_call *call, const char *name, const evdb_restore_options *options, evdb_backup_info *out,
                                 evdb_error *err)
{
    chain c = { .bucket = NULL };
    evdb_status rc = chain_open(call, name, options, &c, err);
    if (rc == EVDB_OK) rc = evdb_backup_check_chain(call->db, c.list, c.count, options, NULL, err);
    if (rc == EVDB_OK) *out = c.at[c.count - 1].info;
    chain_free(&c);
    return rc;
}

evdb_status bucket_backup_restore(const op_call *call, const char *name, const char *store, const evdb_restore_options *options,
                                  evdb_backup_info *out, evdb_error *err)
{
    chain c = { .bucket = NULL };
    evdb_restore_options o = *options;
    evdb_status rc = chain_open(call, name, options, &c, err);
    o.sequence = 0; /* the chain is cut by now */
    o.time_ms = 0;
    if (rc == EVDB_OK) rc = evdb_backup_read(call->db, c.list, c.count, store, &o, err);
    if (rc == EVDB_OK) *out = c.at[c.count - 1].info;
    chain_free(&c);
    return rc;
}
