/* bucket_list.h - the backups among the objects of op_call.bucket.
 *
 * Objects are NAME.backup, and an object's name counts, not the one that its head has. Of each both ends are read. */
#ifndef BUCKET_LIST_H
#define BUCKET_LIST_H
#include "op/op.h"
#include "op/op_bucket.h"

typedef struct bucket_object {
    op_object object;
    evdb_backup_info info;
    evdb_status trouble; /* what info.problem is, or EVDB_OK */
} bucket_object;

typedef struct bucket_list {
    bucket_object *at;
    size_t count, room;
} bucket_list;

void bucket_object_name(const char *backup, char out[OP_OBJECT_NAME_MAX + 1]);
/* Fills in what o->object is. What is wrong with the backup is no failure. */
evdb_status bucket_look(const op_call *call, bucket_object *o, evdb_error *err);
/* All of them, sorted by name, into a list that is zeroed; l->at is to be freed with free(), after a failure too. */
evdb_status bucket_list_read(const op_call *call, bucket_list *l, evdb_error *err);

#endif
