/* backup_walk.h - one backup from its first entry to its foot, for whoever checks it and whoever makes a store of it. */
#ifndef EVDB_BACKUP_WALK_H
#define EVDB_BACKUP_WALK_H
#include "disk/rows.h"
#include "format/backup_entry.h"
#include "format/backup_in.h"

/* Told of every entry; each may be NULL. What they get is borrowed for the call. */
typedef struct backup_visitor {
    void *context;
    evdb_status (*codec)(void *context, const rows_codec *codec, evdb_error *err);
    evdb_status (*record)(void *context, const backup_entry *e, evdb_error *err); /* a PUT or a DELETE */
    evdb_status (*state)(void *context, const backup_entry *e, evdb_error *err);  /* once, at the end */
    evdb_status (*chunk)(void *context, uint64_t entries, evdb_error *err);       /* now and then */
} backup_visitor;

/* Checks the order of entries too, their versions, and that foot and state agree. */
evdb_status backup_walk(const evdb_allocator *mem, backup_in *in, const backup_visitor *v, evdb_error *err);

#endif
