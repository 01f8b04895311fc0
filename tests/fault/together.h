/* together.h - processes that do something to one database at the same time. */
#ifndef TESTS_FAULT_TOGETHER_H
#define TESTS_FAULT_TOGETHER_H
#include "children.h"
#include <stdatomic.h>
#include <stdint.h>

enum { TOGETHER_DIM = 8, TOGETHER_MAX = 8 };

/* In memory that all of them share. */
typedef struct together {
    char dir[4096];
    _Atomic uint32_t turn;  /* what they pass on to each other */
    _Atomic uint32_t ready; /* processes that wait at the start */
    _Atomic uint32_t won;   /* of a race: whose write was taken */
    uint32_t round;
    signal_pipe reached;
} together;

typedef struct together_process {
    together *scene;
    uint32_t number;
} together_process;

/* With store "s", Euclidean and empty, or only an empty directory. */
together *together_begin(bool with_store);
/* Verifies the database, which must be sound, and removes it. */
void together_end(together *s);
/* Runs body(together_process *) in `count` processes at once; all must end with status 0. */
void together_run(together *s, int (*body)(void *context), uint32_t count);
void together_sound(const char *path);

/* In those processes: until all `count` are there; until the value is reached. */
void together_wait_for_all(together *s, uint32_t count);
void together_wait_until(_Atomic uint32_t *value, uint32_t wanted);
void together_vector(int64_t n, float out[TOGETHER_DIM]);

#endif
