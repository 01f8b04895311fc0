/* memory_bucket.c - implements memory_bucket.h. */
#include "memory_bucket.h"
#include "op/op.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static evdb_status turn(memory_bucket *m, evdb_error *err)
{
    if (m->fail_in == MEMORY_NEVER || m->fail_in-- > 0) return EVDB_OK;
    m->fail_in = MEMORY_NEVER;
    return op_fail(err, EVDB_REMOTE, "the bucket fails");
}

memory_object *memory_bucket_find(memory_bucket *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->at[i].object.name, name) == 0) return &m->at[i];
    return NULL;
}

static evdb_status list(void *context, evdb_status (*each)(void *to, const op_object *object, evdb_error *err), void *to, evdb_error *err)
{
    memory_bucket *m = context;
    evdb_status rc = turn(m, err);
    for (size_t i = 0; rc == EVDB_OK && i < m->count; i++) rc = each(to, &m->at[i].object, err);
    return rc;
}

static evdb_status find(void *context, const char *name, op_object *out, evdb_error *err)
{
    memory_bucket *m = context;
    evdb_status rc = turn(m, err);
    const memory_object *s = memory_bucket_find(m, name);
    if (rc == EVDB_OK && !s) return op_fail(err, EVDB_NOT_FOUND, "there is no %s", name);
    if (rc == EVDB_OK) *out = s->object;
    return rc;
}

static evdb_status read_at(void *context, const op_object *object, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    memory_bucket *m = context;
    evdb_status rc = turn(m, err);
    const memory_object *s = memory_bucket_find(m, object->name);
    if (rc != EVDB_OK) return rc;
    if (!s) return op_fail(err, EVDB_NOT_FOUND, "there is no %s", object->name);
    if (strcmp(s->object.tag, object->tag) != 0) return op_fail(err, EVDB_BUSY, "%s was replaced", object->name);
    assert_true(at + count <= s->object.size);
    memcpy(buffer, s->bytes + at, count);
    return EVDB_OK;
}

memory_object *memory_bucket_put(memory_bucket *m, const char *name, char *bytes, size_t size)
{
    memory_object *s = memory_bucket_find(m, name);
    assert_true(s || m->count < MEMORY_OBJECTS);
    if (!s) s = &m->at[m->count++];
    else free(s->bytes);
    *s = (memory_object){ .bytes = bytes, .object.size = size };
    snprintf(s->object.name, sizeof s->object.name, "%s", name);
    snprintf(s->object.tag, sizeof s->object.tag, "%u", ++m->tags);
    return s;
}

static evdb_status take(void *context, const void *bytes, size_t count, evdb_error *err)
{
    (void)err;
    return fwrite(bytes, 1, count, context) == count ? EVDB_OK : EVDB_IO;
}

static evdb_status write_new(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err),
                             void *from, evdb_error *err)
{
    memory_bucket *m = context;
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&bytes, &size);
    const evdb_sink sink = { .context = f, .write = take };
    assert_non_null(f);
    evdb_status rc = produce(from, &sink, err);
    fclose(f);
    if (rc == EVDB_OK) rc = turn(m, err);
    if (rc == EVDB_OK && memory_bucket_find(m, name)) rc = op_fail(err, EVDB_EXISTS, "there is a %s", name);
    if (rc == EVDB_OK) memory_bucket_put(m, name, bytes, size);
    else free(bytes);
    return rc;
}

static evdb_status remove_one(void *context, const char *name, evdb_error *err)
{
    memory_bucket *m = context;
    evdb_status rc = turn(m, err);
    memory_object *s = memory_bucket_find(m, name);
    if (rc != EVDB_OK || !s) return rc;
    free(s->bytes);
    *s = m->at[--m->count];
    return EVDB_OK;
}

void memory_bucket_init(memory_bucket *m)
{
    *m = (memory_bucket){ .fail_in = MEMORY_NEVER };
    m->bucket = (op_bucket){ .context = m, .list = list, .find = find, .read = read_at, .write = write_new, .remove = remove_one };
}

void memory_bucket_free(memory_bucket *m)
{
    for (size_t i = 0; i < m->count; i++) free(m->at[i].bytes);
}
