/* alloc_calls.h - a call of every public function that allocates, and an allocator that refuses.
 *
 * Each call may be repeated after it was refused memory. It answers EVDB_INTERNAL when it succeeds with a wrong
 * result. */
#ifndef TESTS_FAULT_ALLOC_CALLS_H
#define TESTS_FAULT_ALLOC_CALLS_H
#include <evdb.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { ALLOC_DIM = 5, ALLOC_RECORDS = 20 };

typedef struct failing {
    _Atomic long asked, fail_at; /* fail_at 0 = never */
    _Atomic long live;           /* blocks handed out and not back */
    bool once;
} failing;

typedef struct alloc_scene {
    char *dir;
    failing memory;
    evdb *db;
    evdb_store *store; /* "s": ALLOC_RECORDS records under string ids; beside it "other", of 3 dimensions in f16, is empty */
} alloc_scene;

/* s->memory as an allocator. */
evdb_allocator alloc_memory(alloc_scene *s);
/* Opens s->dir with it. */
evdb_status alloc_open(alloc_scene *s, evdb **out, evdb_error *err);
/* Makes the two stores in an empty directory and closes them; false when that fails. */
bool alloc_build(alloc_scene *s);

typedef struct alloc_call {
    const char *name;
    evdb_status (*act)(alloc_scene *s, evdb_error *err);
} alloc_call;
extern const alloc_call alloc_calls[];
extern const size_t alloc_calls_count;
/* For calls: EVDB_INTERNAL unless the result is right. */
evdb_status alloc_expect(bool right, evdb_error *err);
/* One of them: evdb_verify(), and that it finds nothing. */
evdb_status alloc_verify(alloc_scene *s, evdb_error *err);

#endif
