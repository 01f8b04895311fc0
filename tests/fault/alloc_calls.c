/* alloc_calls.c - implements alloc_calls.h. */
#include "alloc_calls.h"
#include "alloc_advise.h"
#include "alloc_audit.h"
#include "alloc_auth.h"
#include "alloc_author.h"
#include "alloc_backup.h"
#include "alloc_compress.h"
#include "alloc_elements.h"
#include "alloc_expiry.h"
#include "alloc_filter.h"
#include "alloc_index.h"
#include "alloc_metric.h"
#include "alloc_repair.h"
#include "alloc_transfer.h"
#include "alloc_user.h"
#include "alloc_words.h"
#include "database_private.h"
#include "gated.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuses(failing *f)
{
    long n = atomic_fetch_add(&f->asked, 1) + 1, at = atomic_load(&f->fail_at);
    return at && (f->once ? n == at : n >= at);
}

static void *allocate(void *context, size_t bytes)
{
    failing *f = context;
    void *block = refuses(f) ? NULL : malloc(bytes);
    if (block) atomic_fetch_add(&f->live, 1);
    return block;
}

static void *reallocate(void *context, void *block, size_t bytes)
{
    failing *f = context;
    void *moved = refuses(f) ? NULL : realloc(block, bytes);
    if (moved && !block) atomic_fetch_add(&f->live, 1);
    return moved;
}

static void release(void *context, void *block)
{
    failing *f = context;
    if (block) atomic_fetch_sub(&f->live, 1);
    free(block);
}

evdb_allocator alloc_memory(alloc_scene *s) { return (evdb_allocator){ &s->memory, allocate, reallocate, release }; }

evdb_status alloc_open(alloc_scene *s, evdb **out, evdb_error *err)
{
    platform p = platform_real;
    evdb_allocator allocator = alloc_memory(s);
    evdb_options o = EVDB_OPTIONS;
    o.allocator = &allocator;
    p.io.before = gated_no_sync;
    return db_open_with(&p, s->dir, &o, out, err);
}

static void make_vector(unsigned n, float out[ALLOC_DIM])
{
    for (unsigned i = 0; i < ALLOC_DIM; i++) out[i] = (float)(n * 7 % 11) - (float)i * 1.5f + 0.25f;
}

static evdb_id make_id(unsigned n, char space[32])
{
    snprintf(space, 32, "record-%u", n);
    return (evdb_id){ .text = space };
}

/* ---- the calls ---- */

evdb_status alloc_expect(bool right, evdb_error *err)
{
    if (right) return EVDB_OK;
    snprintf(err->message, sizeof(err->message), "a wrong result");
    return EVDB_INTERNAL;
}

static evdb_status do_open(alloc_scene *s, evdb_error *err)
{
    evdb *db;
    evdb_allocator allocator = alloc_memory(s);
    evdb_options o = EVDB_OPTIONS;
    o.allocator = &allocator;
    evdb_status rc = evdb_open(s->dir, &o, &db, err);
    if (rc == EVDB_OK) evdb_close(db);
    return rc;
}

static evdb_status do_create(alloc_scene *s, evdb_error *err)
{
    static const char *const fields[] = { "a", "b" };
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.fields = fields;
    o.field_count = 2;
    evdb_status rc = evdb_store_create(s->db, "new", &o, &store, err);
    if (rc == EVDB_OK) evdb_store_close(store);
    return rc;
}

static evdb_status do_open_store(alloc_scene *s, evdb_error *err)
{
    evdb_store *store;
    evdb_status rc = evdb_store_open(s->db, "other", &store, err);
    if (rc == EVDB_OK) evdb_store_close(store);
    return rc;
}

static evdb_status do_rename(alloc_scene *s, evdb_error *err)
{
    return evdb_store_rename(s->db, "other", "another", err);
}
static evdb_status do_drop(alloc_scene *s, evdb_error *err) { return evdb_store_drop(s->db, "other", err); }

static evdb_status do_list(alloc_scene *s, evdb_error *err)
{
    evdb_store_info **list;
    size_t count;
    evdb_status rc = evdb_store_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == 2 && list[0]->dim == 3 && list[1]->dim == ALLOC_DIM, err);
    evdb_store_list_free(list, count);
    return rc;
}

