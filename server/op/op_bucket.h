/* op_bucket.h - a place elsewhere that keeps objects by name: what operations on backups need of one. Whoever has one hands it down
 * (op_call.bucket).
 *
 * All calls may come from any thread. Failures of the place are EVDB_REMOTE and say where it is. */
#ifndef OP_BUCKET_H
#define OP_BUCKET_H
#include <evdb.h>
#include <stdint.h>

#define OP_OBJECT_NAME_MAX (EVDB_BACKUP_NAME_MAX + 16u)

typedef struct op_object {
    char name[OP_OBJECT_NAME_MAX + 1];
    char tag[129]; /* of its content: one that was replaced has another */
    uint64_t size;
} op_object;

typedef struct op_bucket {
    void *context;
    /* Tells each object whose name is no longer than OP_OBJECT_NAME_MAX and without '/'. */
    evdb_status (*list)(void *context, evdb_status (*each)(void *to, const op_object *object, evdb_error *err), void *to, evdb_error *err);
    evdb_status (*find)(void *context, const char *name, op_object *out, evdb_error *err); /* EVDB_NOT_FOUND */
    /* Fills buffer from that very content: EVDB_BUSY when it was replaced, EVDB_NOT_FOUND when it is gone. */
    evdb_status (*read)(void *context, const op_object *object, uint64_t at, void *buffer, size_t count, evdb_error *err);
    /* A new object of what produce() writes to its sink, whole or not at all. EVDB_EXISTS when the name is taken. */
    evdb_status (*write)(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err),
                         void *from, evdb_error *err);
    evdb_status (*remove)(void *context, const char *name, evdb_error *err); /* nothing there is fine */
} op_bucket;

#endif
