/* control.h - what somebody wants of a store's index, told to all processes that have it: marks, which are files without content
 * in the store's folder (in memory: flags), looked at before each step of a build. */
#ifndef EVDB_ENGINE_CONTROL_H
#define EVDB_ENGINE_CONTROL_H
#include <evdb/error.h>
#include <stdbool.h>

struct engine;

typedef enum control_mark {
    CONTROL_OFF,    /* dropped: there shall be no graph */
    CONTROL_PAUSED, /* none shall be built in the background */
    CONTROL_CANCEL, /* the build under way shall end; taken away by whoever builds */
    CONTROL_MARKS
} control_mark;

bool control_is(struct engine *e, control_mark mark);
/* Durable when it returns. */
evdb_status control_set(struct engine *e, control_mark mark, bool on, evdb_error *err);

#endif
