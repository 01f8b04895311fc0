/* backup_folder.c - the part of evdb/backup.h that knows backups by name: files NAME.backup in one folder.
 *
 * A file is written under a name that begins with a dot and ends in ".new", with a lock on it, so that nobody takes it for one that a
 * dead process left: those are removed by the next who makes a backup. Names are given and taken with a lock on the folder's file
 * ".lock" held: not the system lock, since several databases may share a folder. */
#include "backup_file.h"
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "platform/file.h"
#include "platform/lock.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096, RANDOM = 16 /* digits in the name of an unfinished one */ };
static const char unfinished[] = ".new", lock_name[] = ".lock";

evdb_status evdb_backup_name_check(const char *name, evdb_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = name ? strlen(name) : 0;
    char allowed[sizeof(letters) + 3];
    snprintf(allowed, sizeof(allowed), "%s_.-", letters);
    if (length >= 1 && length <= EVDB_BACKUP_NAME_MAX && strspn(name, allowed) == length && strchr(letters, name[0])) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "'%.80s' is no name for a backup: 1 to %u of A-Z, a-z, 0-9, _, . and -, the first a letter or digit",
                     name ? name : "", EVDB_BACKUP_NAME_MAX);
}

evdb_status backup_folder_of(const evdb *db, const char **out, evdb_error *err)
{
    *out = db->backup_dir;
    if (db->backup_dir) return EVDB_OK;
    return error_set(err, EVDB_UNSUPPORTED, "a database in memory has no folder of backups, unless evdb_options.backup_dir names one");
}

static evdb_status path_of(const char *dir, const char *before, const char *name, const char *after, char out[PATH_BYTES], evdb_error *err)
{
    if ((size_t)snprintf(out, PATH_BYTES, "%s/%s%s%s", dir, before, name, after) < PATH_BYTES) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "%s: the path is too long", dir);
}

static evdb_status exists(const char *path, bool *out, evdb_error *err)
{
    bool directory;
    int failed = file_exists(path, out, &directory);
    return failed ? error_errno(err, failed, "look at", path) : EVDB_OK;
}

/* ---- the lock ---- */

evdb_status backup_folder_lock(const evdb *db, backup_folder *out, evdb_error *err)
{
    bool there;
    evdb_status rc;
    int failed = 0;
    *out = (backup_folder){ .db = db, .lock.fd = -1 };
    TRY(backup_folder_of(db, &out->dir, err));
    TRY(exists(out->dir, &there, err));
    out->missing = !there;
    if (out->missing) goto out;
    TRY(path_of(out->dir, lock_name, "", "", out->path, err));
    failed = lock_open(&db->platform, out->path, &out->lock);
    if (!failed) failed = lock_take(&out->lock);
    if (failed) rc = error_errno(err, failed, "lock", out->path);
out:
    if (rc != EVDB_OK) lock_close(&out->lock);
    return rc;
}

void backup_folder_unlock(backup_folder *f) { lock_close(&f->lock); }

evdb_status backup_folder_remove(const backup_folder *f, const char *name, evdb_error *err)
{
    char path[PATH_BYTES];
    evdb_status rc = path_of(f->dir, "", name, BACKUP_SUFFIX, path, err);
    if (rc != EVDB_OK) return rc;
    int failed = file_unlink(&f->db->platform, path);
    if (!failed) failed = file_sync_dir(&f->db->platform, f->dir);
    return failed ? error_errno(err, failed, "remove", path) : EVDB_OK;
}

/* ---- making one ---- */

typedef struct making {
    evdb *db;
    const char *dir, *name;
    const evdb_backup_info *base; /* NULL = it is full */
    char path[PATH_BYTES], temporary[PATH_BYTES];
    backup_file file;
    lock_file lock;
} making;

static int sweep_one(void *context, const char *file)
{
    const making *m = context;
    char path[PATH_BYTES];
    size_t length = strlen(file), suffix = sizeof(unfinished) - 1;
    bool ours = file[0] == '.' && length > RANDOM + suffix && strcmp(file + length - suffix, unfinished) == 0 && /* a folder may have others */
                file[length - suffix - RANDOM - 1] == '.' && strspn(file + length - suffix - RANDOM, "0123456789abcdef") == RANDOM;
    if (!ours || path_of(m->dir, "", file, "", path, NULL) != EVDB_OK || lock_taken(path)) return 0;
    return file_unlink(&m->db->platform, path);
}

