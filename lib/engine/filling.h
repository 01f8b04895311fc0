/* filling.h - an index being brought to what a reader sees. */
#ifndef EVDB_ENGINE_FILLING_H
#define EVDB_ENGINE_FILLING_H
#include "engine/view.h"

typedef struct filling {
    struct engine *engine;
    rows_reader *reader;
    view_index *index;
    uint32_t dim;
    stored_room room;
    bool expiring; /* some record expires, or was taken out */
    int64_t now, until; /* with `expiring`: Unix ms; and of the index's expiry before the first change */
} filling;

evdb_status filling_put(filling *f, uint64_t sequence, const rows_vector *v, evdb_error *err);

#endif
