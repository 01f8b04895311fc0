/* bucket_backup.c - implements op/bucket_backup.h.
 *
 * Objects are NAME.backup, and an object's name counts, not the one that its head has. A list reads both ends of each; a backup and
 * all it builds on are read through one window, since the library reads them one after the other. */
#include "op/bucket_backup.h"
#include "op/op_bucket.h"
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".backup"
enum {
    HEAD = 4096,      /* bytes that most heads are in */
    WINDOW = 8 << 20  /* bytes that one request reads of a backup */
};

static evdb_status no_memory(evdb_error *err) { return op_fail(err, EVDB_NO_MEMORY, "out of memory reading backups"); }

static void object_name(const char *backup, char out[OP_OBJECT_NAME_MAX + 1])
{
    snprintf(out, OP_OBJECT_NAME_MAX + 1, "%s%s", backup, SUFFIX);
}

/* ---- both ends ---- */

typedef struct ends {
    const op_bucket *bucket;
    const op_object *object;
    unsigned char head[HEAD];
    size_t known; /* bytes of it */
} ends;

static evdb_status read_end(void *context, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    ends *e = context;
    const op_bucket *b = e->bucket;
    evdb_status rc = EVDB_OK;
    if (!e->known && at + count <= HEAD) {
        size_t size = e->object->size < HEAD ? (size_t)e->object->size : HEAD;
        rc = b->read(b->context, e->object, 0, e->head, size, err);
        if (rc == EVDB_OK) e->known = size;
    }
    if (rc != EVDB_OK) return rc;
    if (at + count > e->known) return b->read(b->context, e->object, at, buffer, count, err);
    memcpy(buffer, e->head + at, count);
    return EVDB_OK;
}

/* What is wrong with the backup is no failure but *out's problem, and *trouble its status. */
static evdb_status look(const op_call *call, const op_object *object, evdb_backup_info *out, evdb_status *trouble, evdb_error *err)
{
    ends e = { .bucket = call->bucket, .object = object };
    const evdb_bytes bytes = { .context = &e, .size = object->size, .read = read_end };
    evdb_error why;
    *out = (evdb_backup_info)EVDB_BACKUP_INFO;
    evdb_status rc = evdb_backup_look(call->db, &bytes, out, &why);
    bool damaged = rc == EVDB_CORRUPT || rc == EVDB_NEWER;
    *trouble = damaged ? rc : EVDB_OK;
    if (damaged) snprintf(out->problem, sizeof out->problem, "%.255s", why.message);
    else if (rc != EVDB_OK && err) *err = why;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(strlen(object->name) - strlen(SUFFIX)), object->name);
    return damaged ? EVDB_OK : rc;
}

/* ---- all of them ---- */

typedef struct found {
    op_object object;
    evdb_backup_info info;
} found;

typedef struct listing {
    found *at;
    size_t count, room;
} listing;

static evdb_status note(void *to, const op_object *object, evdb_error *err)
{
    listing *l = to;
    size_t length = strlen(object->name), suffix = strlen(SUFFIX);
    char name[EVDB_BACKUP_NAME_MAX + 1];
    if (length <= suffix || strcmp(object->name + length - suffix, SUFFIX) != 0 || length - suffix >= sizeof name) return EVDB_OK;
    memcpy(name, object->name, length - suffix);
    name[length - suffix] = 0;
    if (evdb_backup_name_check(name, NULL) != EVDB_OK) return EVDB_OK;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        found *at = reallocarray(l->at, room, sizeof *at);
        if (!at) return no_memory(err);
        l->at = at;
        l->room = room;
    }
    l->at[l->count++].object = *object;
    return EVDB_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const found *)a)->info.name, ((const found *)b)->info.name);
}

/* The look comes behind the list: an object may be gone by then, or another. Free l->at. */
static evdb_status list_all(const op_call *call, listing *l, evdb_error *err)
{
    size_t kept = 0;
    evdb_status trouble, rc = call->bucket->list(call->bucket->context, note, l, err);
    for (size_t i = 0; rc == EVDB_OK && i < l->count; i++) {
        l->at[kept].object = l->at[i].object;
        rc = look(call, &l->at[kept].object, &l->at[kept].info, &trouble, err);
        if (rc == EVDB_BUSY && (rc = call->bucket->find(call->bucket->context, l->at[i].object.name, &l->at[kept].object, err)) == EVDB_OK)
            rc = look(call, &l->at[kept].object, &l->at[kept].info, &trouble, err);
        if (rc == EVDB_OK) kept++;
        if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    }
    l->count = kept;
    if (kept) qsort(l->at, kept, sizeof *l->at, by_name);
    return rc;
}

