/* answers.c - implements answers.h. */
#include "answers.h"
#include "answers_private.h"
#include "database_private.h"
#include "gated.h"
#include "memory_io.h"
#include "recoded.h"
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG_METADATA = 30000, TEXT_ID_MAX = 400 };

void answers_must(evdb_status rc, const evdb_error *why)
{
    if (rc != EVDB_OK) errx(2, "building a database: %s: %s", evdb_status_name(rc), why->message);
}

/* ---- the database ---- */

static void fill_vector(unsigned n, float out[ANSWERS_DIM])
{
    uint64_t seed = n + 1;
    for (int i = 0; i < ANSWERS_DIM; i++) out[i] = (float)((int64_t)(seed_next(&seed) >> 40) - (1 << 23)) / (1 << 23);
}

static evdb_id id_of(unsigned n, bool texts, char space[TEXT_ID_MAX])
{
    if (!texts) return (evdb_id){ .number = (int64_t)n * 3 - 50 };
    int length = snprintf(space, TEXT_ID_MAX, "doc-%u-%0*d", n, n % 7 == 0 ? 300 : 1,
                          0); /* some need overflow pages of an index */
    return (evdb_id){ .text = space, .length = (size_t)length };
}

static void write_record(evdb_store *store, bool texts, unsigned n, unsigned version)
{
    char space[TEXT_ID_MAX], *metadata = malloc(BIG_METADATA + 100);
    float vector[ANSWERS_DIM];
    evdb_error why;
    if (!metadata) errx(2, "out of memory");
    fill_vector(n * 1000 + version, vector);
    snprintf(metadata, BIG_METADATA + 100, "{\"n\":%u,\"version\":%u,\"pad\":\"%0*d\"}", n, version,
             n % 11 == 5 ? BIG_METADATA : (int)(n * 7 % 900) + 1, 1);
    answers_must(evdb_record_upsert(store, id_of(n, texts, space), vector, ANSWERS_DIM, metadata, NULL, &why), &why);
    free(metadata);
}

static void build_store(evdb *db, const char *name, bool texts, evdb_metric metric, bool sync)
{
    static const char *const fields[] = { "n", "version" };
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    evdb_error why;
    char space[TEXT_ID_MAX];
    o.metric = metric;
    o.fields = fields;
    o.field_count = 2;
    answers_must(evdb_store_create(db, name, &o, &store, &why), &why);
    for (unsigned n = 0; n < ANSWERS_IDS; n++) write_record(store, texts, n, 1);
    if (texts) answers_must(recoded(store, "pca:9+i8+zlib", &why), &why);
    if (sync) answers_must(evdb_store_sync(store, &why), &why);
    for (unsigned n = 2; n < ANSWERS_IDS; n += 5) write_record(store, texts, n, 2);
    for (unsigned n = 4; n < ANSWERS_IDS; n += 9)
        answers_must(evdb_record_delete(store, id_of(n, texts, space), 0, &why), &why);
    for (unsigned n = 0; n < ANSWERS_IDS; n += 6)
        answers_must(evdb_record_update(store, id_of(n, texts, space), NULL, 0, "{\"only\":\"metadata\"}", 0, NULL, &why),
             &why);
    evdb_store_close(store);
}

/* Time stands still and chance repeats, so that each database that is built has the same secrets and tokens. */
static uint64_t chance;

static int64_t no_time(void *context)
{
    (void)context;
    return INT64_C(1700000000000);
}

static void repeat(void *context, void *bytes, size_t count)
{
    for (unsigned char *at = bytes; count; count--) *at++ = (unsigned char)(seed_next(context) >> 32);
}

static evdb_status open_database(const char *dir, uint64_t seed, evdb **out, evdb_error *why)
{
    platform p = platform_real;
    p.io.before = gated_no_sync;
    p.clock_ms = no_time;
    p.random_context = &chance;
    p.random = repeat;
    chance = seed;
    return db_open_with(&p, dir, NULL, out, why);
}

evdb *answers_build(const char *dir, bool sync)
{
    evdb *db;
    evdb_error why;
    answers_must(open_database(dir, 1, &db, &why), &why);
    build_store(db, "ints", false, EVDB_COSINE, sync);
    build_store(db, "texts", true, EVDB_EUCLIDEAN, sync);
    answers_build_clients(db);
    return db;
}

/* ---- asking ---- */

