/* repair_store.c - implements repair_store.h: the stores. */
#include "repair_store.h"
#include "children.h"
#include "database_private.h"
#include "gated.h"
#include "repair_store_private.h"
#include "seed.h"
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const repair_names[REPAIR_KINDS] = { "plain", "coded", "wide" };
const unsigned repair_counts[REPAIR_KINDS] = { REPAIR_IDS, 300, 24 };
static const uint32_t dims[REPAIR_KINDS] = { 24, 32, 6000 };

enum { BATCH = 50, PAD_MAX = 60000 };

void repair_must(evdb_status rc, const evdb_error *why, const char *what)
{
    if (rc != EVDB_OK) errx(2, "%s: %s: %s", what, evdb_status_name(rc), why->message);
}

evdb *repair_open(const char *dir)
{
    platform p = platform_real;
    evdb *db;
    evdb_error why;
    p.io.before = gated_no_sync;
    repair_must(db_open_with(&p, dir, NULL, &db, &why), &why, "open");
    return db;
}

evdb_id repair_id(repair_kind kind, unsigned n, char space[32])
{
    if (kind != REPAIR_CODED) return (evdb_id){ .number = (int64_t)n * 3 - 50 };
    return (evdb_id){ .text = space, .length = (size_t)snprintf(space, 32, "doc-%u", n) };
}

/* The other way round; REPAIR_IDS when it is none of ours. */
unsigned repair_number(repair_kind kind, const evdb_id *id)
{
    int64_t n = id->text ? strtoll(id->text + 4, NULL, 10) : (id->number + 50) / 3;
    char space[32];
    evdb_id again = repair_id(kind, (unsigned)n, space);
    bool same = !id->text ? id->number == again.number : again.text && id->length == again.length && !memcmp(id->text, space, id->length);
    return same && n >= 0 && n < (int64_t)repair_counts[kind] ? (unsigned)n : REPAIR_IDS;
}

void repair_metadata(unsigned n, unsigned tag, char *out, size_t room)
{
    unsigned pad = n % 40 == 7 ? 50000 + tag * 100 : n % 10 == 3 ? 3000 + tag * 1700 : (n * 7 + tag * 13) % 200 + 1;
    snprintf(out, room, "{\"tag\":%u,\"pad\":\"%0*u\"}", tag, (int)pad, n);
}

void repair_vector(repair_kind kind, unsigned n, unsigned tag, float *out)
{
    uint64_t seed = n * 100 + tag + 1;
    seed_floats(&seed, out, dims[kind]);
}

uint32_t repair_dim(repair_kind kind) { return dims[kind]; }

/* Every step-th record from `first` on, in batches. */
static void write_each(evdb_store *store, repair_kind kind, evdb_write how, unsigned first, unsigned step, unsigned tag, bool vectors)
{
    static char metadata[BATCH][PAD_MAX], spaces[BATCH][32];
    static float rows[BATCH][6000];
    evdb_batch b = EVDB_BATCH;
    evdb_id ids[BATCH];
    const char *texts[BATCH];
    evdb_error why;
    b.kind = how;
    b.ids = ids;
    b.dim = dims[kind];
    b.stride = sizeof(rows[0]);
    for (unsigned n = first; n < repair_counts[kind];) {
        for (b.count = 0; b.count < BATCH && n < repair_counts[kind]; b.count++, n += step) {
            size_t i = b.count;
            ids[i] = repair_id(kind, n, spaces[i]);
            repair_metadata(n, tag, metadata[i], PAD_MAX);
            texts[i] = metadata[i];
            if (vectors) repair_vector(kind, n, tag, rows[i]);
        }
        if (how != EVDB_DELETE) b.metadata = texts;
        if (vectors) b.vectors = rows;
        repair_must(evdb_batch_write(store, &b, NULL, &why), &why, "write");
    }
}

static void fill(evdb *db, repair_kind kind, bool sync)
{
    static const char *const fields[] = { "tag", "pad" };
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    evdb_error why;
    o.metric = EVDB_EUCLIDEAN;
    o.codec = kind == REPAIR_CODED ? "i8:trained" : "none";
    if (kind == REPAIR_PLAIN) {
        o.fields = fields;
        o.field_count = 2;
    }
    repair_must(evdb_store_create(db, repair_names[kind], &o, &store, &why), &why, "create");
    write_each(store, kind, EVDB_UPSERT, 0, 1, 1, true);
    if (kind == REPAIR_CODED) repair_must(evdb_store_recode(store, &why), &why, "recode");
    if (sync) repair_must(evdb_store_sync(store, &why), &why, "sync");
    write_each(store, kind, EVDB_UPSERT, 0, 5, 2, true);
    write_each(store, kind, EVDB_UPDATE, 1, 6, 3, false);
    write_each(store, kind, EVDB_DELETE, 4, 9, 0, false);
    write_each(store, kind, EVDB_UPSERT, 4, 27, 4, true);
    if (kind == REPAIR_PLAIN) repair_must(evdb_changes_trim(store, 50, &why), &why, "trim");
    evdb_store_close(store);
}

typedef struct builder { const char *dir; int how; } builder;

static int build(void *context)
{
    const builder *b = context;
    evdb *db = repair_open(b->dir);
    for (int kind = 0; kind < REPAIR_KINDS; kind++) fill(db, (repair_kind)kind, b->how == REPAIR_HALFWAY);
    if (b->how != REPAIR_CLOSED) kill(getpid(), SIGKILL);
    evdb_close(db);
    return 0;
}

static void remember(evdb_store *store, repair_kind kind, repair_state *was)
{
    evdb_record *r;
    evdb_error why;
    char space[32];
    for (unsigned n = 0; n < repair_counts[kind]; n++) {
        evdb_status rc = evdb_record_get(store, repair_id(kind, n, space), &r, &why);
        if (rc == EVDB_NOT_FOUND) continue;
        repair_must(rc, &why, "read");
        was[n] = (repair_state){ .there = true, .version = r->version, .metadata = strdup(r->metadata),
                                 .vector = malloc(dims[kind] * sizeof(float)) };
        if (!was[n].metadata || !was[n].vector) errx(2, "out of memory");
        memcpy(was[n].vector, r->vector, dims[kind] * sizeof(float));
        evdb_record_free(r);
    }
}

void repair_build(repair_specimen *s, int how)
{
    evdb_store *store;
    evdb_store_info *info;
    evdb_error why;
    memset(s, 0, sizeof(*s));
    s->dir = dir_new();
    (void)child_wait(child_start(build, &(builder){ s->dir, how }));
    s->files = tree_read(s->dir);
    evdb *db = repair_open(s->dir);
    for (int kind = 0; kind < REPAIR_KINDS; kind++) {
        repair_must(evdb_store_open(db, repair_names[kind], &store, &why), &why, "open");
        repair_must(evdb_store_describe(store, &info, &why), &why, "describe");
        memcpy(s->uuids[kind], info->uuid, sizeof(info->uuid));
        evdb_store_info_free(info);
        remember(store, (repair_kind)kind, s->was[kind]);
        evdb_store_close(store);
    }
    evdb_close(db);
}

void repair_free(repair_specimen *s)
{
    for (int kind = 0; kind < REPAIR_KINDS; kind++)
        for (unsigned n = 0; n < REPAIR_IDS; n++) {
            free(s->was[kind][n].metadata);
            free(s->was[kind][n].vector);
        }
    tree_free(&s->files);
    dir_remove(s->dir);
}

tree_file *repair_file(const repair_specimen *s, repair_kind kind, const char *end)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/rows.db%s", s->uuids[kind], end);
    return tree_find(&s->files, path, 0);
}
