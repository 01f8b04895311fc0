/* backup_choose.c - the part of evdb/backup.h that finds which backups rules delete: evdb_backup_choose().
 *
 * What to keep is found first, and what that builds on is kept with it. The rest comes by the length of its chain, the longest first:
 * whoever deletes in that order leaves no increment without its base, wherever that is interrupted. */
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include <evdb/backup.h>
#include <stdlib.h>
#include <string.h>

typedef struct candidate {
    evdb_backup_info *info;
    unsigned depth; /* how many it builds on */
    bool matches;   /* the caller means it */
    bool broken;    /* it cannot be restored */
    bool kept;
} candidate;

typedef struct choice {
    const evdb_prune_options *o;
    size_t count;
    candidate *all;    /* of each backup */
    candidate **order; /* ... in whichever order is needed */
    candidate **work;  /* ... or those whose bases are to be kept as well */
} choice;

/* ---- chains ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(candidate *const *)a)->info->id, (*(candidate *const *)b)->info->id);
}

/* The first, in order of id, that is no less than this; several can be copies of one. */
static size_t first_of(const choice *p, const char *id)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(p->order[middle]->info->id, id) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool has_id(const choice *p, size_t at, const char *id)
{
    return at < p->count && strcmp(p->order[at]->info->id, id) == 0;
}

static const candidate *base_of(const choice *p, const candidate *c)
{
    for (size_t at = first_of(p, c->info->base); has_id(p, at, c->info->base); at++)
        if (!*p->order[at]->info->problem) return p->order[at];
    return NULL;
}

static void follow_chain(const choice *p, candidate *c)
{
    const candidate *at = c;
    while (at && !*at->info->problem && *at->info->base && c->depth < EVDB_BACKUP_CHAIN_MAX) {
        at = base_of(p, at);
        c->depth++;
    }
    c->broken = !at || *at->info->problem || *at->info->base;
}

/* With the order by id. Every one is kept once, so there is room for all. */
static void keep_bases(const choice *p)
{
    size_t waiting = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->all[i].kept) p->work[waiting++] = &p->all[i];
    while (waiting) {
        const char *base = p->work[--waiting]->info->base;
        for (size_t at = *base ? first_of(p, base) : p->count; has_id(p, at, base); at++) {
            if (p->order[at]->kept) continue;
            p->order[at]->kept = true;
            p->work[waiting++] = p->order[at];
        }
    }
}

/* ---- rules ---- */

static int newest_first(const void *a, const void *b)
{
    const evdb_backup_info *x = (*(candidate *const *)a)->info, *y = (*(candidate *const *)b)->info;
    int uuids = strcmp(x->uuid, y->uuid);
    if (uuids) return uuids;
    if (x->sequence != y->sequence) return x->sequence > y->sequence ? -1 : 1;
    if (x->finished_ms != y->finished_ms) return x->finished_ms > y->finished_ms ? -1 : 1;
    return strcmp(y->name, x->name);
}

static bool means(const choice *p, const evdb_backup_info *info)
{
    if (p->o->store && *info->store && strcmp(info->store, p->o->store) != 0) return false;
    return !p->o->counts || p->o->counts(p->o->context, info) != 0;
}

static void apply_rules(choice *p)
{
    const char *uuid = "";
    uint32_t rank = 0;
    qsort(p->order, p->count, sizeof(*p->order), newest_first);
    for (size_t i = 0; i < p->count; i++) {
        candidate *c = p->order[i];
        if (strcmp(uuid, c->info->uuid) != 0) rank = 0;
        uuid = c->info->uuid;
        c->kept = c->broken || !c->matches;
        if (c->kept) continue;
        if (rank < p->o->keep || (p->o->since_ms && c->info->finished_ms >= p->o->since_ms)) c->kept = true;
        rank++;
    }
}

