/* test_mcp_hub.c - subscriptions: signs of life and renewals on a clock that is given, what is announced, and threads that subscribe, leave and
 * stop while stores come and go. */
#include "call.h"
#include "mcp/subscriber.h"
#include "seed.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The other end of a channel. */
typedef struct peer {
    atomic_uint sent, idles, renewals, closed;
    atomic_bool gone;
    evdb_status lease;
    char last[512];
} peer;

static bool take(void *context, const char *message, size_t size)
{
    peer *p = context;
    if (atomic_load(&p->gone) || atomic_load(&p->closed)) return false;
    snprintf(p->last, sizeof p->last, "%.*s", (int)size, message);
    atomic_fetch_add(&p->sent, 1);
    return true;
}

static bool gone(void *context) { return atomic_load(&((peer *)context)->gone); }

static bool sign_of_life(void *context)
{
    atomic_fetch_add(&((peer *)context)->idles, 1);
    return true;
}

static void count_end(void *context) { atomic_fetch_add(&((peer *)context)->closed, 1); }

static evdb_status renew(void *context, evdb_principal *who, evdb_error *err)
{
    peer *p = context;
    (void)who;
    atomic_fetch_add(&p->renewals, 1);
    return p->lease == EVDB_OK ? EVDB_OK : op_fail(err, p->lease, "not now");
}

static evdb_status keep(void *context, mcp_channel *out, evdb_error *err)
{
    (void)err;
    *out = (mcp_channel){ .context = context, .send = take, .cancelled = gone, .renew = renew, .idle = sign_of_life, .close = count_end };
    return EVDB_OK;
}

static const evdb_principal reader = { .client = "c", .scopes = EVDB_SCOPE_READ };

static subscriber *opened(peer *p)
{
    mcp_channel channel;
    subscriber *s = subscriber_make(&reader, 1, NULL);
    assert_non_null(s);
    assert_int_equal(keep(p, &channel, NULL), EVDB_OK);
    subscriber_open(s, &channel, 0);
    s->lists = MCP_TOOLS_CHANGED;
    return s;
}

static void a_sign_of_life_comes_when_nothing_was_told_for_long(void **state)
{
    (void)state;
    feeds none = { .db = NULL };
    peer p = { .lease = EVDB_OK };
    subscriber *s = opened(&p);
    assert_int_equal(subscriber_tell(s, MCP_IDLE_MS - 1), SUBSCRIBER_STAYS);
    assert_int_equal(p.idles, 0);
    assert_int_equal(subscriber_tell(s, MCP_IDLE_MS), SUBSCRIBER_STAYS);
    assert_int_equal(p.idles, 1);
    s->pending = MCP_TOOLS_CHANGED;
    assert_int_equal(subscriber_tell(s, 2 * MCP_IDLE_MS - 1), SUBSCRIBER_STAYS);
    assert_int_equal(p.sent, 1);
    assert_non_null(strstr(p.last, "notifications/tools/list_changed"));
    assert_int_equal(subscriber_tell(s, 3 * MCP_IDLE_MS - 2), SUBSCRIBER_STAYS); /* counted from the message on */
    assert_int_equal(p.idles, 1);
    assert_int_equal(subscriber_tell(s, 3 * MCP_IDLE_MS - 1), SUBSCRIBER_STAYS);
    assert_int_equal(p.idles, 2);
    subscriber_free(s, &none);
    assert_int_equal(p.closed, 1);
}

static void who_may_not_listen_any_more_is_told_nothing(void **state)
{
    (void)state;
    feeds none = { .db = NULL };
    peer p = { .lease = EVDB_OK };
    subscriber *s = opened(&p);
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS - 1), SUBSCRIBER_STAYS);
    assert_int_equal(p.renewals, 0);
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS), SUBSCRIBER_STAYS);
    assert_int_equal(p.renewals, 1);
    s->pending = MCP_TOOLS_CHANGED;
    p.lease = EVDB_BUSY; /* it cannot be said: neither told nor ended */
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS + 1), SUBSCRIBER_STAYS);
    assert_int_equal(p.sent, 0);
    p.lease = EVDB_OK;
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS + 2), SUBSCRIBER_STAYS);
    assert_int_equal(p.sent, 1);
    s->pending = MCP_TOOLS_CHANGED;
    p.lease = EVDB_DENIED;
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS + 3), SUBSCRIBER_OVER);
    assert_int_equal(p.sent, 1);
    atomic_store(&p.gone, true);
    assert_int_equal(subscriber_tell(s, MCP_RENEW_MS + 4), SUBSCRIBER_LEFT);
    subscriber_free(s, &none);
}

/* ---- the hub ---- */

static mcp_caller caller_of(evdb *db, peer *p, mcp_channel *channel, uint64_t session)
{
    *channel = (mcp_channel){ .context = p, .send = take, .cancelled = gone, .keep = keep };
    return (mcp_caller){ .db = db, .who = &reader, .channel = channel, .session = session };
}

static void wait_for(const atomic_uint *count, unsigned wanted)
{
    while (atomic_load(count) < wanted) sched_yield();
}

