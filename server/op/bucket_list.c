/* bucket_list.c - implements op/bucket_list.h. */
#include "op/bucket_list.h"
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".backup"
enum { HEAD = 4096 }; /* bytes that most heads are in */

void bucket_object_name(const char *backup, char out[OP_OBJECT_NAME_MAX + 1])
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

evdb_status bucket_look(const op_call *call, bucket_object *o, evdb_error *err)
{
    const op_object *object = &o->object;
    evdb_backup_info *out = &o->info;
    ends e = { .bucket = call->bucket, .object = object };
    const evdb_bytes bytes = { .context = &e, .size = object->size, .read = read_end };
    evdb_error why;
    *out = (evdb_backup_info)EVDB_BACKUP_INFO;
    evdb_status rc = evdb_backup_look(call->db, &bytes, out, &why);
    bool damaged = rc == EVDB_CORRUPT || rc == EVDB_NEWER;
    o->trouble = damaged ? rc : EVDB_OK;
    if (damaged) snprintf(out->problem, sizeof out->problem, "%.255s", why.message);
    else if (rc != EVDB_OK && err) *err = why;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(strlen(object->name) - strlen(SUFFIX)), object->name);
    return damaged ? EVDB_OK : rc;
}

/* ---- all of them ---- */

static evdb_status note(void *to, const op_object *object, evdb_error *err)
{
    bucket_list *l = to;
    size_t length = strlen(object->name), suffix = strlen(SUFFIX);
    char name[EVDB_BACKUP_NAME_MAX + 1];
    if (length <= suffix || strcmp(object->name + length - suffix, SUFFIX) != 0 || length - suffix >= sizeof name) return EVDB_OK;
    memcpy(name, object->name, length - suffix);
    name[length - suffix] = 0;
    if (evdb_backup_name_check(name, NULL) != EVDB_OK) return EVDB_OK;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        bucket_object *at = reallocarray(l->at, room, sizeof *at);
        if (!at) return op_fail(err, EVDB_NO_MEMORY, "out of memory reading backups");
        l->at = at;
        l->room = room;
    }
    l->at[l->count++].object = *object;
    return EVDB_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const bucket_object *)a)->info.name, ((const bucket_object *)b)->info.name);
}

/* The look comes behind the list: an object may be gone by then, or another. */
evdb_status bucket_list_read(const op_call *call, bucket_list *l, evdb_error *err)
{
    const op_bucket *b = call->bucket;
    size_t kept = 0;
    evdb_status rc = b->list(b->context, note, l, err);
    for (size_t i = 0; rc == EVDB_OK && i < l->count; i++) {
        bucket_object *o = &l->at[kept];
        o->object = l->at[i].object;
        rc = bucket_look(call, o, err);
        if (rc == EVDB_BUSY && (rc = b->find(b->context, l->at[i].object.name, &o->object, err)) == EVDB_OK) rc = bucket_look(call, o, err);
        if (rc == EVDB_OK) kept++;
        if (rc == EVDB_NOT_FOUND) rc = EVDB_OK;
    }
    l->count = kept;
    if (kept) qsort(l->at, kept, sizeof *l->at, by_name);
    return rc;
}
