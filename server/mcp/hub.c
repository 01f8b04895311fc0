/* hub.c - implements mcp/hub.h: the thread, and what it looks at.
 *
 * While it looks, it lets go of the lock: a store may be locked by another process for seconds. Only then, and when the list of stores is made
 * known for the first time, subscriptions come and go behind the back of who had the lock. */
#include "mcp/hub.h"
#include "mcp/notice.h"
#include "mcp/roster.h"
#include "mcp/subscriber.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REST = 49,     /* times as long as it computed */
    ROUND_MS = 1000 /* from one look after those who listen to the next, when the stores are left alone for longer */
};

struct mcp_hub {
    feeds followed;
    pthread_mutex_t lock; /* of everything */
    pthread_cond_t woken;
    pthread_t thread;
    bool running, stopping, urgent; /* urgent: there is something to tell */
    subscriber *first;
    roster stores; /* known only while somebody listens to that */
    int64_t list_due_us;
};

static int64_t read_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now_us(void) { return read_us(CLOCK_MONOTONIC); }

/* Of this thread. Waiting for a store that another process has locked costs nobody anything. */
static int64_t computed_us(void) { return read_us(CLOCK_THREAD_CPUTIME_ID); }

static int64_t now_ms(void) { return now_us() / 1000; }

/* How long to leave alone what took this long to look at. */
static int64_t rest_us(int64_t took_us)
{
    int64_t rest = took_us * REST;
    return rest > MCP_LOOK_MS * 1000 ? rest : MCP_LOOK_MS * 1000;
}

/* ---- the list of stores ---- */

static bool lists_wanted(const mcp_hub *h)
{
    for (const subscriber *s = h->first; s; s = s->next)
        if (s->open && s->lists & MCP_RESOURCES_CHANGED) return true;
    return false;
}

static void tell_of_store(void *hub, const char *name)
{
    for (subscriber *s = ((mcp_hub *)hub)->first; s; s = s->next) subscriber_note_store(s, name);
}

static void look_at_list(mcp_hub *h)
{
    int64_t began = computed_us();
    roster_look(&h->stores, &h->lock, tell_of_store, h);
    h->list_due_us = now_us() + rest_us(computed_us() - began);
}

/* ---- the thread ---- */

static void remove_one(mcp_hub *h, subscriber *gone)
{
    subscriber **at = &h->first;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    subscriber_free(gone, &h->followed);
}

/* A legacy session goes on without its channel: it may open another. */
static void tell_all(mcp_hub *h)
{
    int64_t now = now_ms();
    for (subscriber *s = h->first, *next; s; s = next) {
        next = s->next;
        subscriber_state state = subscriber_tell(s, now);
        if (state == SUBSCRIBER_STAYS) continue;
        subscriber_shut(s, state == SUBSCRIBER_OVER);
        if (s->id) remove_one(h, s);
    }
}

static void look(mcp_hub *h)
{
    if (!lists_wanted(h)) roster_forget(&h->stores);
    else if (now_us() >= h->list_due_us) look_at_list(h);
    feeds_look(&h->followed, &h->lock, &h->stopping);
    for (subscriber *s = h->first; s; s = s->next) subscriber_note(s);
    tell_all(h);
}

static bool anybody(const mcp_hub *h)
{
    const subscriber *s = h->first;
    while (s && !subscriber_listens(s)) s = s->next;
    return s != NULL;
}

static void wait_until(mcp_hub *h, int64_t until_us)
{
    struct timespec end = { .tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (long)(until_us % 1000000) * 1000 };
    while (!h->stopping && !h->urgent && now_us() < until_us) (void)pthread_cond_timedwait(&h->woken, &h->lock, &end);
    h->urgent = false;
}

/* Who has left is noticed meanwhile, and who is still there gets a sign of life. */
static void rest(mcp_hub *h, int64_t until_us)
{
    while (until_us - now_us() > ROUND_MS * 1000 && !h->stopping && !h->urgent && anybody(h)) {
        wait_until(h, now_us() + ROUND_MS * 1000);
        tell_all(h);
    }
    wait_until(h, until_us);
}

static void *run(void *context)
{
    mcp_hub *h = context;
    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        feeds_sweep(&h->followed, &h->lock);
        if (anybody(h)) {
            int64_t began = computed_us();
            look(h);
            rest(h, now_us() + rest_us(computed_us() - began));
        } else if (!h->stopping && !h->followed.closing) {
            roster_forget(&h->stores);
            (void)pthread_cond_wait(&h->woken, &h->lock);
        }
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* Under the lock. */
static evdb_status start(mcp_hub *h, evdb_error *err)
{
    if (h->stopping) return op_fail(err, EVDB_BUSY, "the server stops");
    if (!h->running && pthread_create(&h->thread, NULL, run, h) != 0) return op_fail(err, EVDB_BUSY, "no thread can be had to tell of changes");
    h->running = true;
    return EVDB_OK;
}

mcp_hub *mcp_hub_open(evdb *db)
{
    pthread_condattr_t clock;
    mcp_hub *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    h->followed.db = h->stores.db = db;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&h->woken, &clock);
    pthread_condattr_destroy(&clock);
    return h;
}

