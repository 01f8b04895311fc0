/* hub.h - who wants to be told of changes, and the thread that tells them.
 *
 * Other processes write to the same database, so the thread looks a few times a second: only while somebody listens, and in no more
 * than a fiftieth of a processor's time. Whoever hears of one thing hears of it once a look, however often it has changed.
 *
 * A subscription has a channel that stays open, or waits for one: a legacy client subscribes in requests and listens elsewhere.
 * All functions are thread-safe. */
#ifndef MCP_HUB_H
#define MCP_HUB_H
#include "mcp/mcp.h"

enum {
    MCP_SUBSCRIPTIONS_MAX = 128, /* open ones of a client */
    MCP_URIS_MAX = 100,          /* of a subscription ... */
    MCP_CLIENT_URIS_MAX = 2000,  /* ... and of all of a client, since looking takes its time for each store */
    MCP_LOOK_MS = 200,           /* from one look to the next, or longer when looking takes long */
    MCP_IDLE_MS = 15000,         /* from one sign of life to the next */
    MCP_RENEW_MS = 5000          /* until it is asked again whether who listens still may; also asked when something is sent */
};

/* What may change beside single resources, as bits. */
enum { MCP_TOOLS_CHANGED = 1, MCP_PROMPTS_CHANGED = 2, MCP_RESOURCES_CHANGED = 4 };

mcp_hub *mcp_hub_open(evdb *db); /* NULL without memory */
/* Ends all subscriptions with their results; there can be no others then. */
void mcp_hub_stop(mcp_hub *h);
void mcp_hub_close(mcp_hub *h); /* NULL is fine */

/* For what an offer adds: lists that have changed, a resource of its own that has. Said by the hub itself for what is evdb's. */
void mcp_hub_announce(mcp_hub *h, unsigned lists);
void mcp_hub_announce_resource(mcp_hub *h, const char *uri);

/* What one URI leads to; op NULL = to something of an offer's own. */
typedef struct hub_topic {
    const char *uri;
    const op *op;
    const json_t *args;
} hub_topic;

typedef struct hub_filter {
    unsigned lists;
    const hub_topic *topics;
    size_t count;
} hub_filter;

/* Modern: keeps the channel of `who`, acknowledges, and tells from then on. EVDB_LIMIT, EVDB_BUSY when the server stops, or what the
 * channel says. */
evdb_status hub_listen(mcp_hub *h, const mcp_caller *who, const json_t *id, const hub_filter *filter, evdb_error *err);
/* Ends it without a result, when its client took the request back. */
void hub_cancel(mcp_hub *h, uint64_t session, const json_t *id);

/* Legacy: one subscription a session, which grows. */
evdb_status hub_subscribe(mcp_hub *h, const mcp_caller *who, const hub_topic *topic, evdb_error *err);
void hub_unsubscribe(mcp_hub *h, uint64_t session, const char *uri);
/* Its notifications go to the channel of `who` from now on, and no longer to where they went before. Those are of what was subscribed and, once
 * it has begun, of lists. */
evdb_status mcp_hub_attach(mcp_hub *h, const mcp_caller *who, evdb_error *err);
void mcp_hub_begin(mcp_hub *h, uint64_t session);
void mcp_hub_forget(mcp_hub *h, uint64_t session); /* the session ends */

#endif
