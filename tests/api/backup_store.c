/* backup_store.c - implements backup_store.h. */
#include "backup_store.h"
#include "expect.h"
#include <stdio.h>
#include <string.h>

enum { IDS = 400 };

static evdb_id make_id(const char *store, uint64_t n, char space[32])
{
    if (store[0] != 't') return num((int64_t)n - IDS / 2);
    snprintf(space, 32, "record-%llu", (unsigned long long)n);
    return str(space);
}

/* Gone in a hundred years: what comes back must still know when. */
static evdb_status put_to_expire(evdb_store *store, const evdb_id *id, const float *v, const char *metadata, int64_t expires)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = EVDB_UPSERT;
    b.count = 1;
    b.ids = id;
    b.vectors = v;
    b.dim = BACKUP_DIM;
    b.metadata = &metadata;
    b.expires = &expires;
    b.author = "who put it";
    return evdb_batch_write(store, &b, NULL, NULL);
}

void backup_change(evdb_store *store, uint64_t *seed, unsigned writes)
{
    evdb_store_info *info;
    float v[BACKUP_DIM];
    char space[32], metadata[80];
    ok(evdb_store_describe(store, &info, &why));
    for (unsigned i = 0; i < writes; i++) {
        evdb_id id = make_id(info->name, seed_below(seed, IDS), space);
        seed_floats(seed, v, BACKUP_DIM);
        snprintf(metadata, sizeof(metadata), "{\"n\":%u,\"x\":%llu}", i, (unsigned long long)seed_below(seed, 1000));
        evdb_status rc;
        switch (seed_below(seed, 8)) {
        case 0: rc = evdb_record_delete(store, id, 0, NULL); break;
        case 1: rc = evdb_record_update(store, id, NULL, 0, metadata, 0, NULL, NULL); break;
        case 2: rc = evdb_record_update(store, id, v, BACKUP_DIM, NULL, 0, NULL, NULL); break;
        case 3: rc = put_to_expire(store, &id, v, metadata, INT64_C(5000000000000) + i); break;
        default: rc = evdb_record_upsert(store, id, v, BACKUP_DIM, metadata, NULL, NULL); break;
        }
        if (rc != EVDB_OK && rc != EVDB_NOT_FOUND) fail_msg("write: %s", evdb_status_name(rc));
    }
    evdb_store_info_free(info);
}

static void same_description(evdb_store *was, evdb_store *is)
{
    evdb_store_info *a, *b;
    evdb_store_stats x = EVDB_STORE_STATS, y = EVDB_STORE_STATS;
    evdb_compression c = EVDB_COMPRESSION, d = EVDB_COMPRESSION;
    ok(evdb_store_describe(was, &a, &why));
    ok(evdb_store_describe(is, &b, &why));
    assert_string_not_equal(a->uuid, b->uuid);
    assert_int_equal(a->dim, b->dim);
    assert_int_equal(a->ttl_ms, b->ttl_ms);
    assert_int_equal(a->authors, b->authors);
    assert_int_equal(a->metric, b->metric);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->id_type, b->id_type);
    assert_int_equal(a->m, b->m);
    assert_int_equal(a->ef_construction, b->ef_construction);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->field_count, b->field_count);
    for (uint32_t i = 0; i < a->field_count; i++) assert_string_equal(a->fields[i], b->fields[i]);
    assert_string_equal(a->codec ? a->codec : "", b->codec ? b->codec : "");
    evdb_store_info_free(a);
    evdb_store_info_free(b);
    ok(evdb_store_get_stats(was, &x, &why));
    ok(evdb_store_get_stats(is, &y, &why));
    assert_int_equal(x.records, y.records);
    assert_int_equal(x.sequence, y.sequence);
    ok(evdb_store_get_compression(was, &c, &why));
    ok(evdb_store_get_compression(is, &d, &why));
    assert_string_equal(c.codec, d.codec);
    assert_string_equal(c.in_force, d.in_force);
    assert_true(c.loss == d.loss);
}

static bool same_id(const evdb_id *a, const evdb_id *b)
{
    return a->text ? b->text && strcmp(a->text, b->text) == 0 : !b->text && a->number == b->number;
}

void backup_same(evdb_store *was, evdb_store *is)
{
    evdb_cursor *a, *b;
    const evdb_record *x, *y;
    same_description(was, is);
    ok(evdb_cursor_open(was, NULL, &a, &why));
    ok(evdb_cursor_open(is, NULL, &b, &why));
    do {
        ok(evdb_cursor_next(a, &x, &why));
        ok(evdb_cursor_next(b, &y, &why));
        assert_int_equal(x != NULL, y != NULL);
        if (!x) break;
        assert_true(same_id(&x->id, &y->id));
        assert_int_equal(x->version, y->version);
        assert_int_equal(x->expires_ms, y->expires_ms);
        assert_int_equal(x->written_ms, y->written_ms);
        assert_string_equal(x->author ? x->author : "", y->author ? y->author : "");
        assert_int_equal(x->dim, y->dim);
        assert_memory_equal(x->vector, y->vector, x->dim * sizeof(float));
        assert_string_equal(x->metadata, y->metadata);
    } while (x);
    evdb_cursor_close(a);
    evdb_cursor_close(b);
}

memory_sink backup_bytes(evdb_store *store, const evdb_backup_info *base, const unsigned char *key, evdb_backup_info *out)
{
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.base = base;
    o.key = key;
    o.name = "in-memory";
    ok(evdb_backup_write(store, &sink, &o, out, &why));
    return file;
}

evdb_status backup_read(evdb *db, const void *bytes, size_t size, const char *name, const evdb_restore_options *o, evdb_error *err)
{
    memory_source file = memory_from(bytes, size);
    evdb_source source = memory_reading(&file);
    const evdb_source *chain[] = { &source };
    return evdb_backup_read(db, chain, 1, name, o, err);
}

static void complain(void *context, const char *store, const char *text)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", store ? store : "system.db", text);
}

void backup_sound(evdb *db)
{
    evdb_verify_report report;
    ok(evdb_verify(db, NULL, complain, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}
