/* subscriber.c - implements mcp/subscriber.h. */
#include "mcp/subscriber.h"
#include "mcp/notice.h"
#include <stdlib.h>
#include <string.h>

static const struct { unsigned bit; const char *name; } lists[] = {
    { MCP_TOOLS_CHANGED, "tools" }, { MCP_PROMPTS_CHANGED, "prompts" }, { MCP_RESOURCES_CHANGED, "resources" },
};

subscriber *subscriber_make(const evdb_principal *who, uint64_t session, const json_t *id)
{
    subscriber *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->who = *who;
    s->session = session;
    if (!id || (s->id = json_deep_copy(id))) return s;
    free(s);
    return NULL;
}

bool subscriber_is(const subscriber *s, uint64_t session, const json_t *id)
{
    return session && s->session == session && s->id && json_equal(s->id, id);
}

static want *find(subscriber *s, const char *uri)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->wants[i].uri, uri) == 0) return &s->wants[i];
    return NULL;
}

static bool make_room(subscriber *s)
{
    if (s->count < s->capacity) return true;
    size_t capacity = s->capacity ? s->capacity * 2 : 4;
    want *wants = realloc(s->wants, capacity * sizeof *wants);
    if (!wants) return false;
    s->wants = wants;
    s->capacity = capacity;
    return true;
}

evdb_status subscriber_add(subscriber *s, feeds *f, const char *uri, feed_point **point, evdb_error *err)
{
    want w = { .point = *point };
    if (find(s, uri)) return EVDB_OK;
    if (s->count == MCP_URIS_MAX) return op_fail(err, EVDB_LIMIT, "a subscription may be of %d URIs", MCP_URIS_MAX);
    if (!make_room(s) || !(w.uri = strdup(uri))) return op_fail(err, EVDB_NO_MEMORY, "out of memory subscribing");
    evdb_status rc = w.point ? feeds_hold(f, &w.point, err) : EVDB_OK;
    if (rc == EVDB_OK) {
        s->wants[s->count++] = w;
        *point = NULL;
    } else free(w.uri);
    return rc;
}

void subscriber_drop(subscriber *s, feeds *f, const char *uri)
{
    want *w = find(s, uri);
    if (!w) return;
    feeds_release(f, w->point);
    free(w->uri);
    *w = s->wants[--s->count];
}

bool subscriber_listens(const subscriber *s) { return s->open && (s->id || s->lists || s->count); }

bool subscriber_left(const subscriber *s) { return s->open && s->channel.cancelled && s->channel.cancelled(s->channel.context); }

void subscriber_note(subscriber *s)
{
    for (size_t i = 0; i < s->count; i++) s->wants[i].pending |= s->wants[i].point && s->wants[i].point->changed;
}

void subscriber_note_store(subscriber *s, const char *name)
{
    op_call call = { .who = &s->who };
    if (s->lists & MCP_RESOURCES_CHANGED && op_may_see(&call, name)) s->pending |= MCP_RESOURCES_CHANGED;
}

/* ---- telling ---- */

static bool has_news(const subscriber *s)
{
    size_t i = 0;
    while (i < s->count && !s->wants[i].pending) i++;
    return i < s->count || s->pending;
}

/* What somebody may not read any more is none of his business. */
static bool may_hear(const subscriber *s, const want *w)
{
    evdb_error err;
    return !w->point || op_allow(w->point->op, &s->who, w->point->args, &err) == EVDB_OK;
}

static bool send_news(subscriber *s)
{
    bool sent = true;
    for (size_t i = 0; sent && i < sizeof lists / sizeof *lists; i++)
        if (s->pending & lists[i].bit) sent = notice_list_changed(&s->channel, s->id, lists[i].name);
    s->pending = 0;
    for (size_t i = 0; sent && i < s->count; i++) {
        want *w = &s->wants[i];
        if (w->pending && may_hear(s, w)) sent = notice_updated(&s->channel, s->id, w->uri);
        w->pending = false;
    }
    return sent;
}

/* EVDB_OK: he may still be told; EVDB_DENIED: never again; else not now. */
static evdb_status renew(subscriber *s, int64_t now_ms)
{
    evdb_error err;
    evdb_status rc = s->channel.renew ? s->channel.renew(s->channel.context, &s->who, &err) : EVDB_OK;
    s->renewed_ms = now_ms;
    return rc;
}

subscriber_state subscriber_tell(subscriber *s, int64_t now_ms)
{
    const mcp_channel *c = &s->channel;
    if (!s->open) return SUBSCRIBER_STAYS;
    if (subscriber_left(s)) return SUBSCRIBER_LEFT;
    bool news = has_news(s);
    if (news || now_ms - s->renewed_ms >= MCP_RENEW_MS) {
        evdb_status rc = renew(s, now_ms);
        if (rc != EVDB_OK) return rc == EVDB_DENIED ? SUBSCRIBER_OVER : SUBSCRIBER_STAYS;
    }
    if (news) {
        s->told_ms = now_ms;
        return send_news(s) ? SUBSCRIBER_STAYS : SUBSCRIBER_LEFT;
    }
    if (!c->idle || now_ms - s->told_ms < MCP_IDLE_MS) return SUBSCRIBER_STAYS;
    s->told_ms = now_ms;
    return c->idle(c->context) ? SUBSCRIBER_STAYS : SUBSCRIBER_LEFT;
}

void subscriber_open(subscriber *s, const mcp_channel *channel, int64_t now_ms)
{
    subscriber_shut(s, false);
    s->channel = *channel;
    s->open = true;
    s->renewed_ms = s->told_ms = now_ms;
}

void subscriber_shut(subscriber *s, bool with_result)
{
    if (!s->open) return;
    s->open = false;
    if (with_result && s->id) (void)notice_end(&s->channel, s->id);
    if (s->channel.close) s->channel.close(s->channel.context);
}

void subscriber_free(subscriber *s, feeds *f)
{
    subscriber_shut(s, false);
    for (size_t i = 0; i < s->count; i++) {
        feeds_release(f, s->wants[i].point);
        free(s->wants[i].uri);
    }
    free(s->wants);
    json_decref(s->id);
    free(s);
}
