/* backup_prune.c - the part of evdb/backup.h that deletes backups by rules: evdb_backup_prune(). */
#include "backup_file.h"
#include "backup_private.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include <evdb/backup.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp((*(evdb_backup_info *const *)a)->name, (*(evdb_backup_info *const *)b)->name);
}

static evdb_status prune(const evdb *db, const evdb_prune_options *o, const backup_folder *f, const char *dir, evdb_backup_info ***out,
                         size_t *count, evdb_error *err)
{
    evdb_backup_info **list = NULL;
    backup_files files;
    evdb_status rc;
    TRY(backup_files_list(&db->platform, dir, &files, err));
    TRY(backup_files_all_read(&files, err));
    TRY(backup_infos_copy(db, files.at, files.count, &list, err)); /* before anything is deleted */
    TRY(backup_choose(db, o, list, &files.count, err));
    for (size_t i = 0; !o->dry_run && i < files.count; i++)
        if (!*list[i]->problem) TRY(backup_folder_remove(f, list[i]->name, err));
    if (files.count) qsort(list, files.count, sizeof(*list), by_name);
    *out = list;
    *count = files.count;
out:
    if (rc != EVDB_OK) evdb_backup_list_free(list, 0);
    mem_free(&db->platform.mem, files.at);
    return rc;
}

evdb_status evdb_backup_prune(evdb *db, const evdb_prune_options *options, evdb_backup_info ***out, size_t *count, evdb_error *err)
{
    evdb_prune_options o;
    backup_folder f = { .lock.fd = -1 };
    const char *dir;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(backup_prune_options(options, &o, err));
    TRY(backup_folder_of(db, &dir, err));
    if (!o.dry_run) TRY(backup_folder_lock(db, &f, err));
    o.dry_run |= f.missing; /* what appears there meanwhile would not be locked */
    rc = prune(db, &o, &f, dir, out, count, err);
    backup_folder_unlock(&f);
out:
    return rc;
}
