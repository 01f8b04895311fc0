/* subscriber.h - one subscription: what it is of, what there is to tell, and where that goes. Whoever calls holds the hub's lock. */
#ifndef MCP_SUBSCRIBER_H
#define MCP_SUBSCRIBER_H
#include "mcp/feed.h"
#include "mcp/hub.h"

typedef struct want {
    char *uri;
    feed_point *point; /* NULL = an offer announces it */
    bool pending;      /* to be told */
} want;

typedef struct subscriber {
    struct subscriber *next;
    uint64_t session;
    json_t *id;              /* of the request that opened it; NULL = a legacy session's */
    evdb_principal who;
    unsigned lists, pending; /* bits of hub.h: asked for, to be told */
    want *wants;
    size_t count, capacity;
    mcp_channel channel;
    bool open;               /* there is a channel; a legacy session may be without */
    int64_t renewed_ms, told_ms;
} subscriber;

subscriber *subscriber_make(const evdb_principal *who, uint64_t session, const json_t *id); /* NULL without memory */
/* Is it the one that this request of this session (0 = none) opened? */
bool subscriber_is(const subscriber *s, uint64_t session, const json_t *id);
/* *point: prepared, or NULL for what an offer announces; NULL when it is held from then on. */
evdb_status subscriber_add(subscriber *s, feeds *f, const char *uri, feed_point **point, evdb_error *err);
void subscriber_drop(subscriber *s, feeds *f, const char *uri);
/* Is there somebody to be told, or to be noticed when he leaves? */
bool subscriber_listens(const subscriber *s);
/* Has who listened left? He is noticed at the next look, and counts no more until then. */
bool subscriber_left(const subscriber *s);
/* Notes what the feeds have seen; whether a store of that name, which has come or gone, is any of its business. */
void subscriber_note(subscriber *s);
void subscriber_note_store(subscriber *s, const char *name);

typedef enum subscriber_state { SUBSCRIBER_STAYS, SUBSCRIBER_LEFT, SUBSCRIBER_OVER /* the server's side ends it */ } subscriber_state;
/* Tells what there is to be told, if who listens still may hear it; now_ms: of a monotonic clock. */
subscriber_state subscriber_tell(subscriber *s, int64_t now_ms);

void subscriber_open(subscriber *s, const mcp_channel *channel, int64_t now_ms);
void subscriber_shut(subscriber *s, bool with_result); /* the channel */
void subscriber_free(subscriber *s, feeds *f);

#endif