static void apply(choice *p)
{
    qsort(p->order, p->count, sizeof(*p->order), by_id);
    for (size_t i = 0; i < p->count; i++) follow_chain(p, &p->all[i]);
    apply_rules(p);
    qsort(p->order, p->count, sizeof(*p->order), by_id);
    keep_bases(p);
}

/* ---- what comes of it ---- */

/* Then those that are told of, by name. */
static int longest_chain_first(const void *a, const void *b)
{
    const candidate *x = *(candidate *const *)a, *y = *(candidate *const *)b;
    if (x->kept != y->kept) return x->kept ? 1 : -1;
    if (!x->kept && x->depth != y->depth) return x->depth > y->depth ? -1 : 1;
    return strcmp(x->info->name, y->info->name);
}

static size_t narrow(const choice *p, evdb_backup_info **list)
{
    static const char baseless[] = "it builds on a backup that is not there, or cannot be used";
    size_t left = 0;
    qsort(p->order, p->count, sizeof(*p->order), longest_chain_first);
    for (size_t i = 0; i < p->count; i++) {
        const candidate *c = p->order[i];
        bool told = c->broken && c->matches;
        if (c->kept && !told) continue;
        if (told && !*c->info->problem) memcpy(c->info->problem, baseless, sizeof(baseless));
        list[left++] = c->info;
    }
    return left;
}

evdb_status backup_choose(const evdb *db, const evdb_prune_options *o, evdb_backup_info **list, size_t *count, evdb_error *err)
{
    const evdb_allocator *mem = &db->platform.mem;
    choice p = { .o = o, .count = *count };
    evdb_status rc = EVDB_OK;
    if (!p.count) return EVDB_OK;
    p.all = mem_array(mem, p.count, sizeof(*p.all));
    p.order = mem_array(mem, p.count, sizeof(*p.order));
    p.work = mem_array(mem, p.count, sizeof(*p.work));
    if (!p.all || !p.order || !p.work) TRY(error_no_memory(err, p.count * sizeof(*p.all), "the list of backups"));
    for (size_t i = 0; i < p.count; i++) {
        p.all[i] = (candidate){ .info = list[i], .matches = means(&p, list[i]) };
        p.order[i] = &p.all[i];
    }
    apply(&p);
    *count = narrow(&p, list);
out:
    mem_free(mem, p.work);
    mem_free(mem, p.order);
    mem_free(mem, p.all);
    return rc;
}

evdb_status backup_prune_options(const evdb_prune_options *given, evdb_prune_options *out, evdb_error *err)
{
    *out = (evdb_prune_options)EVDB_PRUNE_OPTIONS;
    evdb_status rc = options_import(out, sizeof(*out), given, "evdb_prune_options", err);
    if (rc != EVDB_OK) return rc;
    if (out->since_ms < 0) return error_set(err, EVDB_INVALID, "since_ms is %lld, before 1970", (long long)out->since_ms);
    if (out->keep || out->since_ms) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "pruning needs a rule: how many backups to keep, or since when; without one all would be deleted");
}

evdb_status evdb_backup_choose(evdb *db, const evdb_prune_options *options, const evdb_backup_info *const *backups, size_t count,
                               evdb_backup_info ***out, size_t *chosen, evdb_error *err)
{
    evdb_prune_options o;
    evdb_backup_info *at = NULL, **list = NULL;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(backup_prune_options(options, &o, err));
    at = mem_array(&db->platform.mem, count, sizeof(*at));
    if (!at) TRY(error_no_memory(err, count * sizeof(*at), "the list of backups"));
    for (size_t i = 0; i < count; i++) {
        at[i] = (evdb_backup_info)EVDB_BACKUP_INFO;
        TRY(options_import(&at[i], sizeof(at[i]), backups[i], "evdb_backup_info", err));
    }
    TRY(backup_infos_copy(db, at, count, &list, err));
    TRY(backup_choose(db, &o, list, &count, err));
    *out = list;
    *chosen = count;
out:
    if (rc != EVDB_OK) evdb_backup_list_free(list, 0);
    mem_free(&db->platform.mem, at);
    return rc;
}
