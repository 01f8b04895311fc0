/* crew.c - implements http/crew.h.
 *
 * Members that have nothing to do sleep in epoll_wait, on all loops, and on an eventfd that tells them of jobs that another has
 * read beyond his own.
 *
 * More members than processors only get in each other's way while jobs are short; when jobs wait (for a disk, say) there
 * can hardly be enough. So only some are on duty, the others are parked, and the officer, who looks around every
 * millisecond while there is work, calls one up for each that he finds at the same job as before. While all on duty are at jobs he
 * runs the loops himself: a port is left alone for a millisecond or two. So he does with a loop that lags. */
#include "http/crew.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOPS_MAX = 16,
    TICK_MS = 1,        /* of the officer while there is work */
    IDLE_TICK_MS = 250, /* and while there is none: how late a connection's time-out may be noticed */
    IDLE_AFTER = 10,    /* ticks without a job */
    KEPT_AFTER = 50,    /* ticks without a long job until those called up are let go */
};

typedef struct member {
    crew *crew;
    pthread_t thread;
    atomic_uint jobs; /* begun and ended: odd while it is at one */
    unsigned seen;    /* by the officer */
} member;

struct crew {
    crew_calls calls;
    int epoll, bell, end; /* ours; readable when a sleeper is wanted; readable when all is over */
    pthread_mutex_t lock; /* of the queue, and of what has no other */
    pthread_cond_t idle, duty, watch; /* no job is left; somebody is called up; there is work to watch */
    crew_job *first, **last;
    size_t capacity;
    size_t running;      /* jobs */
    uint32_t parked;
    bool refusing, ended;
    atomic_size_t waiting;
    atomic_bool open;
    atomic_bool more;    /* a loop was left with something to do */
    atomic_bool rung;    /* nobody has answered the bell yet */
    atomic_bool watched; /* the officer is awake */
    atomic_uint asleep;  /* members in epoll_wait, or about to be */
    atomic_uint wanted;  /* on duty */
    uint32_t least;      /* of them */
    atomic_size_t loop_count;
    loop loops[LOOPS_MAX];
    pthread_t officer;
    uint32_t member_count, started;
    member members[];
};

/* ---- the queue ---- */

bool crew_push(crew *c, crew_job *job)
{
    pthread_mutex_lock(&c->lock);
    bool taken = !c->refusing && atomic_load(&c->waiting) < c->capacity;
    if (taken) {
        job->next = NULL;
        *c->last = job;
        c->last = &job->next;
        atomic_fetch_add(&c->waiting, 1);
    }
    pthread_mutex_unlock(&c->lock);
    return taken;
}