static evdb_status do_describe(alloc_scene *s, evdb_error *err)
{
    evdb_store_info *info;
    evdb_store_stats stats = EVDB_STORE_STATS;
    uint64_t count;
    evdb_status rc = evdb_store_describe(s->store, &info, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(strcmp(info->name, "s") == 0 && info->dim == ALLOC_DIM, err);
    evdb_store_info_free(info);
    if (rc == EVDB_OK) rc = evdb_store_get_stats(s->store, &stats, err);
    if (rc == EVDB_OK) rc = evdb_store_count(s->store, &count, err);
    return rc == EVDB_OK ? alloc_expect(count == stats.records, err) : rc;
}

static evdb_status do_sync(alloc_scene *s, evdb_error *err) { return evdb_store_sync(s->store, err); }

static evdb_status do_insert(alloc_scene *s, evdb_error *err)
{
    char space[32];
    float vector[ALLOC_DIM];
    make_vector(1, vector);
    return evdb_record_insert(s->store, make_id(ALLOC_RECORDS + 1, space), vector, ALLOC_DIM, "{\"a\": [1, 2]}", NULL,
                              err);
}

static evdb_status do_upsert(alloc_scene *s, evdb_error *err)
{
    char space[32], unaligned[ALLOC_DIM * sizeof(float) + 1];
    float vector[ALLOC_DIM];
    make_vector(2, vector);
    memcpy(unaligned + 1, vector, sizeof(vector));
    return evdb_record_upsert(s->store, make_id(3, space), (const float *)(const void *)(unaligned + 1), ALLOC_DIM,
                              NULL, NULL, err);
}

static evdb_status do_update(alloc_scene *s, evdb_error *err)
{
    char space[32];
    float vector[ALLOC_DIM];
    make_vector(3, vector);
    return evdb_record_update(s->store, make_id(4, space), vector, ALLOC_DIM, NULL, 0, NULL, err);
}

static evdb_status do_delete(alloc_scene *s, evdb_error *err)
{
    char space[32];
    return evdb_record_delete(s->store, make_id(5, space), 0, err);
}

static evdb_status do_index(alloc_scene *s, evdb_error *err)
{
    float query[ALLOC_DIM];
    evdb_result *result;
    evdb_status rc = evdb_index_build(s->store, 1, err);
    make_vector(7, query);
    if (rc == EVDB_OK) rc = evdb_search(s->store, query, ALLOC_DIM, NULL, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->count > 0 && result->distances[0] < 1e-3f, err);
    evdb_result_free(result);
    return rc;
}

static evdb_status do_get(alloc_scene *s, evdb_error *err)
{
    char space[32];
    evdb_record *record;
    evdb_status rc = evdb_record_get(s->store, make_id(6, space), &record, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(strcmp(record->id.text, "record-6") == 0 && record->dim == ALLOC_DIM, err);
    evdb_record_free(record);
    return rc;
}

typedef struct many {
    evdb_id ids[ALLOC_RECORDS];
    char texts[ALLOC_RECORDS][32];
    float vectors[ALLOC_RECORDS][ALLOC_DIM];
    const char *metadata[ALLOC_RECORDS];
    evdb_batch batch;
} many;

static void fill_many(many *m, uint32_t flags)
{
    m->batch = (evdb_batch)EVDB_BATCH;
    for (unsigned i = 0; i < ALLOC_RECORDS; i++) {
        m->ids[i] = make_id(i * 2, m->texts[i]);
        make_vector(i, m->vectors[i]);
        m->metadata[i] = i % 3 ? "{\"k\": \"some text\"}" : NULL;
    }
    m->batch.kind = EVDB_UPSERT;
    m->batch.flags = flags;
    m->batch.count = ALLOC_RECORDS;
    m->batch.ids = m->ids;
    m->batch.vectors = m->vectors;
    m->batch.dim = ALLOC_DIM;
    m->batch.metadata = m->metadata;
}

static evdb_status do_batch(alloc_scene *s, evdb_error *err)
{
    many m;
    size_t written = 0;
    fill_many(&m, EVDB_BATCH_PARTIAL);
    evdb_status rc = evdb_batch_write(s->store, &m.batch, &written, err);
    return rc == EVDB_OK ? alloc_expect(written == ALLOC_RECORDS, err) : rc;
}

static evdb_status do_ticket(alloc_scene *s, evdb_error *err)
{
    many m;
    evdb_ticket *ticket;
    size_t written = 0;
    fill_many(&m, 0);
    evdb_status rc = evdb_batch_submit(s->store, &m.batch, &ticket, err);
    if (rc != EVDB_OK) return rc;
    rc = evdb_ticket_wait(ticket, &written, err);
    evdb_ticket_free(ticket);
    return rc == EVDB_OK ? alloc_expect(written == ALLOC_RECORDS, err) : rc;
}

static evdb_status do_iterate(alloc_scene *s, evdb_error *err)
{
    evdb_cursor_options o = EVDB_CURSOR_OPTIONS;
    evdb_cursor *cursor;
    const evdb_record *record;
    char space[32];
    unsigned count = 0;
    o.has_after = 1;
    o.after = make_id(0, space);
    evdb_status rc = evdb_cursor_open(s->store, &o, &cursor, err);
    if (rc != EVDB_OK) return rc;
    while ((rc = evdb_cursor_next(cursor, &record, err)) == EVDB_OK && record) count++;
    evdb_cursor_close(cursor);
    return rc == EVDB_OK ? alloc_expect(count == ALLOC_RECORDS - 1, err) : rc;
}

static evdb_status do_changes(alloc_scene *s, evdb_error *err)
{
    evdb_changes *changes;
    evdb_status rc = evdb_changes_read(s->store, 0, 0, &changes, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(changes->count == ALLOC_RECORDS && strcmp(changes->at[1].id.text, "record-1") == 0, err);
    evdb_changes_free(changes);
    return rc;
}

static evdb_status do_trim(alloc_scene *s, evdb_error *err) { return evdb_changes_trim(s->store, 3, err); }

static evdb_status do_search(alloc_scene *s, evdb_error *err)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    float query[ALLOC_DIM];
    make_vector(2, query);
    o.k = 4;
    o.flags = EVDB_SEARCH_METADATA;
    evdb_status rc = evdb_search(s->store, query, ALLOC_DIM, &o, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->count == 4 && result->distances[0] < 0.001f && result->metadata[3][0] == '{', err);
    evdb_result_free(result);
    return rc;
}

static evdb_status do_search_batch(alloc_scene *s, evdb_error *err)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    float queries[6][ALLOC_DIM];
    for (unsigned i = 0; i < 6; i++) make_vector(i, queries[i]);
    o.threads = 3;
    evdb_status rc = evdb_search_batch(s->store, queries[0], 6, 0, ALLOC_DIM, &o, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->queries == 6 && result->count == 60, err);
    evdb_result_free(result);
    if (rc != EVDB_OK) return rc;
    rc = evdb_search_range(s->store, queries[1], ALLOC_DIM, 2, NULL, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->count == ALLOC_RECORDS, err);
    evdb_result_free(result);
    return rc;
}

/* A search that has to catch up with a write. */
static evdb_status do_follow(alloc_scene *s, evdb_error *err)
{
    evdb_status rc = do_search(s, err);
    if (rc == EVDB_OK) rc = do_upsert(s, err);
    return rc == EVDB_OK ? do_search(s, err) : rc;
}

evdb_status alloc_verify(alloc_scene *s, evdb_error *err)
{
    evdb_verify_report report;
    evdb_status rc = evdb_verify(s->db, NULL, NULL, NULL, &report, err);
    return rc == EVDB_OK ? alloc_expect(report.problems == 0 && report.records >= ALLOC_RECORDS - 1, err) : rc;
}

#define CALL(name) { #name, do_##name }
#define ELSEWHERE(name) { #name, alloc_##name }
const alloc_call alloc_calls[] = {
    CALL(open),       CALL(create),
    CALL(open_store), CALL(rename),
    CALL(drop),       CALL(list),
    CALL(describe),   CALL(sync),
    CALL(insert),     CALL(upsert),
    CALL(update),     CALL(delete),
    ELSEWHERE(merge), ELSEWHERE(authors),
    CALL(get),        CALL(batch),
    CALL(ticket),     CALL(iterate),
    CALL(changes),    CALL(trim),
    CALL(search),     CALL(search_batch),
    CALL(follow),     CALL(index),
    { "verify", alloc_verify },
    ELSEWHERE(import), ELSEWHERE(resume), ELSEWHERE(foreign), ELSEWHERE(export), ELSEWHERE(repair),
    ELSEWHERE(client_add), ELSEWHERE(client_register), ELSEWHERE(client_find), ELSEWHERE(client_rotate), ELSEWHERE(client_remove), ELSEWHERE(client_list),
    ELSEWHERE(token_issue), ELSEWHERE(token_refresh), ELSEWHERE(token_check), ELSEWHERE(token_inspect), ELSEWHERE(token_revoke), ELSEWHERE(keys), ELSEWHERE(api_keys),
    ELSEWHERE(audit_append), ELSEWHERE(audit_list), ELSEWHERE(audit_verify),
    ELSEWHERE(quota),
    ELSEWHERE(user_change), ELSEWHERE(user_check), ELSEWHERE(user_list), ELSEWHERE(code),
    ELSEWHERE(filter), ELSEWHERE(filter_index), ELSEWHERE(metric), ELSEWHERE(elements),
    ELSEWHERE(benchmark), ELSEWHERE(advise), ELSEWHERE(compress), ELSEWHERE(backup_stream), ELSEWHERE(backup_folder),
    ELSEWHERE(expiry), ELSEWHERE(trash), ELSEWHERE(forget), ELSEWHERE(index_control), ELSEWHERE(words),
};
#undef CALL
#undef ELSEWHERE
const size_t alloc_calls_count = sizeof(alloc_calls) / sizeof(*alloc_calls);

bool alloc_build(alloc_scene *s)
{
    static const char *const fields[] = { "a" };
    evdb_store_options other = EVDB_STORE_OPTIONS, declared = { .size = sizeof(declared), .field_count = 1, .fields = fields };
    char space[32];
    float vector[ALLOC_DIM];
    other.dim = 3;
    other.dtype = EVDB_F16;
    bool made = alloc_open(s, &s->db, NULL) == EVDB_OK &&
                evdb_store_create(s->db, "s", &declared, &s->store, NULL) == EVDB_OK &&
                evdb_store_create(s->db, "other", &other, NULL, NULL) == EVDB_OK;
    for (unsigned i = 0; made && i < ALLOC_RECORDS; i++) {
        make_vector(i, vector);
        made = evdb_record_insert(s->store, make_id(i, space), vector, ALLOC_DIM, "{\"a\": 1}", NULL, NULL) == EVDB_OK;
    }
    made = made && alloc_build_clients(s->db) && alloc_build_users(s->db) && alloc_build_audit(s->db);
    evdb_store_close(s->store);
    evdb_close(s->db);
    return made;
}
