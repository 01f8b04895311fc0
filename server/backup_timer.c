/* backup_timer.c - implements backup_timer.h. */
#include "backup_timer.h"
#include "config/schedule.h"
#include "log.h"
#include "op/op.h"
#include "op/op_clock.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct backup_timer {
    backup_run run;
    schedule schedule;
    int lock; /* descriptor of the lock between processes; -1 = nobody else has this database */
    pthread_t thread;
    pthread_mutex_t turn;
    pthread_cond_t stopped;
};

/* Not a lock of the whole process, which another descriptor's close() would lose. */
static bool lock_set(const backup_timer *t, short type)
{
    struct flock range = { .l_type = type, .l_whence = SEEK_SET };
    return t->lock < 0 || fcntl(t->lock, F_OFD_SETLK, &range) == 0;
}

static void run(backup_timer *t, int64_t due, int64_t now_ms)
{
    if (!lock_set(t, F_WRLCK)) {
        log_line(LOG_DEBUG, "another process makes the scheduled backups", NULL);
        return;
    }
    backup_run_once(&t->run, due, now_ms);
    (void)lock_set(t, F_UNLCK); /* fails only for a bad descriptor */
}

/* By the system's clock, so that it follows when that is set. */
static void wait_until(backup_timer *t, int64_t second)
{
    const struct timespec until = { .tv_sec = (time_t)second };
    int rc = 0;
    pthread_mutex_lock(&t->turn);
    while (!atomic_load(&t->run.stop) && rc != ETIMEDOUT) rc = pthread_cond_timedwait(&t->stopped, &t->turn, &until);
    pthread_mutex_unlock(&t->turn);
}

/* Times that pass while backups are made are one. At start, the last time may have been missed. */
static void *serve(void *context)
{
    backup_timer *t = context;
    int64_t done = INT64_MIN;
    while (!atomic_load(&t->run.stop)) {
        int64_t now_ms = op_now_ms(), due = schedule_last(&t->schedule, now_ms / 1000);
        if (due != done) run(t, due, now_ms);
        done = due;
        wait_until(t, schedule_next(&t->schedule, due));
    }
    return NULL;
}

static evdb_status open_lock(const config *c, backup_timer *t, evdb_error *err)
{
    char path[4200], reason[128];
    t->lock = -1;
    if (!c->persistence_enabled) return EVDB_OK;
    snprintf(path, sizeof path, "%s/schedule.lock", c->persistence_dir);
    t->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return t->lock >= 0 ? EVDB_OK : op_fail(err, EVDB_IO, "%s: %s", path, strerror_r(errno, reason, sizeof reason));
}

static evdb_status start(const config *c, backup_timer *t, evdb_error *err)
{
    char why[200];
    int failed;
    if (!schedule_parse(c->backup_schedule, &t->schedule, why, sizeof why)) return op_fail(err, EVDB_INVALID, "backup_schedule: %s", why);
    evdb_status rc = open_lock(c, t, err);
    if (rc != EVDB_OK) return rc;
    pthread_mutex_init(&t->turn, NULL);
    pthread_cond_init(&t->stopped, NULL);
    if ((failed = pthread_create(&t->thread, NULL, serve, t)) == 0) return EVDB_OK;
    if (t->lock >= 0) close(t->lock);
    return op_fail(err, EVDB_NO_MEMORY, "cannot start a thread for backups: error %d", failed);
}

evdb_status backup_timer_start(const config *c, evdb *db, const unsigned char *key, const struct op_bucket *bucket, backup_timer **out,
                               evdb_error *err)
{
    *out = NULL;
    if (!*c->backup_schedule) return EVDB_OK;
    backup_timer *t = calloc(1, sizeof *t);
    if (!t) return op_fail(err, EVDB_NO_MEMORY, "out of memory");
    t->run.db = db;
    t->run.key = key;
    t->run.bucket = strcmp(c->backup_target, "s3") == 0 ? bucket : NULL;
    t->run.began_ms = op_now_ms();
    t->run.full_every = (unsigned)c->backup_full_every;
    t->run.keep = (uint32_t)c->backup_keep;
    t->run.keep_days = c->backup_keep_days;
    evdb_status rc = start(c, t, err);
    if (rc == EVDB_OK) *out = t;
    else free(t);
    return rc;
}

void backup_timer_cancel(backup_timer *t)
{
    if (!t) return;
    pthread_mutex_lock(&t->turn);
    atomic_store(&t->run.stop, true);
    pthread_cond_signal(&t->stopped);
    pthread_mutex_unlock(&t->turn);
}

void backup_timer_stop(backup_timer *t)
{
    if (!t) return;
    backup_timer_cancel(t);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->stopped);
    pthread_mutex_destroy(&t->turn);
    if (t->lock >= 0) close(t->lock);
    free(t);
}