FILE *answers_begin(answers *a, size_t *size, const char *format, ...)
{
    answer *to = &a->at[a->count];
    va_list args;
    if (a->count == ANSWERS_MAX) errx(2, "too many answers");
    va_start(args, format);
    if (vasprintf(&to->question, format, args) < 0) errx(2, "out of memory");
    va_end(args);
    FILE *stream = open_memstream(&to->text, size);
    if (!stream) err(2, "open_memstream");
    return stream;
}

void answers_finish(answers *a, FILE *stream, evdb_status status, const evdb_error *why)
{
    answer *to = &a->at[a->count++];
    fclose(stream);
    to->status = status;
    to->message = strdup(status == EVDB_OK ? "" : why->message);
}

static void print_id(FILE *to, const evdb_id *id)
{
    if (id->text) fprintf(to, "'%.*s'", (int)id->length, id->text);
    else fprintf(to, "%lld", (long long)id->number);
}

static void print_record(FILE *to, const evdb_record *r)
{
    print_id(to, &r->id);
    fprintf(to, " v%llu %s [", (unsigned long long)r->version, r->metadata);
    for (uint32_t i = 0; i < r->dim; i++) fprintf(to, " %a", (double)r->vector[i]);
    fprintf(to, "]\n");
}

static void ask_description(answers *a, evdb_store *store, const char *name)
{
    size_t size;
    evdb_error why;
    evdb_store_info *info;
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_compression compression = EVDB_COMPRESSION;
    uint64_t count;
    FILE *to = answers_begin(a, &size, "%s: describe", name);
    evdb_status rc = evdb_store_describe(store, &info, &why);
    if (rc == EVDB_OK) {
        fprintf(to, "%s %s %u %d %d %d %u %u %u %u %lld", info->name, info->uuid, info->dim, (int)info->metric,
                (int)info->dtype, (int)info->id_type, info->m, info->ef_construction, info->index_threads, info->format,
                (long long)info->created_ms);
        for (uint32_t i = 0; i < info->field_count; i++) fprintf(to, " %s", info->fields[i]);
        evdb_store_info_free(info);
    }
    answers_finish(a, to, rc, &why);
    to = answers_begin(a, &size, "%s: stats", name);
    rc = evdb_store_get_stats(store, &stats, &why);
    if (rc == EVDB_OK)
        fprintf(to, "%llu %llu %llu", (unsigned long long)stats.records, (unsigned long long)stats.sequence,
                (unsigned long long)stats.changes_horizon);
    answers_finish(a, to, rc, &why);
    to = answers_begin(a, &size, "%s: compression", name);
    rc = evdb_store_get_compression(store, &compression, &why);
    if (rc == EVDB_OK) fprintf(to, "'%s' '%s' %d %a", compression.codec, compression.in_force, (int)compression.state, compression.loss);
    answers_finish(a, to, rc, &why);
    to = answers_begin(a, &size, "%s: count", name);
    rc = evdb_store_count(store, &count, &why);
    if (rc == EVDB_OK) fprintf(to, "%llu", (unsigned long long)count);
    answers_finish(a, to, rc, &why);
}

static void ask_records(answers *a, evdb_store *store, const char *name, bool texts)
{
    char space[TEXT_ID_MAX];
    size_t size;
    evdb_error why;
    for (unsigned n = 0; n <= ANSWERS_IDS; n++) { /* the last is not there, as are the deleted ones */
        evdb_record *record;
        FILE *to = answers_begin(a, &size, "%s: get %u", name, n);
        evdb_status rc = evdb_record_get(store, id_of(n, texts, space), &record, &why);
        if (rc == EVDB_OK) {
            print_record(to, record);
            evdb_record_free(record);
        }
        answers_finish(a, to, rc, &why);
    }
}

static void ask_walks(answers *a, evdb_store *store, const char *name)
{
    size_t size;
    evdb_error why;
    evdb_cursor *cursor;
    evdb_changes *changes;
    const evdb_record *record = NULL;
    FILE *to = answers_begin(a, &size, "%s: iterate", name);
    evdb_status rc = evdb_cursor_open(store, NULL, &cursor, &why);
    if (rc == EVDB_OK) {
        while ((rc = evdb_cursor_next(cursor, &record, &why)) == EVDB_OK && record) print_record(to, record);
        evdb_cursor_close(cursor);
    }
    answers_finish(a, to, rc, &why);
    to = answers_begin(a, &size, "%s: changes", name);
    rc = evdb_changes_read(store, 0, 0, &changes, &why);
    for (size_t i = 0; rc == EVDB_OK && i < changes->count; i++) {
        fprintf(to, "%llu %d ", (unsigned long long)changes->at[i].sequence, (int)changes->at[i].kind);
        print_id(to, &changes->at[i].id);
        fprintf(to, "\n");
    }
    if (rc == EVDB_OK) evdb_changes_free(changes);
    answers_finish(a, to, rc, &why);
}

