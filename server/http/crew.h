/* crew.h - the threads that read requests, carry them out and send the answers: each does all of it.
 *
 * Handing a request from a thread that reads to one that works, and back, means waking two sleepers, which costs more than
 * many a request. So whoever finds something to do on a port's connections does that first, which is short and never blocks,
 * leaves the port to the others, works off a request that came in, and then sends its answer himself when nobody else is at it. */
#ifndef HTTP_CREW_H
#define HTTP_CREW_H
#include "http/loop.h"
#include <stddef.h>
#include <stdint.h>

typedef struct crew crew;

/* First member of what is queued. */
typedef struct crew_job {
    struct crew_job *next;
    loop *loop; /* whose connection waits for it, suspended */
} crew_job;

typedef struct crew_calls {
    void (*run)(crew_job *job, bool stopping); /* stopping: its turn did not come before the end, so it is to be refused */
    void (*resume)(crew_job *job);             /* the connection; the job may be gone when it returns */
} crew_calls;

/* NULL when memory, descriptors or threads are missing. No job is carried out before crew_open(). As many members as there are
 * processors are on duty while jobs are short. */
crew *crew_start(uint32_t members, uint32_t processors, size_t queue_max, const crew_calls *calls);
void crew_open(crew *c);

/* The crew runs the daemon from now on; false when it cannot. `daemon` polls with epoll and has no thread; `tls` is NULL when it speaks
 * plain HTTP. *out is set before the first callback. */
bool crew_add(crew *c, struct MHD_Daemon *daemon, tls_port *tls, loop **out);

/* loop_run() by one who is no member: what is left over, and what came in, is the crew's. */
void crew_run(crew *c, loop *l);

/* A loop has more to do than its descriptor tells: it is run soon. Never waits; under whatever lock. */
void crew_nudge(crew *c);

/* From a callback of the loop. False when too many wait or the crew takes no more. */
bool crew_push(crew *c, crew_job *job);
/* Jobs that run are waited for, jobs that wait are refused; later pushes fail. Loops are still run. */
void crew_refuse(crew *c);
void crew_stop(crew *c); /* NULL allowed. Then nothing is run any more; the daemons are the caller's to stop */
void crew_free(crew *c); /* NULL allowed */

#endif