void mcp_hub_stop(mcp_hub *h)
{
    if (!h) return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    for (subscriber *s = h->first; s; s = s->next) subscriber_shut(s, true);
    pthread_cond_broadcast(&h->woken);
    pthread_mutex_unlock(&h->lock);
}

void mcp_hub_close(mcp_hub *h)
{
    if (!h) return;
    mcp_hub_stop(h);
    if (h->running) pthread_join(h->thread, NULL);
    pthread_mutex_lock(&h->lock);
    while (h->first) remove_one(h, h->first);
    feeds_sweep(&h->followed, &h->lock);
    roster_forget(&h->stores);
    pthread_mutex_unlock(&h->lock);
    pthread_cond_destroy(&h->woken);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- what an offer announces ---- */

static void wake(mcp_hub *h)
{
    h->urgent = true;
    pthread_cond_signal(&h->woken);
}

void mcp_hub_announce(mcp_hub *h, unsigned changed)
{
    pthread_mutex_lock(&h->lock);
    for (subscriber *s = h->first; s; s = s->next) s->pending |= s->lists & changed;
    wake(h);
    pthread_mutex_unlock(&h->lock);
}

void mcp_hub_announce_resource(mcp_hub *h, const char *uri)
{
    pthread_mutex_lock(&h->lock);
    for (subscriber *s = h->first; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) s->wants[i].pending |= !s->wants[i].point && strcmp(s->wants[i].uri, uri) == 0;
    wake(h);
    pthread_mutex_unlock(&h->lock);
}

/* ---- limits ---- */

/* A subscription more, of so many URIs; legacy sessions without a stream count by their URIs alone. */
static evdb_status check_room(const mcp_hub *h, const evdb_principal *who, size_t opened, size_t uris, evdb_error *err)
{
    for (const subscriber *s = h->first; s; s = s->next)
        if (strcmp(s->who.client, who->client) == 0) {
            bool left = subscriber_left(s);
            opened += s->open && !left;
            uris += left && s->id ? 0 : s->count;
        }
    if (opened > MCP_SUBSCRIPTIONS_MAX) return op_fail(err, EVDB_LIMIT, "a client may have %d subscriptions open at once", MCP_SUBSCRIPTIONS_MAX);
    if (uris > MCP_CLIENT_URIS_MAX) return op_fail(err, EVDB_LIMIT, "a client may subscribe to %d URIs", MCP_CLIENT_URIS_MAX);
    return EVDB_OK;
}

/* ---- modern subscriptions ---- */

static evdb_status keep(const mcp_caller *who, mcp_channel *out, evdb_error *err)
{
    if (!who->channel || !who->channel->keep) return op_fail(err, EVDB_UNSUPPORTED, "this client takes one reply and no more: over HTTP its Accept header must allow text/event-stream");
    return who->channel->keep(who->channel->context, out, err);
}

/* Without the lock: what a subscription follows is opened before it is one. */
static evdb_status prepare(const mcp_hub *h, const hub_topic *topics, size_t count, feed_point *points[], evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; rc == EVDB_OK && i < count; i++)
        if (topics[i].op) rc = feeds_prepare(h->followed.db, topics[i].op, topics[i].args, &points[i], err);
    return rc;
}

/* The subscription is linked only when it stands: its messages begin with the acknowledgement. A client that has left
 * already is noticed as any other. */
static evdb_status open_one(mcp_hub *h, const mcp_caller *who, subscriber *s, const hub_filter *filter, feed_point *points[],
                            const op_out *honoured, evdb_error *err)
{
    mcp_channel channel;
    if (filter->lists & MCP_RESOURCES_CHANGED) roster_begin(&h->stores, &h->lock);
    evdb_status rc = start(h, err);
    for (const subscriber *other = h->first; rc == EVDB_OK && other; other = other->next)
        if (subscriber_is(other, s->session, s->id)) rc = op_fail(err, EVDB_INVALID, "a subscription of this id is open: its messages could not be told apart");
    if (rc == EVDB_OK) rc = check_room(h, who->who, 1, filter->count, err);
    for (size_t i = 0; rc == EVDB_OK && i < filter->count; i++) rc = subscriber_add(s, &h->followed, filter->topics[i].uri, &points[i], err);
    if (rc == EVDB_OK) rc = keep(who, &channel, err);
    if (rc != EVDB_OK) return rc;
    s->lists = filter->lists;
    subscriber_open(s, &channel, now_ms());
    (void)notice_acknowledged(&channel, s->id, honoured);
    s->next = h->first;
    h->first = s;
    pthread_cond_signal(&h->woken);
    return EVDB_OK;
}

