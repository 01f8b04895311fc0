/* repair_examine.c - implements repair_store.h: what a repair must have made of a store. */
#include "repair_store.h"
#include "repair_store_private.h"
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS = 5, METADATA_MAX = 60000 };

typedef struct examination {
    repair_specimen *specimen;
    repair_kind kind;
    const char *what;
    repair_tally *tally;
    evdb *db;
    evdb_repair_report report;
    bool readable[REPAIR_IDS], lost[REPAIR_IDS], met[REPAIR_IDS];
    unsigned told, strange; /* ids that were told to be lost; of those, what was never there */
} examination;

__attribute__((format(printf, 2, 3))) static void wrong(examination *x, const char *format, ...)
{
    va_list args;
    x->tally->wrong++;
    fprintf(stderr, "%s, %s: ", repair_names[x->kind], x->what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static bool same(const examination *x, const evdb_record *r, const repair_state *was)
{
    return was->there && r->version == was->version && strcmp(r->metadata, was->metadata) == 0 &&
           memcmp(r->vector, was->vector, repair_dim(x->kind) * sizeof(float)) == 0;
}

/* What can still be read of the damaged store. */
static void read_damaged(examination *x)
{
    evdb_store *store;
    evdb_record *r;
    char space[32];
    if (evdb_store_open(x->db, repair_names[x->kind], &store, NULL) != EVDB_OK) return;
    for (unsigned n = 0; n < repair_counts[x->kind]; n++) {
        if (evdb_record_get(store, repair_id(x->kind, n, space), &r, NULL) != EVDB_OK) continue;
        x->readable[n] = true;
        evdb_record_free(r);
    }
    evdb_store_close(store);
}

static void note_lost(void *context, const evdb_id *id, evdb_lost what)
{
    examination *x = context;
    unsigned n = repair_number(x->kind, id);
    x->told++;
    if (what < EVDB_LOST_METADATA || what > EVDB_LOST_BOTH) wrong(x, "record %u: lost in no known way", n);
    if (n == REPAIR_IDS || !x->specimen->was[x->kind][n].there) x->strange++;
    else if (x->lost[n]) wrong(x, "record %u is told to be lost twice", n);
    else x->lost[n] = true;
}

static evdb_status repair(examination *x, evdb_error *why)
{
    static const char *const fields[] = { "tag", "pad" };
    evdb_store_options description = EVDB_STORE_OPTIONS;
    evdb_repair_options o = EVDB_REPAIR_OPTIONS;
    o.context = x;
    o.lost = note_lost;
    x->report = (evdb_repair_report)EVDB_REPAIR_REPORT;
    evdb_status rc = evdb_store_repair(x->db, repair_names[x->kind], &o, &x->report, why);
    if (rc != EVDB_CORRUPT || !strstr(why->message, "description")) return rc;
    description.metric = EVDB_EUCLIDEAN;
    description.fields = fields;
    description.field_count = x->kind == REPAIR_PLAIN ? 2 : 0;
    o.description = &description;
    x->tally->described++;
    rc = evdb_store_repair(x->db, repair_names[x->kind], &o, &x->report, why);
    if (rc != EVDB_CORRUPT || !strstr(why->message, "dimension")) return rc;
    description.dim = repair_dim(x->kind);
    memset(x->lost, 0, sizeof(x->lost));
    x->told = x->strange = 0;
    return evdb_store_repair(x->db, repair_names[x->kind], &o, &x->report, why);
}

/* Where changes are lost, a record may come back as it was before one of them: but as it was. */
static bool as_once(const examination *x, unsigned n, const evdb_record *r)
{
    static char metadata[METADATA_MAX];
    static float vector[6000];
    const repair_state *was = &x->specimen->was[x->kind][n];
    bool text = false, floats = x->kind == REPAIR_CODED;
    for (unsigned tag = 1; tag < TAGS; tag++) {
        repair_metadata(n, tag, metadata, sizeof(metadata));
        text = text || strcmp(r->metadata, metadata) == 0;
        repair_vector(x->kind, n, tag, vector);
        floats = floats || memcmp(r->vector, vector, repair_dim(x->kind) * sizeof(float)) == 0;
    }
    bool earlier = !was->there || r->version < was->version || x->kind == REPAIR_CODED; /* that one's vectors were written again */
    /* Writing vectors again is no change, so none is missing when the log that had it is lost: then the record is of the codec before. */
    bool recoded = x->kind == REPAIR_CODED && was->there && r->version == was->version;
    return text && floats && (recoded || (x->report.missing_changes && earlier));
}

static void compare(examination *x, evdb_store *store)
{
    evdb_cursor *cursor;
    const evdb_record *r;
    evdb_error why;
    uint64_t count = 0;
    repair_must(evdb_cursor_open(store, NULL, &cursor, &why), &why, "read");
    for (;; count++) {
        repair_must(evdb_cursor_next(cursor, &r, &why), &why, "read");
        if (!r) break;
        unsigned n = repair_number(x->kind, &r->id);
        if (n == REPAIR_IDS) {
            wrong(x, "a record that was never written");
            continue;
        }
        x->met[n] = same(x, r, &x->specimen->was[x->kind][n]);
        if (!x->met[n] && !as_once(x, n, r)) wrong(x, "record %u is not what it was", n);
        x->tally->salvaged += x->met[n];
        x->tally->outdated += !x->met[n];
        if (!x->met[n]) x->readable[n] = false, x->lost[n] = true; /* told as a missing change */
        else if (x->lost[n]) wrong(x, "record %u is told to be lost, and is there", n);
    }
    evdb_cursor_close(cursor);
    if (count != x->report.records) wrong(x, "%llu records, told were %llu", (unsigned long long)count, (unsigned long long)x->report.records);
}

static void account(examination *x)
{
    uint64_t untold = 0;
    for (unsigned n = 0; n < repair_counts[x->kind]; n++) {
        if (!x->specimen->was[x->kind][n].there) continue;
        x->tally->records++;
        if (x->met[n]) continue;
        if (x->readable[n]) wrong(x, "record %u could be read before the repair", n);
        untold += !x->lost[n];
    }
    if (!x->report.repaired) {
        x->tally->sound++;
        if (untold) wrong(x, "%llu records are missing of a store that is said to be sound", (unsigned long long)untold);
        return;
    }
    x->tally->lost += x->told;
    x->tally->unnamed += untold;
    if (x->told != x->report.lost) wrong(x, "%u records were told to be lost, and %llu counted", x->told, (unsigned long long)x->report.lost);
    if (untold > x->report.lost_unnamed && !x->report.missing_changes) wrong(x, "%llu lost records are not told of", (unsigned long long)untold);
    if (x->strange && !x->report.missing_changes) wrong(x, "%u records are told to be lost that were not there", x->strange);
}

static void problem(void *context, const char *store, const char *text)
{
    (void)store;
    wrong(context, "verify afterwards: %s", text);
}

static void check_after(examination *x)
{
    evdb_store *store;
    evdb_store_info *info;
    evdb_verify_report report;
    evdb_error why;
    char path[4200];
    repair_must(evdb_store_open(x->db, repair_names[x->kind], &store, &why), &why, "open");
    compare(x, store);
    account(x);
    repair_must(evdb_store_describe(store, &info, &why), &why, "describe");
    if (info->metric != EVDB_EUCLIDEAN || (x->kind == REPAIR_PLAIN && !x->report.fields_lost && info->field_count != 2))
        wrong(x, "another description");
    evdb_store_info_free(info);
    repair_must(evdb_record_upsert(store, repair_id(x->kind, 1, path), (const float[6000]){ 1 }, repair_dim(x->kind), NULL, NULL, &why), &why,
                "write");
    evdb_store_close(store);
    repair_must(evdb_verify(x->db, NULL, problem, x, &report, &why), &why, "verify");
    if (!x->report.repaired) return;
    snprintf(path, sizeof(path), "%s/%s", x->specimen->dir, x->report.quarantine);
    tree kept = tree_read(path);
    if (!strstr(path, "quarantine/") || !kept.count) wrong(x, "nothing is kept in '%s'", x->report.quarantine);
    tree_free(&kept);
}

void repair_examine(repair_specimen *s, repair_kind kind, const char *what, repair_tally *t)
{
    examination x = { .specimen = s, .kind = kind, .what = what, .tally = t };
    evdb_error why;
    tree_write(&s->files, s->dir);
    x.db = repair_open(s->dir);
    read_damaged(&x);
    t->tried++;
    if (repair(&x, &why) == EVDB_OK) check_after(&x);
    else wrong(&x, "the repair fails: %s", why.message);
    evdb_close(x.db);
}
