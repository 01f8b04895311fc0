/* accuracy.h - the effort that a search by the graph needs for an accuracy, found out on the store's own vectors.
 *
 * Some stored vectors are taken as queries; what the graph finds for them at one effort after the other is compared with what a
 * scan finds. A stored vector is an easy query, for it is in the graph itself: so it is moved away from one near by, by half of
 * what lies between them. (On sentences and words, efforts so found gave queries that were not stored 0.951 and 0.981 when asked
 * for 0.95, and 0.995 and 0.998 for 0.99; the vectors themselves gave 0.927 and 0.936, and 0.980 and 0.996.) This is done once
 * for each power of two, from 8 on, that k is below, when it is first asked for, and again when the store has grown by a
 * quarter. */
#ifndef EVDB_ENGINE_ACCURACY_H
#define EVDB_ENGINE_ACCURACY_H
#include "engine/view.h"

struct engine;

enum {
    ACCURACY_BUCKETS = 15,  /* k up to 2^14 */
    ACCURACY_RUNGS = 16,    /* efforts that are tried */
    ACCURACY_QUERIES = 256,
    ACCURACY_GROWTH = 4     /* measured anew when so much of the rows was added */
};

typedef struct accuracy_ladder {
    uint64_t rows; /* of the store when it was measured; 0 = never */
    uint32_t count, ef[ACCURACY_RUNGS];
    float recall[ACCURACY_RUNGS];
} accuracy_ladder;

typedef struct accuracies {
    pthread_mutex_t turn; /* of measuring */
    pthread_mutex_t lock; /* ladders */
    accuracy_ladder ladders[ACCURACY_BUCKETS];
} accuracies;

void accuracy_init(accuracies *a);
void accuracy_destroy(accuracies *a);

/* The least effort that finds `wanted` of the k nearest, within what a sample can tell; where none does, one so large that
 * indexed_search() scans. The first caller measures, and others wait for it. EVDB_NO_MEMORY. */
evdb_status accuracy_effort(struct engine *e, const view_snapshot *s, uint32_t k, float wanted, uint32_t *ef, evdb_error *err);

#endif