evdb_status hub_listen(mcp_hub *h, const mcp_caller *who, const json_t *id, const hub_filter *filter, evdb_error *err)
{
    op_out honoured = OP_OUT;
    feed_point *points[MCP_URIS_MAX] = { NULL };
    subscriber *s = subscriber_make(who->who, who->session, id);
    if (!s) return op_fail(err, EVDB_NO_MEMORY, "out of memory subscribing");
    notice_put_honoured(&honoured, filter);
    evdb_status rc = op_out_done(&honoured, err);
    if (rc == EVDB_OK) rc = prepare(h, filter->topics, filter->count, points, err);
    pthread_mutex_lock(&h->lock);
    if (rc == EVDB_OK) rc = open_one(h, who, s, filter, points, &honoured, err);
    if (rc != EVDB_OK) subscriber_free(s, &h->followed);
    for (size_t i = 0; i < filter->count; i++) feeds_discard(&h->followed, points[i]);
    pthread_mutex_unlock(&h->lock);
    op_out_free(&honoured);
    return rc;
}

void hub_cancel(mcp_hub *h, uint64_t session, const json_t *id)
{
    pthread_mutex_lock(&h->lock);
    for (subscriber *s = h->first, *next; s; s = next) {
        next = s->next;
        if (subscriber_is(s, session, id)) remove_one(h, s);
    }
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
}

/* ---- legacy sessions ---- */

static subscriber *of_session(mcp_hub *h, uint64_t session)
{
    subscriber *s = h->first;
    while (s && (s->id || s->session != session)) s = s->next;
    return s;
}

static subscriber *session_made(mcp_hub *h, const mcp_caller *who, evdb_error *err)
{
    subscriber *s = of_session(h, who->session);
    if (s || !who->session) return s;
    if (!(s = subscriber_make(who->who, who->session, NULL))) {
        (void)op_fail(err, EVDB_NO_MEMORY, "out of memory subscribing");
        return NULL;
    }
    s->next = h->first;
    return h->first = s;
}

evdb_status hub_subscribe(mcp_hub *h, const mcp_caller *who, const hub_topic *topic, evdb_error *err)
{
    feed_point *point = NULL;
    evdb_status rc = prepare(h, topic, 1, &point, err);
    pthread_mutex_lock(&h->lock);
    if (rc == EVDB_OK) rc = start(h, err);
    if (rc == EVDB_OK) rc = check_room(h, who->who, 0, 1, err);
    subscriber *s = rc == EVDB_OK ? session_made(h, who, err) : NULL;
    if (rc == EVDB_OK && !s) rc = EVDB_NO_MEMORY;
    if (rc == EVDB_OK) rc = subscriber_add(s, &h->followed, topic->uri, &point, err);
    feeds_discard(&h->followed, point);
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
    return rc;
}

void hub_unsubscribe(mcp_hub *h, uint64_t session, const char *uri)
{
    pthread_mutex_lock(&h->lock);
    subscriber *s = of_session(h, session);
    if (s) subscriber_drop(s, &h->followed, uri);
    pthread_cond_signal(&h->woken); /* to close what nobody follows any more */
    pthread_mutex_unlock(&h->lock);
}

evdb_status mcp_hub_attach(mcp_hub *h, const mcp_caller *who, evdb_error *err)
{
    mcp_channel channel;
    pthread_mutex_lock(&h->lock);
    subscriber *s = of_session(h, who->session);
    bool replaces = s && s->open && !subscriber_left(s); /* who has left does not count */
    evdb_status rc = h->stopping ? op_fail(err, EVDB_BUSY, "the server stops") : check_room(h, who->who, !replaces, 0, err);
    if (rc == EVDB_OK && !(s = session_made(h, who, err))) rc = EVDB_NO_MEMORY;
    if (rc == EVDB_OK) rc = keep(who, &channel, err);
    if (rc == EVDB_OK) {
        subscriber_open(s, &channel, now_ms());
        s->who = *who->who;
    }
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
    return rc;
}

void mcp_hub_begin(mcp_hub *h, uint64_t session)
{
    evdb_error err;
    pthread_mutex_lock(&h->lock);
    if (session && of_session(h, session) && start(h, &err) == EVDB_OK) {
        roster_begin(&h->stores, &h->lock);
        subscriber *s = of_session(h, session); /* it may have ended meanwhile */
        if (s) s->lists = MCP_TOOLS_CHANGED | MCP_PROMPTS_CHANGED | MCP_RESOURCES_CHANGED;
    }
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
}

void mcp_hub_forget(mcp_hub *h, uint64_t session)
{
    pthread_mutex_lock(&h->lock);
    subscriber *s = of_session(h, session);
    if (s) remove_one(h, s);
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
}
