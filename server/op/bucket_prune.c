/* bucket_prune.c - the part of op/bucket_backup.h that deletes backups by rules. */
#include "op/bucket_backup.h"
#include "op/bucket_list.h"
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp((*(evdb_backup_info *const *)a)->name, (*(evdb_backup_info *const *)b)->name);
}

/* One of a newer format may build on any other: then it is not the time to delete. Where reading fails there is no list at all. */
static evdb_status all_read(const bucket_list *l, evdb_error *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i].trouble == EVDB_NEWER)
            return op_fail(err, EVDB_NEWER, "backup '%s' cannot be read, and may be an increment of another: none is deleted", l->at[i].info.name);
    return EVDB_OK;
}

static evdb_status choose(const op_call *call, const evdb_prune_options *options, const bucket_list *l, evdb_backup_info ***out,
                          size_t *count, evdb_error *err)
{
    const evdb_backup_info **all = calloc(l->count + 1, sizeof *all);
    if (!all) return op_fail(err, EVDB_NO_MEMORY, "out of memory choosing backups");
    for (size_t i = 0; i < l->count; i++) all[i] = &l->at[i].info;
    evdb_status rc = evdb_backup_choose(call->db, options, all, l->count, out, count, err);
    free(all);
    return rc;
}

evdb_status bucket_backup_prune(const op_call *call, const evdb_prune_options *options, evdb_backup_info ***out, size_t *count,
                                evdb_error *err)
{
    const op_bucket *b = call->bucket;
    bucket_list l = { .at = NULL };
    evdb_backup_info **list = NULL;
    size_t chosen = 0;
    char object[OP_OBJECT_NAME_MAX + 1];
    evdb_status rc = bucket_list_read(call, &l, err);
    if (rc == EVDB_OK) rc = all_read(&l, err);
    if (rc == EVDB_OK) rc = choose(call, options, &l, &list, &chosen, err);
    free(l.at);
    for (size_t i = 0; rc == EVDB_OK && !options->dry_run && i < chosen; i++) {
        if (*list[i]->problem) continue;
        bucket_object_name(list[i]->name, object);
        rc = b->remove(b->context, object, err);
    }
    if (rc != EVDB_OK) {
        evdb_backup_list_free(list, chosen);
        return rc;
    }
    if (chosen) qsort(list, chosen, sizeof *list, by_name);
    *out = list;
    *count = chosen;
    return EVDB_OK;
}
