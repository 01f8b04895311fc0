/* database_private.h - what tests and other parts of lib/ need of databases beyond the public header. */
#ifndef EVDB_DATABASE_PRIVATE_H
#define EVDB_DATABASE_PRIVATE_H
#include "platform/platform.h"
#include <evdb/database.h>

#define DB_RESTORE_LOCK "restore.lock" /* in a folder that is listed as debris: held by whoever is making a store in it */

enum { DEBRIS_LIST_BYTES = 38 * 64 }; /* folders cleared away in one go */

/* evdb_open() in other surroundings: the door through which fault tests come in. */
evdb_status db_open_with(const platform *surroundings, const char *path, const evdb_options *options, evdb **out,
                         evdb_error *err);
/* Removes folders listed as debris. With the system lock held. */
evdb_status db_sweep(evdb *db, evdb_error *err);

#endif
