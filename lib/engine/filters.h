/* filters.h - which records a store's filters match, remembered from search to search.
 *
 * What is remembered of a filter is a bit a slot, true of one change. A later search asks again only about records that have
 * changed since, by the feed; from the bits of slots come those of the rows that its snapshot sees, in one pass over the rows. Fields
 * that the store declares are columns in memory (filter/column.h), which follow the feed alike: a filter on those alone reads no
 * records. */
#ifndef EVDB_ENGINE_FILTERS_H
#define EVDB_ENGINE_FILTERS_H
#include "engine/view.h"
#include "filter/filter.h"

enum { FILTERS_KEPT = 32, FILTERS_BYTES_MAX = 64 << 20 };

struct engine;

/* The rows of one snapshot that match. */
typedef struct matches {
    row_set rows;
    uint32_t references;    /* under filters.lock */
    uint64_t index, sequence, turns; /* number of the view's index, and what its snapshot sees */
} matches;

typedef struct filter_kept {
    filter *parsed;     /* NULL: the place is free */
    char *spelling;     /* how it was written last, which is found without parsing */
    uint64_t *slots;    /* a bit each */
    size_t words;
    bool known;         /* slots are true of `sequence` */
    uint64_t sequence, used;
    matches *now;
} filter_kept;

typedef struct filters {
    pthread_mutex_t turn; /* of whoever parses, asks about records, or throws out */
    pthread_mutex_t lock; /* spelling, now and used of all, references */
    filter_kept kept[FILTERS_KEPT];
    uint64_t clock;
    evdb_store_info *info; /* names the columns */
    column *columns;       /* one a declared field */
    bool columns_known;
    uint64_t columns_sequence;
    _Atomic uint64_t bytes, reads;
} filters;

void filters_init(filters *f);
void filters_destroy(struct engine *e);

/* view_begin(), and what matches of the snapshot (*out NULL when there is no index). EVDB_INVALID for what is no filter. */
evdb_status filters_begin(struct engine *e, const char *text, view_snapshot *s, rows_reader **same, matches **out, evdb_error *err);
void filters_end(struct engine *e, matches *m);

/* Bytes held, and how many records were read because a filter asked for a field that is not declared. */
void filters_stats(struct engine *e, uint64_t *bytes, uint64_t *reads);

#endif
