/* test_backup_forged.c - backups made to do harm, whose checksums are right: each is refused before anything is changed, and none takes
 * much memory.
 *
 *   EVDB_SEED=n  repeats a run */
#include "backup_scene.h"
#include "format/backup_chunk.h"
#include "format/backup_out.h"
#include <evdb/changes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct forgery {
    backup_head head;
    backup_foot foot;
    backup_entry put, state;
    bool no_state, twice;
} forgery;

/* What a store of one record looks like; each test changes one thing. */
static forgery plain(void)
{
    static const float one[2] = { 1, 2 };
    forgery f = { .head = { .full = true, .store = { .name = "s", .uuid = "8e3a51f4-4c5b-4f0e-9f6c-0123456789ab", .dim = 2, .metric = EVDB_EUCLIDEAN,
                            .dtype = EVDB_F32, .id_type = EVDB_ID_INTEGER, .m = 16, .ef_construction = 200 } },
                  .foot = { .sequence = 1, .records = 1, .entries = 1 },
                  .put = { .kind = BACKUP_PUT, .id = { .number = 5 }, .version = 1, .dim = 2, .bytes = one, .size = sizeof(one), .text = "{}", .length = 2 },
                  .state = { .kind = BACKUP_STATE, .id = { .number = 5 }, .version = 1, .dim = 2, .live = 1, .id_type = EVDB_ID_INTEGER,
                             .change = EVDB_CHANGE_PUT, .text = "" } };
    return f;
}

static memory_sink forge(forgery *f)
{
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    backup_out *out;
    evdb_error err;
    scene_must(backup_out_open(&platform_real, &sink, &f->head, NULL, &out, &err), &err);
    scene_must(backup_out_add(out, &f->put, &err), &err);
    if (!f->no_state) scene_must(backup_out_add(out, &f->state, &err), &err);
    if (f->twice) scene_must(backup_out_add(out, &f->state, &err), &err);
    scene_must(backup_out_finish(out, &f->foot, &err), &err);
    backup_out_close(out);
    return file;
}

static void refuses_forgery(const scene *s, forgery f, const char *what)
{
    memory_sink file = forge(&f);
    scene_refuses(s, file.bytes, file.size, NULL, what);
    memory_sink_free(&file);
}

