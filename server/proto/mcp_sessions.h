/* mcp_sessions.h - what evdbd keeps of clients of MCP between their requests: subscriptions, and the sessions of legacy clients, which
 * subscribe in one request and listen in another.
 *
 * Sessions are in memory. Only subscriptions need them: all else is answered without one, or with one that is forgotten, but not with one that
 * its client has ended: the protocol wants that told. */
#ifndef MCP_SESSIONS_H
#define MCP_SESSIONS_H
#include <evdb.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MCP_SESSIONS_MAX = 1024, /* beyond that the one that was unused longest goes: one of the same client's, when that holds many */
    MCP_SESSIONS_SHARE = MCP_SESSIONS_MAX / 4, /* many */
    MCP_ENDED_MAX = 1024,    /* that are known to have ended */
    MCP_SESSION_BYTES = 44   /* room for an id, with NUL */
};

struct mcp_hub;
typedef struct mcp_sessions mcp_sessions;
mcp_sessions *mcp_sessions_open(evdb *db); /* NULL without memory */
void mcp_sessions_stop(mcp_sessions *t);   /* ends what is open; NULL is fine */
void mcp_sessions_close(mcp_sessions *t);  /* NULL is fine */
struct mcp_hub *mcp_sessions_hub(const mcp_sessions *t); /* of NULL: NULL */

/* A session of this principal; the same id leads nobody else there. */
void mcp_session_begin(mcp_sessions *t, const evdb_principal *who, char id[MCP_SESSION_BYTES]);
uint64_t mcp_session_find(mcp_sessions *t, const char *id, const evdb_principal *who); /* 0 = there is none */
/* Behind a request that may have subscribed: the session may have ended meanwhile, and then nobody else ends what it opened. */
void mcp_session_settle(mcp_sessions *t, uint64_t number);
void mcp_session_end(mcp_sessions *t, uint64_t number); /* its client wants it no more */
/* Was that done to it, not long ago? Ids are random: nobody needs to be asked whose it was. */
bool mcp_session_ended(mcp_sessions *t, const char *id);

#endif
