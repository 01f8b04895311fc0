/* bench_limit.c - what limits cost a request: processor time of one call, median of rounds in turns.
 *
 *   bench_limit
 *
 * Beside that of checking an access token, which every request needs, too. Tables are as full as an attack makes them. */
#include "bench/measure.h"
#include "limit/quota.h"
#include "limit/throttle.h"
#include <stdio.h>

enum { ROUNDS = 15, CALLS = 200000, CHECKS = 20000, CROWD = 300000 };

typedef struct subject {
    evdb *db;
    evdb_token token;
    throttle *t;
    quotas *q;
} subject;

static void check_token(subject *s, unsigned i)
{
    evdb_principal who;
    evdb_error err;
    (void)i;
    measure_must(evdb_auth_token_check(s->db, s->token.access, NULL, &who, &err), &err);
}

static void request_without_limit(subject *s, unsigned i)
{
    (void)i;
    (void)quotas_request(s->q, "app", &(evdb_quota){ 0 });
}

static void request_with_limit(subject *s, unsigned i)
{
    (void)i;
    (void)quotas_request(s->q, "app", &(evdb_quota){ .requests = EVDB_QUOTA_REQUESTS_MAX });
}

static void write_with_limit(subject *s, unsigned i)
{
    (void)i;
    (void)quotas_take(s->q, "app", &(evdb_quota){ .records = INT64_MAX }, (quota_use){ 1, 100 });
}

static void ask(subject *s, unsigned i)
{
    (void)i;
    (void)throttle_ask(s->t, "192.0.2.1", "admin");
}

static void succeed(subject *s, unsigned i)
{
    (void)i;
    throttle_succeeded(s->t, "192.0.2.1", "admin");
}

static void fail(subject *s, unsigned i)
{
    char address[24];
    snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    throttle_failed(s->t, address, "admin");
}

static const struct { const char *name; void (*call)(subject *s, unsigned i); unsigned calls; } costs[] = {
    { "an access token is checked", check_token, CHECKS },
    { "a request of a client without a limit", request_without_limit, CALLS },
    { "a request of one with a limit", request_with_limit, CALLS },
    { "a write of one with a limit", write_with_limit, CALLS },
    { "throttle_ask(), under attack", ask, CALLS },
    { "throttle_succeeded(), under attack", succeed, CALLS },
    { "throttle_failed(), of another address each", fail, CALLS },
};
enum { COSTS = sizeof costs / sizeof *costs };

static double nanoseconds_of(subject *s, size_t which)
{
    double began = measure_cpu();
    for (unsigned i = 0; i < costs[which].calls; i++) costs[which].call(s, i);
    return (measure_cpu() - began) * 1e9 / costs[which].calls;
}

static void begin(subject *s)
{
    static const throttle_options guesses = { .failures = 10, .delay_max_ms = 60000 };
    static const quotas_options use = { .defaults = { 0 } };
    char secret[EVDB_SECRET_BYTES];
    evdb_error err;
    measure_must(evdb_open(":memory:", NULL, &s->db, &err), &err);
    measure_must(evdb_auth_client_add(s->db, "app", NULL, EVDB_SCOPE_READ, 0, secret, &err), &err);
    measure_must(evdb_auth_token_issue(s->db, "app", secret, NULL, &s->token, &err), &err);
    s->t = throttle_create(&guesses);
    s->q = quotas_create(&use);
    if (!s->t || !s->q) measure_die("limits", "out of memory");
    for (unsigned i = 0; i < CROWD; i++) fail(s, i);
}

int main(void)
{
    static double took[COSTS][ROUNDS];
    subject s;
    begin(&s);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < COSTS; i++) took[i][round] = nanoseconds_of(&s, i);
    for (size_t i = 0; i < COSTS; i++) printf("%-45s%6.0f ns\n", costs[i].name, measure_median(took[i], ROUNDS));
    throttle_free(s.t);
    quotas_free(s.q);
    evdb_close(s.db);
    return 0;
}
