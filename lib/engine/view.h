/* view.h - a store's vectors in memory, following the change sequence.
 *
 * Loaded at the first search, brought up to date by the next ones: from the feed of changes while it reaches
 * back far enough, else from scratch. */
#ifndef EVDB_ENGINE_VIEW_H
#define EVDB_ENGINE_VIEW_H
#include "disk/rows.h"
#include "engine/expiry.h"
#include "engine/stored.h"
#include "index/indexed.h"
#include <pthread.h>
#include <stdatomic.h>

struct engine;

/* A loaded index; replaced as a whole when the feed was trimmed, and freed by its last user. */
typedef struct view_index {
    indexed *vectors;
    flat *flat; /* of `vectors` */
    stored_form form; /* what its rows are */
    uint64_t saved; /* sequence of the file it was loaded from; 0 = of none */
    uint32_t references; /* under view.pointer */
    expiry expiry;
    uint64_t number;     /* of all that the view has had, this is the so-many-th: rows are numbered anew in each */
} view_index;

typedef struct view {
    pthread_mutex_t refresh; /* the one who loads and applies */
    pthread_mutex_t pointer; /* current, references */
    uint64_t numbers;        /* of the newest */
    view_index *current;     /* NULL before the first search, or while no vector was ever written */
} view;

void view_init(view *v);
void view_destroy(struct engine *e);

/* A snapshot of everything committed before the call and not expired; *out is NULL when the store has never had a vector.
 * Give it back with view_end(). */
typedef struct view_snapshot {
    view_index *index;
    flat_snapshot rows;
    uint64_t turns; /* of the index's expiry: rows are the same where this and the sequence are */
} view_snapshot;
/* With `same` it also leaves open a reader of the very state the snapshot has; end it with rows_read_end(). */
evdb_status view_begin(struct engine *e, view_snapshot *out, rows_reader **same, evdb_error *err);
void view_end(struct engine *e, view_snapshot *s);

/* What an index of this store is made with. */
indexed_options view_options(struct engine *e, const stored_form *form);
/* Brings an index that nobody uses yet to where the store is, and puts it in the place of the one there is. Takes it over. */
evdb_status view_adopt(struct engine *e, view_index *index, evdb_error *err);

/* Brings an index that nobody else uses to the state that rd sees, `tip`, by the feed. EVDB_GONE when that was trimmed. */
evdb_status view_follow(struct engine *e, rows_reader *rd, view_index *at, uint64_t tip, evdb_error *err);
/* Loads all rows anew, without a graph, in the place of what there is; nothing when nothing is loaded. */
evdb_status view_reload(struct engine *e, evdb_error *err);

/* For the indexer: the index there is now, kept until it is given back; NULL before the first search. */
view_index *view_hold(view *v);
void view_let_go(struct engine *e, view_index *index);

/* Bytes held, and the sequence reached (both 0 when nothing is loaded). */
void view_stats(struct engine *e, uint64_t *bytes, uint64_t *sequence);

#endif