/* Another member is wanted for what waits; when nobody sleeps, whoever is done first takes it anyway. */
static void ring(crew *c)
{
    if (atomic_load(&c->asleep) && !atomic_exchange(&c->rung, true)) (void)!write(c->bell, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void answer(crew *c)
{
    uint64_t count;
    (void)!read(c->bell, &count, sizeof count);
    atomic_store(&c->rung, false);
}

static bool work_waits(const crew *c)
{
    return (atomic_load(&c->waiting) && atomic_load(&c->open)) || atomic_load(&c->more);
}

static crew_job *take(crew *c, bool *refuse)
{
    if (!atomic_load(&c->waiting) || !atomic_load(&c->open)) return NULL;
    pthread_mutex_lock(&c->lock);
    crew_job *job = c->first;
    if (job) {
        c->first = job->next;
        if (!c->first) c->last = &c->first;
        atomic_fetch_sub(&c->waiting, 1);
        c->running++;
    }
    *refuse = c->refusing;
    bool others = job && c->first;
    pthread_mutex_unlock(&c->lock);
    if (others) ring(c);
    return job;
}

static void note_done(crew *c)
{
    pthread_mutex_lock(&c->lock);
    if (--c->running == 0 && c->refusing) pthread_cond_broadcast(&c->idle);
    pthread_mutex_unlock(&c->lock);
}

/* ---- loops ---- */

bool crew_add(crew *c, struct MHD_Daemon *daemon, tls_port *tls, loop **out)
{
    size_t slot = atomic_load(&c->loop_count);
    if (slot == LOOPS_MAX) return false;
    *out = &c->loops[slot];
    if (!loop_init(*out, daemon, tls, c->epoll)) return false;
    atomic_store(&c->loop_count, slot + 1);
    return true;
}

static void run_loop(crew *c, loop *l)
{
    if (loop_run(l)) atomic_store(&c->more, true);
}

static void run_loops(crew *c)
{
    for (size_t i = 0; i < atomic_load(&c->loop_count); i++) run_loop(c, &c->loops[i]);
}

static bool some_lag(const crew *c)
{
    for (size_t i = 0; i < atomic_load(&c->loop_count); i++)
        if (loop_lags(&c->loops[i])) return true;
    return false;
}

void crew_run(crew *c, loop *l)
{
    run_loop(c, l);
    if (work_waits(c)) ring(c);
}

void crew_nudge(crew *c)
{
    atomic_store(&c->more, true);
    ring(c);
}

/* ---- members ---- */

static void wake_officer(crew *c)
{
    if (atomic_load(&c->watched) || atomic_exchange(&c->watched, true)) return;
    pthread_mutex_lock(&c->lock);
    pthread_cond_signal(&c->watch);
    pthread_mutex_unlock(&c->lock);
}

static void run(member *m, crew_job *job, bool refuse)
{
    crew *c = m->crew;
    loop *l = job->loop; /* the job is gone when its connection goes on */
    atomic_fetch_add(&m->jobs, 1);
    wake_officer(c);
    c->calls.run(job, refuse);
    atomic_fetch_add(&m->jobs, 1);
    c->calls.resume(job);
    run_loop(c, l);
    note_done(c);
}

/* Off duty until called up; false at the end. */
static bool park(crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->parked++;
    while (!c->ended && c->member_count - c->parked >= atomic_load(&c->wanted)) pthread_cond_wait(&c->duty, &c->lock);
    c->parked--;
    bool ended = c->ended;
    pthread_mutex_unlock(&c->lock);
    return !ended;
}

static bool too_many(crew *c)
{
    if (atomic_load(&c->wanted) >= c->member_count) return false;
    pthread_mutex_lock(&c->lock);
    bool many = c->member_count - c->parked > atomic_load(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    return many;
}

/* Waits until there is something to do, and runs the loop that has it. False at the end. */
static bool attend(crew *c)
{
    struct epoll_event event;
    atomic_fetch_add(&c->asleep, 1);
    /* what came since the queue was looked at found nobody asleep */
    int got = work_waits(c) ? 0 : epoll_wait(c->epoll, &event, 1, -1);
    atomic_fetch_sub(&c->asleep, 1);
    if (got != 1) return got == 0 || errno == EINTR;
    if (event.data.ptr == &c->end) return false;
    if (event.data.ptr == &c->bell) answer(c);
    else if (loop_run_event(event.data.ptr)) atomic_store(&c->more, true);
    return true;
}

static void *serve(void *context)
{
    member *m = context;
    crew *c = m->crew;
    bool refuse;
    for (bool going = true; going;) {
        crew_job *job = take(c, &refuse);
        if (job) run(m, job, refuse);
        else if (atomic_exchange(&c->more, false)) run_loops(c);
        else if (too_many(c)) going = park(c);
        else going = attend(c);
    }
    return NULL;
}

/* ---- the officer ---- */

/* False at the end. */
static bool wait_tick(crew *c)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&c->lock);
    until.tv_nsec += (atomic_load(&c->watched) ? TICK_MS : IDLE_TICK_MS) * 1000000L; /* under the lock: whoever wakes us takes it */
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    if (!c->ended) pthread_cond_timedwait(&c->watch, &c->lock, &until);
    bool ended = c->ended;
    pthread_mutex_unlock(&c->lock);
    return !ended;
}

typedef struct sight { uint32_t at_jobs, at_the_same; bool work; } sight;

static sight look(crew *c)
{
    sight s = { 0 };
    for (uint32_t i = 0; i < c->member_count; i++) {
        member *m = &c->members[i];
        unsigned jobs = atomic_load(&m->jobs);
        s.work |= jobs != m->seen || jobs % 2;
        s.at_jobs += jobs % 2;
        s.at_the_same += jobs % 2 && jobs == m->seen;
        m->seen = jobs;
    }
    return s;
}

static void want(crew *c, uint32_t members)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->wanted, members < c->member_count ? members : c->member_count);
    pthread_cond_broadcast(&c->duty);
    pthread_mutex_unlock(&c->lock);
}

