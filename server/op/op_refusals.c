/* op_refusals.c - implements op/op_refusals.h. */
#include "op/op_refusals.h"
#include "op/op_clock.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000, OTHERS = OP_REFUSALS_CLIENTS };

typedef struct refusal {
    char who[EVDB_AUDIT_WHO_MAX + 1], via[EVDB_AUDIT_VIA_MAX + 1], what[EVDB_AUDIT_TARGET_MAX + 1];
    uint64_t count; /* 0 = a free row */
} refusal;

typedef struct minute {
    int64_t number; /* since 1970; of the first refusal in it */
    refusal rows[OP_REFUSALS_CLIENTS + 1]; /* the last one: others */
    size_t used;    /* of the clients' */
} minute;

struct op_refusals {
    evdb *db;
    pthread_mutex_t lock; /* what is counted */
    pthread_mutex_t turn; /* writing */
    minute now;
};

op_refusals *op_refusals_open(evdb *db)
{
    op_refusals *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->db = db;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->turn, NULL);
    return r;
}

void op_refusals_close(op_refusals *r)
{
    if (!r) return;
    (void)op_refusals_write(r, true, NULL);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->turn);
    free(r);
}

static refusal *row_of(minute *m, const char *who)
{
    for (size_t i = 0; i < m->used; i++)
        if (strcmp(m->rows[i].who, who) == 0) return &m->rows[i];
    return m->used < OP_REFUSALS_CLIENTS ? &m->rows[m->used++] : &m->rows[OTHERS];
}

static void merge(char *to, size_t room, const char *text)
{
    if (*to && strcmp(to, text) != 0) text = "several";
    snprintf(to, room, "%s", text);
}

/* Under the lock. */
static void add(op_refusals *r, const refusal *one)
{
    if (!r->now.used) r->now.number = op_now_ms() / MINUTE_MS;
    refusal *row = row_of(&r->now, one->who);
    snprintf(row->who, sizeof row->who, "%s", row == &r->now.rows[OTHERS] ? "others" : one->who);
    merge(row->via, sizeof row->via, one->via);
    merge(row->what, sizeof row->what, one->what);
    row->count += one->count;
}

void op_refusals_count(op_refusals *r, const char *who, const char *via, const char *what)
{
    refusal one = { .count = 1 };
    if (!r) return;
    snprintf(one.who, sizeof one.who, "%s", who); /* as it will be written: a longer one would be another each time */
    snprintf(one.via, sizeof one.via, "%s", via);
    snprintf(one.what, sizeof one.what, "%s", what);
    pthread_mutex_lock(&r->lock);
    add(r, &one);
    pthread_mutex_unlock(&r->lock);
}

static evdb_status write_one(op_refusals *r, const refusal *one, evdb_error *err)
{
    evdb_audit_act act = EVDB_AUDIT_ACT;
    act.who = *one->who ? one->who : "?";
    act.via = *one->via ? one->via : "?";
    act.act = "refused";
    act.target = one->what;
    act.count = one->count;
    act.outcome = EVDB_DENIED;
    return evdb_audit_append(r->db, &act, NULL, err);
}

/* Takes out what there is to write; false: nothing yet. */
static bool take(op_refusals *r, bool all, minute *out)
{
    pthread_mutex_lock(&r->lock);
    bool due = r->now.used && (all || r->now.number != op_now_ms() / MINUTE_MS);
    if (due) {
        *out = r->now;
        memset(&r->now, 0, sizeof r->now);
    }
    pthread_mutex_unlock(&r->lock);
    return due;
}

evdb_status op_refusals_write(op_refusals *r, bool all, evdb_error *err)
{
    minute m;
    evdb_status rc = EVDB_OK;
    if (!r) return EVDB_OK;
    pthread_mutex_lock(&r->turn);
    if (take(r, all, &m))
        for (size_t i = 0; i <= OTHERS; i++) {
            if (!m.rows[i].count) continue;
            if (rc == EVDB_OK) rc = write_one(r, &m.rows[i], err);
            if (rc == EVDB_OK) continue;
            pthread_mutex_lock(&r->lock);
            add(r, &m.rows[i]);
            pthread_mutex_unlock(&r->lock);
        }
    pthread_mutex_unlock(&r->turn);
    return rc;
}
