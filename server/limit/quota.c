/* quota.c - implements limit/quota.h. */
#include "limit/quota.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PLACES = 1 << 18, DAY_MS = 86400000 };
static const int64_t SECOND_NS = 1000000000;

typedef struct used {
    slot_tag tag;
    int64_t full_ns; /* when the bucket of requests will be full again (generic cell rate algorithm) */
    int64_t day;
    quota_use today;
} used;

struct quotas {
    quotas_options options;
    pthread_mutex_t lock; /* of the table */
    slots table;
};

static int64_t read_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int64_t system_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_unix_ms(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME) / 1000000;
}

/* There are places for many more clients than may be registered; should a set be full, who has used least loses least. */
static uint64_t weight(const void *item, int64_t today)
{
    const used *u = item;
    return u->day == today ? 1 + u->today.records + u->today.bytes : 0;
}

quotas *quotas_create(const quotas_options *options)
{
    quotas *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->options = *options;
    if (!q->options.now_ns) {
        q->options.now_ns = system_ns;
        q->options.unix_ms = system_unix_ms;
    }
    pthread_mutex_init(&q->lock, NULL);
    if (slots_open(&q->table, PLACES, sizeof(used), weight)) return q;
    quotas_free(q);
    return NULL;
}

void quotas_free(quotas *q)
{
    if (!q) return;
    slots_close(&q->table);
    pthread_mutex_destroy(&q->lock);
    sodium_memzero(q->options.seed, sizeof q->options.seed);
    free(q);
}

/* The limit in force; 0 = none. */
static uint64_t limit_of(int64_t own, int64_t otherwise)
{
    int64_t limit = own ? own : otherwise;
    return limit > 0 ? (uint64_t)limit : 0;
}

static slot_tag tag_of(const quotas *q, const char *client)
{
    return slot_hash(q->options.seed, 0, client, strlen(client));
}

static int64_t unix_now(const quotas *q)
{
    return q->options.unix_ms(q->options.context);
}

/* Under the lock. */
static used *today_of(quotas *q, const char *client, int64_t today)
{
    used *u = slots_take(&q->table, tag_of(q, client), today, NULL);
    if (u->day != today) u->today = (quota_use){ 0 };
    u->day = today;
    return u;
}

quota_answer quotas_request(quotas *q, const char *client, const evdb_quota *own)
{
    quota_answer a = { .limit = limit_of(own->requests, q->options.defaults.requests) };
    if (!a.limit) return a;
    int64_t now = q->options.now_ns(q->options.context), each = SECOND_NS / (int64_t)a.limit, today = unix_now(q) / DAY_MS;
    if (!each) each = 1;
    pthread_mutex_lock(&q->lock);
    used *u = today_of(q, client, today);
    if (u->full_ns < now) u->full_ns = now;
    int64_t early = u->full_ns + each - now - (SECOND_NS > each ? SECOND_NS : each);
    if (early <= 0) u->full_ns += each;
    pthread_mutex_unlock(&q->lock);
    if (early <= 0) return a;
    a.verdict = QUOTA_LATER;
    a.wait_ms = (uint32_t)((early + 999999) / 1000000);
    return a;
}

/* Judges one of the two; *a is left as it is when there is enough. */
static void judge(quota_answer *a, bool bytes, uint64_t limit, uint64_t before, uint64_t more)
{
    if (!limit || !more || (more <= limit && before <= limit - more)) return;
    *a = (quota_answer){ .verdict = more > limit ? QUOTA_NEVER : QUOTA_LATER, .bytes = bytes, .limit = limit };
}

quota_answer quotas_take(quotas *q, const char *client, const evdb_quota *own, quota_use more)
{
    quota_answer a = { .verdict = QUOTA_FINE };
    uint64_t records = limit_of(own->records, q->options.defaults.records), bytes = limit_of(own->bytes, q->options.defaults.bytes);
    if (!records && !bytes) return a;
    int64_t now = unix_now(q);
    pthread_mutex_lock(&q->lock);
    used *u = today_of(q, client, now / DAY_MS);
    judge(&a, true, bytes, u->today.bytes, more.bytes);
    if (a.verdict != QUOTA_NEVER) judge(&a, false, records, u->today.records, more.records);
    if (a.verdict == QUOTA_FINE) {
        u->today.records += more.records;
        u->today.bytes += more.bytes;
    }
    pthread_mutex_unlock(&q->lock);
    if (a.verdict == QUOTA_LATER) a.wait_ms = (uint32_t)(DAY_MS - now % DAY_MS);
    return a;
}

void quotas_give_back(quotas *q, const char *client, uint64_t records)
{
    int64_t today = unix_now(q) / DAY_MS;
    pthread_mutex_lock(&q->lock);
    used *u = slots_find(&q->table, tag_of(q, client));
    if (u && u->day == today) u->today.records -= records < u->today.records ? records : u->today.records;
    pthread_mutex_unlock(&q->lock);
}

quota_use quotas_used(quotas *q, const char *client)
{
    int64_t today = unix_now(q) / DAY_MS;
    pthread_mutex_lock(&q->lock);
    const used *u = slots_find(&q->table, tag_of(q, client));
    quota_use use = u && u->day == today ? u->today : (quota_use){ 0 };
    pthread_mutex_unlock(&q->lock);
    return use;
}
