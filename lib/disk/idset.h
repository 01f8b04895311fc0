/* idset.h - a set of ids of any size in little memory: it spills to a temporary file that vanishes with it. */
#ifndef EVDB_DISK_IDSET_H
#define EVDB_DISK_IDSET_H
#include "platform/platform.h"
#include <evdb/record.h>
#include <stdbool.h>

typedef struct idset idset;

evdb_status idset_create(const platform *p, idset **out, evdb_error *err);
/* *added is false when the id was there. Integer 5 and string "5" are different. */
evdb_status idset_add(idset *s, const evdb_id *id, bool *added, evdb_error *err);
void idset_free(idset *s);

#endif
