/* filters_private.h - between what is kept of filters (filters.c) and where it comes from (filters_read.c). */
#ifndef EVDB_ENGINE_FILTERS_PRIVATE_H
#define EVDB_ENGINE_FILTERS_PRIVATE_H
#include "engine/filters.h"

/* Makes k->slots true of the snapshot, whose state rd sees. With the turn. */
evdb_status filter_know(struct engine *e, filter_kept *k, rows_reader *rd, const view_snapshot *s, evdb_error *err);
void columns_forget(struct engine *e);

#endif
