/* indexed_world.h - an index of clustered vectors that grows and shrinks, and how much of an exact scan its graph finds. */
#ifndef TESTS_INDEXED_WORLD_H
#define TESTS_INDEXED_WORLD_H
#include "index/indexed.h"

enum { WORLD_DIM = 48, WORLD_K = 10, WORLD_EF = 100 };

typedef struct world {
    indexed *x;
    uint64_t sequence;
} world;

/* Clusters lie where the seed says. */
void world_seed(uint64_t seed);
uint64_t world_random(void);
void world_vector(float out[WORLD_DIM]);

indexed_options world_options(evdb_metric metric);
world world_make(evdb_metric metric);
void world_put(world *w, uint64_t slot);
void world_take(world *w, uint64_t slot);
void world_publish(world *w);
void world_fill(world *w, uint64_t from, uint64_t to); /* and publishes */
/* Until nothing is left to do. */
void world_index(world *w, uint32_t threads);
indexed_state world_state(const world *w);
/* The share of exact neighbours that searches by the graph find; every hit must be visible and have its exact distance. */
double world_recall(world *w, uint32_t ef);
void world_expect(world *w, double recall, int line);
#define expect_recall(w, least) world_expect(w, least, __LINE__)

#endif
