/* generation.h - a store's index in a file: `index` in its folder, the state of one change, mapped by whoever opens the store.
 *
 * It is derived from rows.db and never the truth: one that is damaged, of another store, of a later format or of changes that the
 * store has not had is set aside as `index.bad`, and the index is loaded from the rows as if there were none. What happened
 * since its change comes from the feed. */
#ifndef EVDB_ENGINE_GENERATION_H
#define EVDB_ENGINE_GENERATION_H
#include "engine/view.h"

struct engine;

enum { GENERATION_SHARE = 8 }; /* saved anew once that part of the rows has changed */

/* The index in the file; NOT_FOUND when there is none that can be used. `newest` is the store's last change. */
evdb_status generation_load(struct engine *e, uint64_t newest, view_index **out, evdb_error *err);
/* Saves what is published now and puts what was saved in the place of the index in memory, whose vectors are then the file's. With
 * the indexer's turn. Does nothing in memory databases, while another process does the same, and where not enough has changed
 * since the last time. */
evdb_status generation_save(struct engine *e, view_index *index, evdb_error *err);
/* Whether the file, if there is one, is what it should be; each problem is a sentence. */
evdb_status generation_verify(struct engine *e, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

#endif
