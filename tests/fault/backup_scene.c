/* backup_scene.c - implements backup_scene.h. */
#include "backup_scene.h"
#include "format/backup_chunk.h"
#include "format/backup_head.h"
#include "tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const unsigned char scene_key[EVDB_BACKUP_KEY_BYTES] = { 42 };

int scene_open(void **state)
{
    scene *s = calloc(1, sizeof(*s));
    if (!s) return -1;
    *state = s;
    s->dir = dir_new();
    s->seed = seed_print();
    return evdb_open(s->dir, NULL, &s->db, NULL) == EVDB_OK ? 0 : -1;
}

int scene_close(void **state)
{
    scene *s = *state;
    evdb_store_close(s->store);
    evdb_close(s->db);
    dir_remove(s->dir);
    free(s);
    return 0;
}

void scene_must(evdb_status rc, const evdb_error *err)
{
    if (rc != EVDB_OK) fail_msg("%s: %s", evdb_status_name(rc), err->message);
}

void scene_fill(scene *s, unsigned records, uint32_t dim)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_error err;
    float *v = malloc(dim * sizeof(*v));
    assert_non_null(v);
    o.metric = EVDB_EUCLIDEAN;
    scene_must(evdb_store_create(s->db, "s", &o, &s->store, &err), &err);
    for (unsigned i = 0; i < records; i += 500) {
        evdb_batch b = EVDB_BATCH;
        unsigned count = records - i < 500 ? records - i : 500;
        float *rows = malloc((size_t)count * dim * sizeof(*rows));
        int64_t *ids = malloc(count * sizeof(*ids));
        assert_true(rows && ids);
        seed_floats(&s->seed, rows, (size_t)count * dim);
        for (unsigned j = 0; j < count; j++) ids[j] = i + j;
        b.kind = EVDB_INSERT;
        b.count = count;
        b.numbers = ids;
        b.vectors = rows;
        b.dim = dim;
        scene_must(evdb_batch_write(s->store, &b, NULL, &err), &err);
        free(rows);
        free(ids);
    }
    free(v);
}

memory_sink scene_backup(const scene *s, const unsigned char *with)
{
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    evdb_error err;
    o.key = with;
    scene_must(evdb_backup_write(s->store, &sink, &o, NULL, &err), &err);
    return file;
}

evdb_status scene_restore(const scene *s, const void *bytes, size_t size, const unsigned char *with, evdb_error *err)
{
    memory_source file = memory_from(bytes, size);
    evdb_source source = memory_reading(&file);
    const evdb_source *chain[] = { &source };
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    o.key = with;
    o.replace = 1;
    return evdb_backup_read(s->db, chain, 1, "s", &o, err);
}

void scene_refuses(const scene *s, const void *bytes, size_t size, const unsigned char *with, const char *what)
{
    evdb_error err = { .status = EVDB_OK };
    evdb_status rc = scene_restore(s, bytes, size, with, &err);
    bool right = rc == EVDB_CORRUPT || rc == EVDB_NEWER || rc == EVDB_DENIED;
    if (!right || !*err.message) fail_msg("%s: %s: %s", what, evdb_status_name(rc), err.message);
    if (s->store) scene_must(evdb_store_sync(s->store, &err), &err);
}

chunks chunks_of(const memory_sink *file)
{
    chunks c = { .count = 0 };
    size_t at;
    scene_must(backup_head_size(file->bytes, &at, NULL), &(evdb_error){ .message = "head" });
    for (;;) {
        backup_chunk head;
        memcpy(&head, file->bytes + at, sizeof(head));
        c.end = at;
        if (!head.raw) return c;
        assert_true(c.count < 64);
        c.at[c.count] = at;
        c.size[c.count++] = sizeof(head) + head.stored;
        at += sizeof(head) + head.stored;
    }
}