static void what_is_announced_is_told_to_who_asked_for_it(void **state)
{
    mcp_hub *h = mcp_hub_open(*state);
    peer tools = { .lease = EVDB_OK }, prompts = { .lease = EVDB_OK }, own = { .lease = EVDB_OK };
    mcp_channel channel;
    evdb_error err;
    const hub_topic topic = { .uri = "test://own" };
    json_t *id = json_string("s");
    mcp_caller who = caller_of(*state, &tools, &channel, 1);
    assert_int_equal(hub_listen(h, &who, id, &(hub_filter){ .lists = MCP_TOOLS_CHANGED }, &err), EVDB_OK);
    who = caller_of(*state, &prompts, &channel, 2);
    assert_int_equal(hub_listen(h, &who, id, &(hub_filter){ .lists = MCP_PROMPTS_CHANGED }, &err), EVDB_OK);
    who = caller_of(*state, &own, &channel, 3);
    assert_int_equal(hub_listen(h, &who, id, &(hub_filter){ .topics = &topic, .count = 1 }, &err), EVDB_OK);
    mcp_hub_announce(h, MCP_TOOLS_CHANGED | MCP_RESOURCES_CHANGED);
    wait_for(&tools.sent, 2); /* behind the acknowledgement */
    mcp_hub_announce_resource(h, "test://another");
    mcp_hub_announce_resource(h, "test://own");
    wait_for(&own.sent, 2);
    mcp_hub_stop(h);
    assert_int_equal(own.sent, 3); /* and its result */
    assert_int_equal(tools.sent, 3);
    assert_int_equal(prompts.sent, 2);
    assert_int_equal(hub_listen(h, &who, id, &(hub_filter){ .lists = MCP_TOOLS_CHANGED }, &err), EVDB_BUSY);
    assert_int_equal(mcp_hub_attach(h, &who, &err), EVDB_BUSY);
    mcp_hub_close(h);
    assert_int_equal(tools.closed + prompts.closed + own.closed, 3);
    json_decref(id);
}

static void who_has_left_does_not_count(void **state)
{
    mcp_hub *h = mcp_hub_open(*state);
    static peer peers[MCP_SUBSCRIPTIONS_MAX + 1];
    peer *more = &peers[MCP_SUBSCRIPTIONS_MAX];
    const hub_filter nothing = { .lists = 0 };
    mcp_channel channel;
    evdb_error err;
    json_t *id = json_string("s");
    for (size_t i = 0; i < MCP_SUBSCRIPTIONS_MAX; i++) {
        mcp_caller who = caller_of(*state, &peers[i], &channel, i + 1);
        assert_int_equal(hub_listen(h, &who, id, &nothing, &err), EVDB_OK);
    }
    mcp_caller who = caller_of(*state, more, &channel, MCP_SUBSCRIPTIONS_MAX + 1);
    assert_int_equal(hub_listen(h, &who, id, &nothing, &err), EVDB_LIMIT);
    atomic_store(&peers[0].gone, true);
    assert_int_equal(hub_listen(h, &who, id, &nothing, &err), EVDB_OK);
    mcp_hub_close(h);
    json_decref(id);
}

static void a_session_takes_its_own_place_and_nobody_elses(void **state)
{
    mcp_hub *h = mcp_hub_open(*state);
    static peer peers[MCP_SUBSCRIPTIONS_MAX + 3];
    peer *first = &peers[MCP_SUBSCRIPTIONS_MAX], *second = first + 1, *third = first + 2;
    const hub_filter nothing = { .lists = 0 };
    mcp_channel channel;
    evdb_error err;
    json_t *id = json_string("s");
    for (size_t i = 1; i < MCP_SUBSCRIPTIONS_MAX; i++) {
        mcp_caller who = caller_of(*state, &peers[i], &channel, i + 1);
        assert_int_equal(hub_listen(h, &who, id, &nothing, &err), EVDB_OK);
    }
    mcp_caller who = caller_of(*state, first, &channel, MCP_SUBSCRIPTIONS_MAX + 1);
    assert_int_equal(mcp_hub_attach(h, &who, &err), EVDB_OK);
    who = caller_of(*state, second, &channel, MCP_SUBSCRIPTIONS_MAX + 1);
    assert_int_equal(mcp_hub_attach(h, &who, &err), EVDB_OK);
    assert_int_equal(first->closed, 1);
    atomic_store(&second->gone, true);
    mcp_caller other = caller_of(*state, &peers[0], &channel, 1);
    assert_int_equal(hub_listen(h, &other, id, &nothing, &err), EVDB_OK);
    who = caller_of(*state, third, &channel, MCP_SUBSCRIPTIONS_MAX + 1);
    assert_int_equal(mcp_hub_attach(h, &who, &err), EVDB_LIMIT);
    mcp_hub_close(h);
    json_decref(id);
}

enum { THREADS = 4, ROUNDS = 60 };