static evdb_status make_dir(const making *m, evdb_error *err)
{
    char parent[PATH_BYTES];
    int failed = file_mkdir(&m->db->platform, m->dir);
    if (failed == EEXIST) return EVDB_OK;
    if (failed) return error_errno(err, failed, "create", m->dir);
    const char *slash = strrchr(m->dir, '/');
    size_t length = slash && slash > m->dir ? (size_t)(slash - m->dir) : 1;
    snprintf(parent, sizeof(parent), "%.*s", (int)length, slash ? m->dir : ".");
    failed = file_sync_dir(&m->db->platform, parent);
    return failed ? error_errno(err, failed, "sync", parent) : EVDB_OK;
}

static evdb_status check_free(const making *m, evdb_error *err)
{
    bool there;
    evdb_status rc = exists(m->path, &there, err);
    return rc == EVDB_OK && there ? error_set(err, EVDB_EXISTS, "backup '%s' already exists", m->name) : rc;
}

/* With the folder's lock held: nobody sweeps before the lock is ours. */
static evdb_status create(making *m, evdb_error *err)
{
    const platform *p = &m->db->platform;
    unsigned char random[8];
    char after[32];
    bool mine = false;
    evdb_status rc;
    TRY(check_free(m, err));
    int failed = file_list(m->dir, sweep_one, m);
    if (failed) TRY(error_errno(err, failed, "clear", m->dir));
    p->random(p->random_context, random, sizeof(random));
    snprintf(after, sizeof(after), ".%02x%02x%02x%02x%02x%02x%02x%02x%s", random[0], random[1], random[2], random[3], random[4], random[5],
             random[6], random[7], unfinished);
    TRY(path_of(m->dir, ".", m->name, after, m->temporary, err));
    TRY(backup_file_create(p, m->temporary, &m->file, err));
    failed = lock_open(p, m->temporary, &m->lock);
    if (!failed) failed = lock_try(&m->lock, &mine);
    if (failed || !mine) rc = error_errno(err, failed ? failed : EBUSY, "lock", m->temporary);
out:
    return rc;
}

static evdb_status locked(making *m, evdb_status (*act)(making *m, evdb_error *err), evdb_error *err)
{
    backup_folder f;
    evdb_status rc = backup_folder_lock(m->db, &f, err);
    if (rc != EVDB_OK) return rc;
    rc = act(m, err);
    backup_folder_unlock(&f);
    return rc;
}

/* Who deletes a backup looks for increments of it, but this one has had no name until now. */
static evdb_status check_base(const making *m, evdb_error *err)
{
    char path[PATH_BYTES];
    evdb_backup_info now;
    evdb_status rc = EVDB_OK, trouble;
    if (!m->base) return EVDB_OK;
    TRY(path_of(m->dir, "", m->base->name, BACKUP_SUFFIX, path, err));
    TRY(backup_file_look(&m->db->platform, path, &now, &trouble, err));
    bool known = trouble == EVDB_OK || trouble == EVDB_NOT_FOUND || trouble == EVDB_CORRUPT;
    if (!known) TRY(error_set(err, trouble, "backup '%s': %s", m->base->name, now.problem));
    if (trouble != EVDB_OK || strcmp(now.id, m->base->id) != 0)
        rc = error_set(err, EVDB_GONE, "backup '%s', which '%s' builds on, was deleted meanwhile: take a full backup", m->base->name, m->name);
out:
    return rc;
}

static evdb_status give_name(making *m, evdb_error *err)
{
    const platform *p = &m->db->platform;
    evdb_status rc;
    TRY(check_free(m, err));
    TRY(check_base(m, err));
    int failed = descriptor_rename(p, m->temporary, m->path);
    if (failed) TRY(error_errno(err, failed, "rename", m->temporary));
    m->temporary[0] = 0;
    failed = file_sync_dir(p, m->dir);
    if (failed) rc = error_errno(err, failed, "sync", m->dir);
out:
    return rc;
}

static evdb_status find(const evdb *db, const char *name, evdb_backup_info *out, evdb_error *err)
{
    char path[PATH_BYTES];
    const char *dir;
    evdb_status rc, trouble;
    TRY(backup_folder_of(db, &dir, err));
    TRY(evdb_backup_name_check(name, err));
    TRY(path_of(dir, "", name, BACKUP_SUFFIX, path, err));
    TRY(backup_file_look(&db->platform, path, out, &trouble, err));
    if (trouble == EVDB_NOT_FOUND) rc = error_set(err, trouble, "there is no backup '%s'", name);
    else if (trouble != EVDB_OK) rc = error_set(err, trouble, "backup '%s': %s", name, out->problem);
    snprintf(out->name, sizeof(out->name), "%s", name);
out:
    return rc;
}

