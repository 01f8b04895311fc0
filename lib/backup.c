/* backup.c - the part of evdb/backup.h that finds a backup with all it builds on: verify and restore by name or path. */
#include <evdb/backup.h>
#include "backup_file.h"
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include <stdio.h>
#include <string.h>

typedef struct link {
    char *path;
    evdb_backup_info info;
    backup_file file;
    evdb_source source;
} link;

/* The newest first, until it is turned round. */
typedef struct chain {
    evdb *db;
    link *at;
    size_t count, capacity;
    const evdb_source **sources;
} chain;

static void chain_free(chain *c)
{
    const evdb_allocator *mem = &c->db->platform.mem;
    for (size_t i = 0; i < c->count; i++) {
        backup_file_close(&c->at[i].file);
        mem_free(mem, c->at[i].path);
    }
    mem_free(mem, c->at);
    mem_free(mem, c->sources);
}

static evdb_status add(chain *c, const char *dir, const char *name, const char *suffix, evdb_error *err)
{
    const evdb_allocator *mem = &c->db->platform.mem;
    if (c->count == EVDB_BACKUP_CHAIN_MAX) return error_set(err, EVDB_LIMIT, "the backup builds on more than %u others", EVDB_BACKUP_CHAIN_MAX);
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 8;
        link *at = mem_resize(mem, c->at, capacity, sizeof(*at));
        if (!at) return error_no_memory(err, capacity * sizeof(*at), "a chain of backups");
        c->at = at;
        c->capacity = capacity;
    }
    size_t bytes = strlen(dir) + strlen(name) + strlen(suffix) + 2;
    link *l = &c->at[c->count];
    *l = (link){ .path = mem_alloc(mem, bytes), .file.file.fd = -1 };
    if (!l->path) return error_no_memory(err, bytes, "a path");
    c->count++;
    snprintf(l->path, bytes, "%s%s%s%s", dir, *dir ? "/" : "", name, suffix);
    evdb_status trouble, rc = backup_file_look(&c->db->platform, l->path, &l->info, &trouble, err);
    if (rc != EVDB_OK || trouble == EVDB_OK) return rc;
    if (trouble == EVDB_NOT_FOUND && *suffix) return error_set(err, trouble, "there is no backup '%s'", name);
    return error_set(err, trouble, "backup '%s': %s", name, l->info.problem);
}

/* The backup that this one builds on, in a folder. */
static evdb_status find_base(chain *c, const char *dir, bool *found, evdb_error *err)
{
    backup_files files;
    char base[33];
    evdb_status rc = backup_files_list(&c->db->platform, dir, &files, err);
    if (rc != EVDB_OK) return rc;
    memcpy(base, c->at[c->count - 1].info.base, sizeof(base));
    *found = false;
    for (size_t i = 0; rc == EVDB_OK && !*found && i < files.count; i++) {
        if (strcmp(files.at[i].id, base) != 0 || *files.at[i].problem) continue;
        *found = true;
        rc = add(c, dir, files.at[i].name, BACKUP_SUFFIX, err);
    }
    mem_free(&c->db->platform.mem, files.at);
    return rc;
}

static evdb_status follow(chain *c, const char *beside, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    while (*c->at[c->count - 1].info.base) {
        const evdb_backup_info *last = &c->at[c->count - 1].info;
        bool found = false;
        if (c->db->backup_dir) TRY(find_base(c, c->db->backup_dir, &found, err));
        if (!found && beside) TRY(find_base(c, beside, &found, err));
        if (!found)
            TRY(error_set(err, EVDB_NOT_FOUND, "backup '%s' builds on one of change %llu that is not there", last->name,
                          (unsigned long long)last->base_sequence));
    }
out:
    return rc;
}

/* By a path it is looked for beside the file too. */
static evdb_status find_chain(chain *c, const char *backup, evdb_error *err)
{
    const char *slash = backup ? strrchr(backup, '/') : NULL;
    char *beside = NULL;
    evdb_status rc;
    if (slash) {
        size_t length = slash > backup ? (size_t)(slash - backup) : 1;
        if (!(beside = mem_text(&c->db->platform.mem, backup, length))) return error_no_memory(err, length, "a path");
        TRY(add(c, "", backup, "", err));
    } else {
        TRY(evdb_backup_name_check(backup, err));
        if (!c->db->backup_dir) TRY(error_set(err, EVDB_NOT_FOUND, "there is no backup '%s'", backup));
        TRY(add(c, c->db->backup_dir, backup, BACKUP_SUFFIX, err));
    }
    TRY(follow(c, beside, err));
out:
    mem_free(&c->db->platform.mem, beside);
    return rc;
}

