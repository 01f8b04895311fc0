/* generation.h - a store's index in a file: `index` in its folder, the state of one change, mapped by whoever opens the store,
 * and by those who have it open already, once it is well ahead of what they have.
 *
 * It is derived from rows.db and never the truth: one that is damaged, of another store, of a later format or of changes that the
 * store has not had is set aside as `index.bad`, and the index is loaded from the rows as if there were none. What happened
 * since its change comes from the feed. */
#ifndef EVDB_ENGINE_GENERATION_H
#define EVDB_ENGINE_GENERATION_H
#include "engine/view.h"
#include "platform/lock.h"

struct engine;

enum { GENERATION_SHARE = 8 }; /* saved anew once that part of the rows has changed */

/* Whose turn it is, among all processes, to build and save this store's index: an index that is being built is built once. Whoever
 * has it has the indexer's turn too. The kernel ends it when the process dies. */
typedef struct generation_turn {
    char *path;
    lock_file lock;
} generation_turn;
/* Does not wait: *mine says whether it was free. In memory it always is. */
evdb_status generation_begin(struct engine *e, generation_turn *out, bool *mine, evdb_error *err);
void generation_end(struct engine *e, generation_turn *turn);

/* The index in the file in `dir`, as it is. */
evdb_status generation_read(struct engine *e, const char *dir, uint64_t newest, view_index **out, evdb_error *err);
/* The index in the file; NOT_FOUND when there is none that can be used. `newest` is the store's last change. */
evdb_status generation_load(struct engine *e, uint64_t newest, view_index **out, evdb_error *err);
/* What lies in the store's folder, without a look at more than its header. */
typedef struct generation_state {
    uint64_t bytes, sequence; /* of the file; 0 = there is none */
    bool turn_taken;          /* somebody is building, in this process or another */
} generation_state;
evdb_status generation_look(struct engine *e, generation_state *out, evdb_error *err);

/* Has somebody saved an index of a later change than `index` was loaded from? Costs reading one page. */
bool generation_newer(struct engine *e, const view_index *index);
/* Puts that one, and what happened since, in the place of the index in memory. Nothing is lost when it cannot be: the log is told. */
void generation_follow(struct engine *e);
/* Saves what is published now and puts what was saved in the place of the index in memory, whose vectors are then the file's. With
 * the turn. Does nothing in memory databases, and where not enough has changed since the last time. */
evdb_status generation_save(struct engine *e, view_index *index, evdb_error *err);
/* Saves it in any case, or removes the file: what it was made of may not be kept. One that was set aside, and one that was left
 * half-written, go too. With the turn. `index` NULL: there is none in memory. */
evdb_status generation_renew(struct engine *e, view_index *index, evdb_error *err);
/* Removes the file. With the turn. */
evdb_status generation_remove(struct engine *e, evdb_error *err);
/* Whether the file, if there is one, is what it should be, its graph can be walked, and its rows are those of the store; each problem
 * is a sentence. */
evdb_status generation_verify(struct engine *e, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

#endif
