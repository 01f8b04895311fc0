/* backup_prune.c - the part of evdb/backup.h that deletes backups by rules: evdb_backup_prune().
 *
 * What to keep is found first, what that builds on is kept with it, and the rest is deleted, longest chains first: whenever it is
 * interrupted, no increment is left without its base. */
#include "backup_file.h"
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

typedef struct pruning {
    const evdb *db;
    evdb_prune_options o;
    backup_files files;
    candidate *all;    /* of each file */
    candidate **order; /* ... in whichever order is needed */
    candidate **work;  /* ... or those whose bases are to be kept as well */
} pruning;

/* ---- chains ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(candidate *const *)a)->info->id, (*(candidate *const *)b)->info->id);
}

/* The first, in order of id, that is no less than this; several files can be copies of one. */
static size_t first_of(const pruning *p, const char *id)
{
    size_t low = 0, high = p->files.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(p->order[middle]->info->id, id) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool has_id(const pruning *p, size_t at, const char *id)
{
    return at < p->files.count && strcmp(p->order[at]->info->id, id) == 0;
}

static const candidate *base_of(const pruning *p, const candidate *c)
{
    for (size_t at = first_of(p, c->info->base); has_id(p, at, c->info->base); at++)
        if (!*p->order[at]->info->problem) return p->order[at];
    return NULL;
}

static void follow_chain(const pruning *p, candidate *c)
{
    const candidate *at = c;
    while (at && !*at->info->problem && *at->info->base && c->depth < EVDB_BACKUP_CHAIN_MAX) {
        at = base_of(p, at);
        c->depth++;
    }
    c->broken = !at || *at->info->problem || *at->info->base;
}

/* With the order by id. Every one is kept once, so there is room for all. */
static void keep_bases(const pruning *p)
{
    size_t waiting = 0;
    for (size_t i = 0; i < p->files.count; i++)
        if (p->all[i].kept) p->work[waiting++] = &p->all[i];
    while (waiting) {
        const char *base = p->work[--waiting]->info->base;
        for (size_t at = *base ? first_of(p, base) : p->files.count; has_id(p, at, base); at++) {
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

static bool means(const pruning *p, const evdb_backup_info *info)
{
    if (p->o.store && *info->store && strcmp(info->store, p->o.store) != 0) return false;
    return !p->o.counts || p->o.counts(p->o.context, info) != 0;
}

static void apply_rules(pruning *p)
{
    const char *uuid = "";
    uint32_t rank = 0;
    qsort(p->order, p->files.count, sizeof(*p->order), newest_first);
    for (size_t i = 0; i < p->files.count; i++) {
        candidate *c = p->order[i];
        if (strcmp(uuid, c->info->uuid) != 0) rank = 0;
        uuid = c->info->uuid;
        c->kept = c->broken || !c->matches;
        if (c->kept) continue;
        if (rank < p->o.keep || (p->o.since_ms && c->info->finished_ms >= p->o.since_ms)) c->kept = true;
        rank++;
    }
}

static evdb_status choose(pruning *p, evdb_error *err)
{
    size_t count = p->files.count;
    const evdb_allocator *mem = &p->db->platform.mem;
    p->all = mem_array(mem, count, sizeof(*p->all));
    p->order = mem_array(mem, count, sizeof(*p->order));
    p->work = mem_array(mem, count, sizeof(*p->work));
    if (!p->all || !p->order || !p->work) return error_no_memory(err, count * sizeof(*p->all), "the list of backups");
    for (size_t i = 0; i < count; i++) {
        p->all[i] = (candidate){ .info = &p->files.at[i], .matches = means(p, &p->files.at[i]) };
        p->order[i] = &p->all[i];
    }
    if (!count) return EVDB_OK;
    qsort(p->order, count, sizeof(*p->order), by_id);
    for (size_t i = 0; i < count; i++) follow_chain(p, &p->all[i]);
    apply_rules(p);
    qsort(p->order, count, sizeof(*p->order), by_id);
    keep_bases(p);
    return EVDB_OK;
}

/* ---- what comes of it ---- */

static int longest_chain_first(const void *a, const void *b)
{
    const candidate *x = *(candidate *const *)a, *y = *(candidate *const *)b;
    return (x->depth < y->depth) - (x->depth > y->depth);
}

/* Those to delete and those to tell of move to the front; from here on there are no others. */
static void narrow(pruning *p)
{
    static const char baseless[] = "it builds on a backup that is not there, or cannot be used";
    size_t left = 0;
    for (size_t i = 0; i < p->files.count; i++) {
        candidate c = p->all[i];
        bool told = c.broken && c.matches;
        if (c.kept && !told) continue;
        p->files.at[left] = *c.info;
        c.info = &p->files.at[left];
        if (told && !*c.info->problem) memcpy(c.info->problem, baseless, sizeof(baseless));
        p->all[left] = c;
        p->order[left] = &p->all[left];
        left++;
    }
    p->files.count = left;
}

static evdb_status remove_chosen(const pruning *p, const backup_folder *f, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    if (p->files.count) qsort(p->order, p->files.count, sizeof(*p->order), longest_chain_first);
    for (size_t i = 0; rc == EVDB_OK && i < p->files.count; i++)
        if (!p->order[i]->kept) rc = backup_folder_remove(f, p->order[i]->info->name, err);
    return rc;
}

static evdb_status prune(pruning *p, const backup_folder *f, const char *dir, evdb_backup_info ***out, size_t *count, evdb_error *err)
{
    evdb_backup_info **list = NULL;
    evdb_status rc;
    TRY(backup_files_list(&p->db->platform, dir, &p->files, err));
    TRY(backup_files_all_read(&p->files, err));
    TRY(choose(p, err));
    narrow(p);
    TRY(backup_infos_copy(p->db, p->files.at, p->files.count, &list, err)); /* before anything is deleted */
    if (!p->o.dry_run) TRY(remove_chosen(p, f, err));
    *out = list;
    *count = p->files.count;
out:
    if (rc != EVDB_OK) evdb_backup_list_free(list, 0);
    mem_free(&p->db->platform.mem, p->work);
    mem_free(&p->db->platform.mem, p->order);
    mem_free(&p->db->platform.mem, p->all);
    mem_free(&p->db->platform.mem, p->files.at);
    return rc;
}

evdb_status evdb_backup_prune(evdb *db, const evdb_prune_options *options, evdb_backup_info ***out, size_t *count, evdb_error *err)
{
    pruning p = { .db = db, .o = EVDB_PRUNE_OPTIONS };
    backup_folder f = { .lock.fd = -1 };
    const char *dir;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(options_import(&p.o, sizeof(p.o), options, "evdb_prune_options", err));
    if (p.o.since_ms < 0) TRY(error_set(err, EVDB_INVALID, "since_ms is %lld, before 1970", (long long)p.o.since_ms));
    if (!p.o.keep && !p.o.since_ms)
        TRY(error_set(err, EVDB_INVALID, "pruning needs a rule: how many backups to keep, or since when; without one all would be deleted"));
    TRY(backup_folder_of(db, &dir, err));
    if (!p.o.dry_run) TRY(backup_folder_lock(db, &f, err));
    p.o.dry_run |= f.missing; /* what appears there meanwhile would not be locked */
    rc = prune(&p, &f, dir, out, count, err);
    backup_folder_unlock(&f);
out:
    return rc;
}