#define FORGED(change)                              \
    do {                                            \
        forgery f = plain();                        \
        change;                                     \
        refuses_forgery(s, f, #change);             \
    } while (0)

static void a_forged_record_is_refused(void **state)
{
    scene *s = *state;
    static const float nan[2] = { NAN, 0 }, infinite[2] = { 0, -INFINITY };
    evdb_error err;
    forgery good = plain();
    memory_sink file = forge(&good);
    scene_must(scene_restore(s, file.bytes, file.size, NULL, &err), &err); /* what is changed below is all that is wrong */
    memory_sink_free(&file);
    FORGED(f.put.size = 7);
    FORGED(f.put.bytes = nan);
    FORGED(f.put.bytes = infinite);
    FORGED(f.put.dim = 3);
    FORGED(f.put.dim = 0);
    FORGED(f.put.version = 0);
    FORGED(f.put.version = 2);
    FORGED(f.put.version = UINT64_MAX);
    FORGED(f.put.codec = 3);
    FORGED(f.put.kind = BACKUP_PART);
    FORGED(f.put.kind = 9);
    FORGED(f.put.text = "[]");
    FORGED(f.put.text = "{\"a\":1"; f.put.length = 6);
    FORGED(f.put.text = "{ }"; f.put.length = 3);
    FORGED(f.put.text = "{\"a\":1,\"a\":2}"; f.put.length = 13);
    FORGED(f.put.id.text = "x"; f.put.id.length = 1);
    FORGED(f.put.id.text = "a\0b"; f.put.id.length = 3);
    FORGED(f.put.id.text = "\xff"; f.put.id.length = 1);
    FORGED(f.put.id.text = "five"; f.put.id.length = 0);
    FORGED(f.head.store.metric = EVDB_COSINE; static const float zero[2]; f.put.bytes = zero);
}

static void a_forged_state_is_refused(void **state)
{
    scene *s = *state;
    FORGED(f.no_state = true);
    FORGED(f.twice = true);
    FORGED(f.state.version = 2);
    FORGED(f.state.version = f.foot.sequence = 0);
    FORGED(f.state.version = f.foot.sequence = UINT64_MAX);
    FORGED(f.put.version = f.state.version = f.foot.sequence = INT64_MAX); /* there is no next one */
    FORGED(f.state.id.text = "");
    FORGED(f.state.live = f.foot.records = 2; f.state.version = f.foot.sequence = 2);
    FORGED(f.state.live = f.foot.records = 0);
    FORGED(f.state.live = 7);
    FORGED(f.foot.entries = 2);
    FORGED(f.state.dim = 3);
    FORGED(f.state.id_type = EVDB_ID_STRING);
    FORGED(f.state.id_type = 3);
    FORGED(f.state.codec = 1);
    FORGED(f.state.change = 0);
    FORGED(f.state.change = EVDB_CHANGE_DELETE);
    FORGED(f.state.id.number = 6);
    FORGED(f.state.text = "no such codec"; f.state.length = 13);
    FORGED(f.state.text = "i8+"; f.state.length = 3);
    FORGED(f.head.store.dtype = EVDB_F16);
}

static void a_forged_head_is_refused(void **state)
{
    scene *s = *state;
    static const char *const twice[] = { "a", "a" }, *const empty[] = { "" };
    FORGED(memcpy(f.head.store.name, "../../etc/x", 12));
    FORGED(f.head.store.name[0] = 0);
    FORGED(f.head.store.dim = EVDB_DIM_MAX + 1);
    FORGED(f.head.store.m = 1);
    FORGED(f.head.store.m = 1000000);
    FORGED(f.head.store.ef_construction = 1u << 30);
    FORGED(f.head.store.index_threads = 1000000);
    FORGED(f.head.store.id_type = 7);
    FORGED(f.head.store.metric = EVDB_CUSTOM);
    FORGED(f.head.store.metric_name = "mine");
    FORGED(f.head.store.field_count = 2; f.head.store.fields = twice);
    FORGED(f.head.store.field_count = 1; f.head.store.fields = empty);
    FORGED(f.head.base_sequence = 5);
}

/* ---- bombs ---- */

typedef struct counting {
    size_t live, most;
} counting;

static void *allocate(void *context, size_t bytes)
{
    counting *c = context;
    size_t *block = malloc(bytes + 16);
    if (!block) return NULL;
    *block = bytes;
    c->live += bytes;
    if (c->live > c->most) c->most = c->live;
    return (char *)block + 16;
}

static void release(void *context, void *block)
{
    counting *c = context;
    if (!block) return;
    size_t *real = (size_t *)(void *)((char *)block - 16);
    c->live -= *real;
    free(real);
}

static void *reallocate(void *context, void *block, size_t bytes)
{
    void *more = allocate(context, bytes);
    if (more && block) {
        size_t had = *(size_t *)(void *)((char *)block - 16);
        memcpy(more, block, had < bytes ? had : bytes);
        release(context, block);
    }
    return more;
}

/* Metadata that compress to nothing: a gigabyte of records in a small file. The disk has no room for it, or has; memory stays small. */
static memory_sink bomb(unsigned records)
{
    enum { LONG = 1 << 20 };
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    forgery f = plain();
    backup_out *out;
    evdb_error err;
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'a', LONG);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + LONG - 2, "\"}", 2);
    scene_must(backup_out_open(&platform_real, &sink, &f.head, NULL, &out, &err), &err);
    for (unsigned i = 1; i <= records; i++) {
        f.put.id.number = f.put.version = i;
        f.put.text = text;
        f.put.length = LONG;
        scene_must(backup_out_add(out, &f.put, &err), &err);
        scene_must(backup_out_step(out, &err), &err);
    }
    f.state.version = f.state.live = records;
    f.state.id.number = records;
    scene_must(backup_out_add(out, &f.state, &err), &err);
    f.foot = (backup_foot){ .sequence = records, .records = records, .entries = records };
    scene_must(backup_out_finish(out, &f.foot, &err), &err);
    backup_out_close(out);
    free(text);
    return file;
}

static void a_small_file_that_unpacks_to_much_takes_little_memory(void **state)
{
    (void)state;
    counting memory = { 0 };
    const evdb_allocator counted = { &memory, allocate, reallocate, release };
    evdb_options o = EVDB_OPTIONS;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    evdb *db;
    evdb_error err;
    o.allocator = &counted;
    scene_must(evdb_open(":memory:", &o, &db, &err), &err);
    memory_sink file = bomb(300);
    assert_true(file.size < 1 << 20);
    memory_source bytes = memory_from(file.bytes, file.size);
    evdb_source source = memory_reading(&bytes);
    scene_must(evdb_backup_check(db, &source, NULL, &info, &err), &err);
    assert_true(info.raw_bytes > 300u << 20);
    assert_true(memory.most < 24u << 20);
    memory_sink_free(&file);
    evdb_close(db);
    assert_int_equal(memory.live, 0);
}

/* A chunk's head promises more than chunks have, with a checksum that holds. */
static void a_chunk_cannot_promise_more_than_chunks_have(void **state)
{
    scene *s = *state;
    static const uint32_t lies[] = { BACKUP_CHUNK_MAX + 1, UINT32_MAX, 1 };
    forgery f = plain();
    memory_sink file = forge(&f);
    chunks c = chunks_of(&file);
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        backup_chunk head;
        char *made = malloc(file.size);
        assert_non_null(made);
        memcpy(made, file.bytes, file.size);
        memcpy(&head, made + c.at[0], sizeof(head));
        head.raw = lies[i];
        head.sum = backup_chunk_sum(&head, made + c.at[0] + sizeof(head), backup_chunk_seed(f.head.id, sizeof(f.head.id)));
        memcpy(made + c.at[0], &head, sizeof(head));
        scene_refuses(s, made, file.size, NULL, "a chunk that lies about its size");
        free(made);
    }
    memory_sink_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_forged_record_is_refused, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_forged_state_is_refused, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_forged_head_is_refused, scene_open, scene_close),
        cmocka_unit_test(a_small_file_that_unpacks_to_much_takes_little_memory),
        cmocka_unit_test_setup_teardown(a_chunk_cannot_promise_more_than_chunks_have, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