static void ask_searches(answers *a, evdb_store *store, const char *name)
{
    for (unsigned q = 0; q < 4; q++) {
        evdb_search_options o = EVDB_SEARCH_OPTIONS;
        evdb_result *result;
        evdb_error why;
        float query[ANSWERS_DIM];
        size_t size;
        o.flags = q % 2 ? EVDB_SEARCH_METADATA : 0;
        fill_vector(q * 5000 + 1, query);
        FILE *to = answers_begin(a, &size, "%s: search %u", name, q);
        evdb_status rc = q < 3 ? evdb_search(store, query, ANSWERS_DIM, &o, &result, &why)
                               : evdb_search_range(store, query, ANSWERS_DIM, 1.1f, &o, &result, &why);
        for (size_t i = 0; rc == EVDB_OK && i < result->count; i++) {
            print_id(to, &result->ids[i]);
            fprintf(to, " %a %s\n", (double)result->distances[i], result->metadata ? result->metadata[i] : "");
        }
        if (rc == EVDB_OK) evdb_result_free(result);
        answers_finish(a, to, rc, &why);
    }
}

static void ask_store(answers *a, evdb *db, const char *name, bool texts)
{
    size_t size;
    evdb_error why;
    evdb_store *store;
    FILE *to = answers_begin(a, &size, "%s: open", name);
    evdb_status rc = evdb_store_open(db, name, &store, &why);
    answers_finish(a, to, rc, &why);
    if (rc != EVDB_OK) return;
    ask_description(a, store, name);
    ask_records(a, store, name, texts);
    ask_walks(a, store, name);
    ask_searches(a, store, name);
    evdb_store_close(store);
}

static void ask_list(answers *a, evdb *db)
{
    size_t size, count;
    evdb_error why;
    evdb_store_info **list;
    FILE *to = answers_begin(a, &size, "list");
    evdb_status rc = evdb_store_list(db, &list, &count, &why);
    for (size_t i = 0; rc == EVDB_OK && i < count; i++) fprintf(to, "%s %s\n", list[i]->name, list[i]->uuid);
    if (rc == EVDB_OK) evdb_store_list_free(list, count);
    answers_finish(a, to, rc, &why);
}

answers answers_of(const char *dir)
{
    answers a = { 0 };
    size_t size;
    evdb_error why;
    evdb *db;
    evdb_verify_report report;
    FILE *to = answers_begin(&a, &size, "open");
    evdb_status rc = open_database(dir, 2, &db, &why); /* other tokens than there are */
    answers_finish(&a, to, rc, &why);
    a.opened = rc == EVDB_OK;
    if (!a.opened) return a;
    ask_list(&a, db);
    answers_ask_clients(&a, db);
    ask_store(&a, db, "ints", false);
    ask_store(&a, db, "texts", true);
    a.verified = evdb_verify(db, NULL, NULL, NULL, &report, &why) == EVDB_OK ? (unsigned)report.problems : 1;
    evdb_close(db);
    return a;
}

void answers_free(answers *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->at[i].question);
        free(a->at[i].text);
        free(a->at[i].message);
    }
    a->count = 0;
}

/* ---- comparing ---- */

const answer *answers_find(const answers *a, const char *question)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->at[i].question, question) == 0) return &a->at[i];
    return NULL;
}

/* What was handed out before the error must have been right. */
static bool reported(const answer *original, const answer *now)
{
    return (now->status == EVDB_CORRUPT || now->status == EVDB_IO) &&
           strncmp(original->text, now->text, strlen(now->text)) == 0;
}

verdict answers_compare(const answers *original, const answers *now)
{
    verdict v = { 0 };
    for (size_t i = 0; i < now->count; i++) {
        const answer *is = &now->at[i], *was = answers_find(original, is->question);
        if (is->status == was->status && strcmp(is->text, was->text) == 0) continue;
        if (reported(was, is)) v.reported++;
        else {
            v.wrong++;
            fprintf(stderr, "'%s' was answered %s: %.200s%s\n  now %s: %.200s%s\n", is->question,
                    evdb_status_name(was->status), was->text, was->message, evdb_status_name(is->status), is->text,
                    is->message);
        }
    }
    if (now->opened && v.reported && !now->verified) {
        v.unverified = 1;
        fprintf(stderr, "%u answers became errors, but verify finds nothing\n", v.reported);
    }
    return v;
}
