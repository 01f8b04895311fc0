/* loop.h - a libmicrohttpd daemon that has no thread of its own, run by whoever comes.
 *
 * Its epoll descriptor is in the epoll set of those who may run it, for one event at a time (EPOLLONESHOT): so one of them is
 * woken for it, and the next not before it has been run. Nobody waits for another: who finds it taken leaves a note, and
 * whoever has it runs it again. With TLS the descriptor is that of http/tls.h. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H
#include "http/tls.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct loop {
    struct MHD_Daemon *daemon;
    tls_port *tls;        /* NULL without TLS */
    pthread_mutex_t turn; /* at the daemon */
    int watchers, own;    /* epoll descriptors: of those who run it, and the daemon's */
    atomic_bool again;    /* the note: it is to be run (once more) */
    atomic_bool disarmed; /* its event was delivered; nobody is woken for it until it is armed */
    uint32_t fruitless;   /* rounds in a row in which there was more to do, yet no callback came, nor bytes of TLS; under `turn` */
    atomic_bool lagging;  /* they were too many */
    atomic_uint calls;    /* loop_progress() */
} loop;

/* daemon polls with epoll. Events for it carry the loop as data. */
bool loop_init(loop *l, struct MHD_Daemon *daemon, tls_port *tls, int watchers);
void loop_destroy(loop *l);

/* Does what there is to read, write and accept now, unless somebody is at it, who then does. True when there is more than one
 * should do in one go: it is to be run again soon. A loop that for long has more to do and gets nowhere lags, and says false: it
 * is to be run now and then. */
bool loop_run(loop *l);
bool loop_lags(const loop *l);
/* By the callbacks: the loop gets somewhere. */
void loop_progress(loop *l);
/* The same upon an event. */
bool loop_run_event(loop *l);

/* Between these nobody runs it: needed for every call of libmicrohttpd outside of its callbacks but MHD_resume_connection().
 * Run it afterwards. */
void loop_hold(loop *l);
void loop_release(loop *l);

#endif