typedef struct crowd {
    mcp_hub *hub;
    evdb *db;
    const op *describe, *get;
    uint64_t seed;
    peer peers[ROUNDS];
    unsigned opened;
    evdb_status failed; /* of what never does */
    bool stops;
} crowd;

static json_t *arguments(uint64_t *seed, bool record)
{
    char text[64];
    unsigned store = (unsigned)seed_below(seed, 3);
    snprintf(text, sizeof text, record ? "{\"store\":\"s%u\",\"id\":%u}" : "{\"store\":\"s%u\"}", store, (unsigned)seed_below(seed, 3));
    return call_parse(text);
}

static void change(crowd *c)
{
    evdb_store *s;
    evdb_error err;
    char name[8], other[8];
    float vector[2] = { 1, 2 };
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.dim = 2;
    snprintf(name, sizeof name, "s%u", (unsigned)seed_below(&c->seed, 3));
    snprintf(other, sizeof other, "s%u", (unsigned)seed_below(&c->seed, 3));
    unsigned what = (unsigned)seed_below(&c->seed, 8);
    evdb_status rc;
    if (what == 0) rc = evdb_store_drop(c->db, name, &err);
    else if (what == 1) rc = evdb_store_rename(c->db, name, other, &err);
    else if (what == 2) rc = evdb_store_create(c->db, name, &options, NULL, &err);
    else if ((rc = evdb_store_open(c->db, name, &s, &err)) == EVDB_OK) {
        rc = evdb_record_upsert(s, (evdb_id){ .number = (int64_t)seed_below(&c->seed, 3) }, vector, 2, NULL, NULL, &err);
        evdb_store_close(s);
    }
    if (rc != EVDB_OK && rc != EVDB_NOT_FOUND && rc != EVDB_EXISTS && rc != EVDB_GONE) c->failed = rc;
}

static void one_round(crowd *c, unsigned round)
{
    uint64_t session = 1 + seed_below(&c->seed, 3);
    json_t *id = json_integer((json_int_t)seed_below(&c->seed, 3)), *record = arguments(&c->seed, true), *store = arguments(&c->seed, false);
    const hub_topic topics[] = { { "evdb://record", c->get, record }, { "evdb://store", c->describe, store } };
    mcp_channel channel;
    evdb_error err;
    peer *p = &c->peers[round];
    mcp_caller who = caller_of(c->db, p, &channel, session);
    switch (seed_below(&c->seed, 9)) {
    case 0: case 1: c->opened += hub_listen(c->hub, &who, id, &(hub_filter){ MCP_RESOURCES_CHANGED, topics, 2 }, &err) == EVDB_OK; break;
    case 2: hub_cancel(c->hub, session, id); break;
    case 3: (void)hub_subscribe(c->hub, &who, &topics[seed_below(&c->seed, 2)], &err); break;
    case 4: hub_unsubscribe(c->hub, session, topics[seed_below(&c->seed, 2)].uri); break;
    case 5: c->opened += mcp_hub_attach(c->hub, &who, &err) == EVDB_OK; break;
    case 6: mcp_hub_begin(c->hub, session); break;
    case 7: mcp_hub_forget(c->hub, session); break;
    default: atomic_store(&c->peers[seed_below(&c->seed, round + 1)].gone, true);
    }
    json_decref(id);
    json_decref(record);
    json_decref(store);
}

static void *be_one_of_many(void *context)
{
    crowd *c = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        one_round(c, round);
        change(c);
        if (c->stops && round == ROUNDS / 2) mcp_hub_stop(c->hub);
        else if (round % 16 == 0) mcp_hub_announce(c->hub, MCP_TOOLS_CHANGED);
    }
    return NULL;
}

static void each_channel_is_closed_once_whoever_comes_and_goes(void **state)
{
    uint64_t seed = seed_print();
    static crowd all[THREADS];
    pthread_t threads[THREADS];
    mcp_hub *h = mcp_hub_open(*state);
    unsigned opened = 0, closed = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        all[i] = (crowd){ .hub = h, .db = *state, .describe = op_find("describe_store"), .get = op_find("get_record"), .seed = seed_next(&seed),
                          .stops = i == 0 && seed % 2 };
        assert_int_equal(pthread_create(&threads[i], NULL, be_one_of_many, &all[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    mcp_hub_close(h);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(all[i].failed, EVDB_OK);
        opened += all[i].opened;
        for (unsigned k = 0; k < ROUNDS; k++) {
            assert_true(all[i].peers[k].closed <= 1);
            closed += all[i].peers[k].closed;
        }
    }
    assert_true(opened > 0);
    assert_int_equal(closed, opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_of_life_comes_when_nothing_was_told_for_long),
        cmocka_unit_test(who_may_not_listen_any_more_is_told_nothing),
        cmocka_unit_test_setup_teardown(what_is_announced_is_told_to_who_asked_for_it, call_open, call_close),
        cmocka_unit_test_setup_teardown(who_has_left_does_not_count, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_session_takes_its_own_place_and_nobody_elses, call_open, call_close),
        cmocka_unit_test_setup_teardown(each_channel_is_closed_once_whoever_comes_and_goes, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
