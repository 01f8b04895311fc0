/* recode_private.h - what training and writing again share. */
#ifndef EVDB_ENGINE_RECODE_PRIVATE_H
#define EVDB_ENGINE_RECODE_PRIVATE_H
#include "codec/codec.h"
#include "disk/rows.h"
#include "engine/engine.h"

/* Makes a codec of this name for the store, trained on its vectors where it is of those; *loss is what it then rounds away of them.
 * EVDB_INVALID where there are too few vectors. */
evdb_status recode_train(engine *e, rows_reader *rd, const char *spec, codec **out, double *loss, evdb_error *err);
/* How many vectors of dim elements (0 = not known) are waited for before that, or `now` do for it; 0 = it is not trained. */
evdb_status recode_needed(const char *spec, uint32_t dim, bool now, uint64_t *out, evdb_error *err);
/* One durable transaction of this. */
evdb_status recode_commit(engine *e, evdb_status (*work)(void *context, rows *r, evdb_error *err), void *context, evdb_error *err);

#endif
