/* metric.h - metrics of the program's own: distances that one of its functions computes.
 *
 *     static float weighted(const float *a, const float *b, uint32_t dim, void *context) { ... }
 *
 *     evdb_metric_options metric = EVDB_METRIC_OPTIONS;
 *     metric.distance = weighted;
 *     evdb_metric_register(db, "weighted", &metric, &err);
 *     evdb_store_options options = EVDB_STORE_OPTIONS;
 *     options.metric_name = "weighted";
 *     evdb_store_create(db, "docs", &options, &store, &err);
 *
 * A store keeps the *name* of its metric, never the function. Each program that searches such a store registers the metric after
 * opening the database, before or after opening the store. Without it the store can be created, listed, written, read, counted,
 * exported, verified and dropped all the same; what needs a distance, which is searching and building the index, answers
 * EVDB_UNSUPPORTED and names the metric. The daemon and the command line register none: no code comes to them.
 *
 * The registration belongs to one evdb handle, not to the process, so that two parts of a program cannot get into each other's way.
 * It cannot be taken back: it ends with evdb_close(). */
#ifndef EVDB_METRIC_H
#define EVDB_METRIC_H
#include <evdb/database.h>
EVDB_BEGIN

#define EVDB_METRIC_NAME_MAX 64u /* names match ^[a-z][a-z0-9_-]{0,63}$ and are none of evdb_metric_parse()'s */

/* The distance from a to b, which have dim elements each, aligned as floats are, finite; smaller is nearer, it may be negative. In a
 * search a is the query and b a stored vector. Stores of other elements than f32 have no custom metric. The function
 *  - is called by many threads at once, also by threads of the library's, and once the store has a graph also when no call of the
 *    program is under way: context must be fit for that, and last until evdb_close() has returned;
 *  - answers the same for the same vectors, always, in every process: a graph that was built with it is saved, and used by others. A
 *    function that computes something else gets another name (or evdb_index_rebuild() is called);
 *  - answers a finite number. NaN and both infinities count as +infinity: such a record is farther away than any other. It is still
 *    found where there are no k nearer ones, and its distance is INFINITY in the result, its score -INFINITY; evdb_options.log is told
 *    once of each metric;
 *  - must not call evdb, nor leave by longjmp or an exception. */
typedef float (*evdb_distance_function)(const float *a, const float *b, uint32_t dim, void *context);

enum {
    /* A store may get a graph (index.h) whose links come from this metric, too: then searches are approximate, and need far fewer
     * calls. It has to be symmetric, distance(a, b) == distance(b, a), and work on any two stored vectors, and on points half-way
     * between two of them, which are tried where a search asks for an accuracy. How much is found depends on the metric: the nearer
     * it is to a true one (what is near to one vector is near to its neighbours), the more. Measure it against EVDB_SEARCH_EXACT.
     * Without the flag every search looks at all vectors, and evdb_index_build() has nothing to do. */
    EVDB_METRIC_GRAPH = 1
};

typedef struct evdb_metric_options {
    size_t size;                     /* EVDB_METRIC_OPTIONS sets it */
    evdb_distance_function distance; /* required */
    void *context;                   /* handed to it */
    uint32_t flags;                  /* EVDB_METRIC_... */
    uint32_t reserved;
} evdb_metric_options;
#define EVDB_METRIC_OPTIONS { .size = sizeof(evdb_metric_options) }

/* Registers a metric with db, for all its stores that have it. Thread-safe. EVDB_INVALID for a bad name or flag, or without a function.
 * Once more with the same function, context and flags is success; with others it is EVDB_EXISTS, and nothing has changed. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_metric_register(evdb *db, const char *name, const evdb_metric_options *options,
                                                          evdb_error *err);

EVDB_END
#endif