static void *watch_over(void *context)
{
    crew *c = context;
    uint32_t quiet = 0, kept = 0, unrun = 0;
    while (wait_tick(c)) {
        sight s = look(c);
        bool lag = some_lag(c);
        quiet = s.work || lag ? 0 : quiet + 1;
        kept = s.at_the_same ? KEPT_AFTER : kept - (kept > 0);
        uint32_t wanted = kept ? c->least + s.at_the_same : c->least, now = atomic_load(&c->wanted);
        if (wanted > now || (!kept && wanted < now)) want(c, wanted);
        /* else at least as often as when there is no work: time-outs are noticed by running */
        if (quiet || lag || s.at_jobs >= atomic_load(&c->wanted) || ++unrun >= IDLE_TICK_MS / TICK_MS) {
            run_loops(c);
            unrun = 0;
        }
        if (work_waits(c)) ring(c);
        if (quiet < IDLE_AFTER) continue;
        atomic_store(&c->watched, false);
        if (look(c).work) atomic_store(&c->watched, true); /* who began in between may have thought us awake */
    }
    return NULL;
}

/* ---- life ---- */

static void init_locks(crew *c)
{
    pthread_mutexattr_t short_waits; /* it is held for moments: whoever finds it taken looks again before it sleeps */
    pthread_condattr_t monotonic;
    pthread_mutexattr_init(&short_waits);
    pthread_mutexattr_settype(&short_waits, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&c->lock, &short_waits);
    pthread_mutexattr_destroy(&short_waits);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->watch, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&c->idle, NULL);
    pthread_cond_init(&c->duty, NULL);
}

static bool watch_descriptor(crew *c, int *fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = fd };
    return *fd >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, *fd, &event) == 0;
}

static bool start_threads(crew *c)
{
    if (pthread_create(&c->officer, NULL, watch_over, c) != 0) return false;
    for (; c->started < c->member_count; c->started++) {
        member *m = &c->members[c->started];
        if (pthread_create(&m->thread, NULL, serve, m) == 0) continue;
        crew_stop(c);
        return false;
    }
    return true;
}

crew *crew_start(uint32_t members, uint32_t processors, size_t queue_max, const crew_calls *calls)
{
    crew *c = calloc(1, sizeof *c + members * sizeof *c->members);
    if (!c) return NULL;
    c->calls = *calls;
    c->capacity = queue_max;
    c->last = &c->first;
    c->least = members < processors ? members : processors;
    c->wanted = c->least;
    c->member_count = members;
    for (uint32_t i = 0; i < members; i++) c->members[i].crew = c;
    init_locks(c);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->epoll >= 0 && watch_descriptor(c, &c->bell, EPOLLIN | EPOLLET) && watch_descriptor(c, &c->end, EPOLLIN) &&
        start_threads(c))
        return c;
    crew_free(c);
    return NULL;
}

void crew_open(crew *c)
{
    atomic_store(&c->open, true);
    ring(c);
}

void crew_refuse(crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->refusing = true;
    pthread_mutex_unlock(&c->lock);
    crew_open(c); /* what waits is to be refused */
    pthread_mutex_lock(&c->lock);
    while (c->running || c->first) pthread_cond_wait(&c->idle, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void crew_stop(crew *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    pthread_cond_broadcast(&c->duty);
    pthread_cond_broadcast(&c->watch);
    pthread_mutex_unlock(&c->lock);
    (void)!write(c->end, &(uint64_t){ 1 }, sizeof(uint64_t));
    for (uint32_t i = 0; i < c->started; i++) pthread_join(c->members[i].thread, NULL);
    pthread_join(c->officer, NULL);
}

void crew_free(crew *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->loop_count; i++) loop_destroy(&c->loops[i]);
    if (c->epoll >= 0) close(c->epoll);
    if (c->bell >= 0) close(c->bell);
    if (c->end >= 0) close(c->end);
    pthread_cond_destroy(&c->duty);
    pthread_cond_destroy(&c->idle);
    pthread_cond_destroy(&c->watch);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