evdb_status bucket_backup_list(const op_call *call, evdb_backup_info **out, size_t *count, evdb_error *err)
{
    listing l = { .at = NULL };
    evdb_status rc = list_all(call, &l, err);
    evdb_backup_info *infos = rc == EVDB_OK ? calloc(l.count + 1, sizeof *infos) : NULL;
    if (rc == EVDB_OK && !infos) rc = no_memory(err);
    for (size_t i = 0; infos && i < l.count; i++) infos[i] = l.at[i].info;
    *out = infos;
    *count = l.count;
    free(l.at);
    return rc;
}

/* ---- one of them ---- */

static evdb_status find(const op_call *call, const char *name, found *out, evdb_error *err)
{
    char object[OP_OBJECT_NAME_MAX + 1];
    evdb_status trouble, rc = evdb_backup_name_check(name, err);
    if (rc != EVDB_OK) return rc;
    object_name(name, object);
    rc = call->bucket->find(call->bucket->context, object, &out->object, err);
    if (rc == EVDB_NOT_FOUND) return op_fail(err, rc, "there is no backup '%s'", name);
    if (rc == EVDB_OK) rc = look(call, &out->object, &out->info, &trouble, err);
    if (rc != EVDB_OK || trouble == EVDB_OK) return rc;
    return op_fail(err, trouble, "backup '%s': %s", name, out->info.problem);
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
    found on = { .info = EVDB_BACKUP_INFO };
    evdb_status rc = evdb_backup_name_check(name, err);
    if (rc != EVDB_OK) return rc;
    object_name(name, object);
    rc = b->find(b->context, object, &other, err); /* before a store is read for nothing */
    if (rc == EVDB_OK) rc = EVDB_EXISTS;
    else if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    if (rc == EVDB_OK && base) rc = find(call, base, &on, err);
    options.key = call->backup_key;
    options.name = name;
    options.base = base ? &on.info : NULL;
    if (rc == EVDB_OK) rc = b->write(b->context, object, produce, &m, err);
    return rc == EVDB_EXISTS ? op_fail(err, rc, "backup '%s' already exists", name) : rc;
}

evdb_status bucket_backup_delete(const op_call *call, const char *name, evdb_error *err)
{
    listing l = { .at = NULL };
    const found *one = NULL;
    evdb_status rc = evdb_backup_name_check(name, err);
    if (rc == EVDB_OK) rc = list_all(call, &l, err);
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
    found *at; /* from the full backup on */
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

static const found *by_id(const listing *l, const char *id)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->at[i].info.id, id) == 0 && !*l->at[i].info.problem) return &l->at[i];
    return NULL;
}

/* The newest first, until it is turned round. A backup that leads back to itself is too long a chain. */
static evdb_status follow(chain *c, const listing *l, evdb_error *err)
{
    while (*c->at[c->count - 1].info.base) {
        const evdb_backup_info *last = &c->at[c->count - 1].info;
        const found *base = by_id(l, last->base);
        if (!base)
            return op_fail(err, EVDB_NOT_FOUND, "backup '%s' builds on one of change %llu that is not there", last->name,
                           (unsigned long long)last->base_sequence);
        if (c->count == EVDB_BACKUP_CHAIN_MAX)
            return op_fail(err, EVDB_LIMIT, "the backup builds on more than %u others", EVDB_BACKUP_CHAIN_MAX);
        found *at = reallocarray(c->at, c->count + 1, sizeof *at);
        if (!at) return no_memory(err);
        c->at = at;
        c->at[c->count++] = *base;
    }
    for (size_t i = 0; i < c->count / 2; i++) {
        found one = c->at[i];
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
    listing l = { .at = NULL };
    c->bucket = call->bucket;
    c->at = calloc(1, sizeof *c->at);
    if (!c->at) return no_memory(err);
    evdb_status rc = find(call, name, c->at, err);
    c->count = 1;
    if (rc == EVDB_OK && *c->at->info.base) rc = list_all(call, &l, err);
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