static evdb_status create_options(const evdb *db, const evdb_backup_options *given, const char *name, evdb_backup_options *o,
                                  evdb_backup_info *base, evdb_error *err)
{
    evdb_status rc;
    *o = (evdb_backup_options)EVDB_BACKUP_OPTIONS;
    TRY(options_import(o, sizeof(*o), given, "evdb_backup_options", err));
    if (o->base || o->name) TRY(error_set(err, EVDB_INVALID, "a backup by name takes its base by name too (base_name)"));
    o->name = name;
    if (!o->base_name) goto out;
    TRY(find(db, o->base_name, base, err));
    o->base = base;
out:
    return rc;
}

evdb_status evdb_backup_create(evdb_store *store, const char *name, const evdb_backup_options *options, evdb_backup_info *out,
                               evdb_error *err)
{
    evdb *db = store->engine->db;
    making m = { .db = db, .name = name, .file.file.fd = -1, .lock.fd = -1 };
    evdb_backup_options o;
    evdb_backup_info base = EVDB_BACKUP_INFO;
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    TRY(evdb_backup_name_check(name, err));
    TRY(backup_folder_of(db, &m.dir, err));
    TRY(path_of(m.dir, "", name, BACKUP_SUFFIX, m.path, err));
    TRY(create_options(db, options, name, &o, &base, err));
    m.base = o.base;
    TRY(make_dir(&m, err));
    TRY(locked(&m, create, err));
    evdb_sink sink = backup_file_sink(&m.file);
    TRY(evdb_backup_write(store, &sink, &o, out, err));
    int failed = descriptor_sync(&m.file.file);
    if (failed) TRY(error_errno(err, failed, "sync", m.temporary));
    TRY(locked(&m, give_name, err));
out:
    if (m.temporary[0] && m.file.file.fd >= 0) (void)file_unlink(&db->platform, m.temporary);
    lock_close(&m.lock);
    backup_file_close(&m.file);
    return rc;
}

/* ---- lists ---- */

evdb_status backup_files_all_read(const backup_files *files, evdb_error *err)
{
    if (files->unread == EVDB_OK) return EVDB_OK;
    return error_set(err, files->unread, "backup '%s' cannot be read, and may be an increment of another: none is deleted", files->unread_name);
}

evdb_status backup_infos_copy(const evdb *db, const evdb_backup_info *infos, size_t count, evdb_backup_info ***out, evdb_error *err)
{
    size_t bytes = count * (sizeof(evdb_backup_info *) + sizeof(evdb_backup_info));
    evdb_backup_info **list = mem_owned(&db->platform.mem, bytes);
    if (!list) return error_no_memory(err, bytes, "the list of backups");
    evdb_backup_info *copies = (evdb_backup_info *)(void *)(list + count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = infos[i];
        list[i] = &copies[i];
    }
    *out = list;
    return EVDB_OK;
}

evdb_status evdb_backup_list(evdb *db, evdb_backup_info ***out, size_t *count, evdb_error *err)
{
    backup_files files = { .at = NULL };
    const char *dir;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(backup_folder_of(db, &dir, err));
    TRY(backup_files_list(&db->platform, dir, &files, err));
    TRY(backup_infos_copy(db, files.at, files.count, out, err));
    *count = files.count;
out:
    mem_free(&db->platform.mem, files.at);
    return rc;
}

void evdb_backup_list_free(evdb_backup_info **list, size_t count)
{
    (void)count;
    mem_owned_free(list);
}

/* ---- deleting one ---- */

static evdb_status not_there(const char *name, evdb_error *err)
{
    return error_set(err, EVDB_NOT_FOUND, "there is no backup '%s'", name);
}

static evdb_status remove_one(const backup_folder *f, const char *name, evdb_error *err)
{
    backup_files files = { .at = NULL };
    const evdb_backup_info *found = NULL;
    evdb_status rc;
    TRY(backup_files_list(&f->db->platform, f->dir, &files, err));
    if (files.unread != EVDB_NEWER) TRY(backup_files_all_read(&files, err));
    for (size_t i = 0; i < files.count; i++)
        if (strcmp(files.at[i].name, name) == 0) found = &files.at[i];
    if (!found) TRY(not_there(name, err));
    for (size_t i = 0; i < files.count; i++)
        if (*found->id && strcmp(files.at[i].base, found->id) == 0)
            TRY(error_set(err, EVDB_INVALID, "backup '%s' is an increment of '%s': delete that first", files.at[i].name, name));
    TRY(backup_folder_remove(f, name, err));
out:
    mem_free(&f->db->platform.mem, files.at);
    return rc;
}

evdb_status evdb_backup_delete(evdb *db, const char *name, evdb_error *err)
{
    backup_folder f;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(evdb_backup_name_check(name, err));
    TRY(backup_folder_lock(db, &f, err));
    rc = f.missing ? not_there(name, err) : remove_one(&f, name, err);
    backup_folder_unlock(&f);
out:
    return rc;
}