/* Leaves out what is later than the caller wants. */
static evdb_status cut(chain *c, const evdb_restore_options *o, size_t *first, evdb_error *err)
{
    for (*first = 0; *first < c->count; ++*first) {
        const evdb_backup_info *i = &c->at[*first].info;
        if ((!o->sequence || i->sequence <= o->sequence) && (!o->time_ms || i->finished_ms <= o->time_ms)) return EVDB_OK;
    }
    const evdb_backup_info *full = &c->at[c->count - 1].info;
    return error_set(err, EVDB_NOT_FOUND, "there is no state that early: backup '%s', which is the first, is of change %llu", full->name,
                     (unsigned long long)full->sequence);
}

/* Here they have names. */
static evdb_status check_keys(const chain *c, size_t first, const unsigned char *key, evdb_error *err)
{
    for (size_t i = first; i < c->count; i++) {
        const evdb_backup_info *info = &c->at[i].info;
        if (info->encrypted && !key) return error_set(err, EVDB_DENIED, "backup '%s' is encrypted: its key is needed", info->name);
        if (!info->encrypted && key)
            return error_set(err, EVDB_DENIED, "backup '%s' is not encrypted, but a key was given: is it the right file?", info->name);
    }
    return EVDB_OK;
}

static evdb_status open_files(chain *c, size_t first, evdb_error *err)
{
    size_t count = c->count - first;
    c->sources = mem_array(&c->db->platform.mem, count, sizeof(*c->sources));
    if (!c->sources) return error_no_memory(err, count * sizeof(*c->sources), "a chain of backups");
    for (size_t i = 0; i < count; i++) {
        link *l = &c->at[c->count - 1 - i];
        evdb_status rc = backup_file_open(&c->db->platform, l->path, &l->file, err);
        if (rc != EVDB_OK) return rc;
        l->source = backup_file_source(&l->file);
        c->sources[i] = &l->source;
    }
    return EVDB_OK;
}

static evdb_status begin(chain *c, const char *backup, const evdb_restore_options *given, evdb_restore_options *o, size_t *first,
                         evdb_error *err)
{
    evdb_status rc;
    TRY(db_usable(c->db, err));
    TRY(backup_restore_options(given, o, err));
    TRY(find_chain(c, backup, err));
    TRY(cut(c, o, first, err));
    TRY(check_keys(c, *first, o->key, err));
    TRY(open_files(c, *first, err));
out:
    return rc;
}

evdb_status evdb_backup_verify(evdb *db, const char *backup, const evdb_restore_options *options, evdb_backup_info *out, evdb_error *err)
{
    chain c = { .db = db };
    evdb_restore_options o;
    size_t first;
    evdb_status rc;
    TRY(begin(&c, backup, options, &o, &first, err));
    TRY(evdb_backup_check_chain(db, c.sources, c.count - first, &o, NULL, err));
    if (out) rc = options_export(out, &c.at[first].info, sizeof(c.at[first].info), "evdb_backup_info", err);
out:
    chain_free(&c);
    return rc;
}

evdb_status evdb_backup_restore(evdb *db, const char *backup, const char *store, const evdb_restore_options *options,
                                evdb_backup_info *out, evdb_error *err)
{
    chain c = { .db = db };
    evdb_restore_options o;
    evdb_backup_info restored = EVDB_BACKUP_INFO;
    size_t first;
    evdb_status rc;
    if (out) TRY(options_export(out, &restored, sizeof(restored), "evdb_backup_info", err)); /* before there is a store */
    TRY(begin(&c, backup, options, &o, &first, err));
    o.sequence = 0; /* the chain is cut by now */
    o.time_ms = 0;
    TRY(evdb_backup_read(db, c.sources, c.count - first, store, &o, err));
    if (out) rc = options_export(out, &c.at[first].info, sizeof(c.at[first].info), "evdb_backup_info", err);
out:
    chain_free(&c);
    return rc;
}
