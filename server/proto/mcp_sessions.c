/* mcp_sessions.c - implements proto/mcp_sessions.h. */
#include "proto/mcp_sessions.h"
#include "mcp/hub.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_BYTES = 32 };

typedef struct session {
    uint64_t number, used; /* number 0 = a free place; used: at which of all uses */
    char id[MCP_SESSION_BYTES];
    char client[EVDB_CLIENT_ID_MAX + 1], subject[EVDB_CLIENT_ID_MAX + 1];
} session;

struct mcp_sessions {
    mcp_hub *hub;
    pthread_mutex_t lock; /* of what is below */
    uint64_t numbers, uses;
    session at[MCP_SESSIONS_MAX];
    char ended[MCP_ENDED_MAX][MCP_SESSION_BYTES]; /* a ring: ids of those that their clients have ended, ... */
    uint64_t ends;                                /* ... so many ever */
};

mcp_sessions *mcp_sessions_open(evdb *db)
{
    mcp_sessions *t = calloc(1, sizeof *t);
    if (t && (t->hub = mcp_hub_open(db))) pthread_mutex_init(&t->lock, NULL);
    else {
        free(t);
        t = NULL;
    }
    return t;
}

void mcp_sessions_stop(mcp_sessions *t)
{
    if (t) mcp_hub_stop(t->hub);
}

void mcp_sessions_close(mcp_sessions *t)
{
    if (!t) return;
    mcp_hub_close(t->hub);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

mcp_hub *mcp_sessions_hub(const mcp_sessions *t) { return t ? t->hub : NULL; }

static bool is_of(const session *s, const evdb_principal *who)
{
    return s->number && strcmp(s->client, who->client) == 0 && strcmp(s->subject, who->subject) == 0;
}

/* A free place, or the one to be given up. */
static session *place_for(mcp_sessions *t, const evdb_principal *who)
{
    session *oldest = &t->at[0], *own = NULL;
    size_t held = 0;
    for (size_t i = 0; i < MCP_SESSIONS_MAX; i++) {
        session *s = &t->at[i];
        if (!s->number) return s;
        if (s->used < oldest->used) oldest = s;
        if (!is_of(s, who)) continue;
        held++;
        if (!own || s->used < own->used) own = s;
    }
    return held >= MCP_SESSIONS_SHARE ? own : oldest;
}

void mcp_session_begin(mcp_sessions *t, const evdb_principal *who, char id[MCP_SESSION_BYTES])
{
    unsigned char bytes[RANDOM_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(id, MCP_SESSION_BYTES, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    pthread_mutex_lock(&t->lock);
    session *s = place_for(t, who);
    uint64_t gone = s->number;
    *s = (session){ .number = ++t->numbers, .used = ++t->uses };
    memcpy(s->id, id, sizeof s->id);
    memcpy(s->client, who->client, sizeof s->client);
    memcpy(s->subject, who->subject, sizeof s->subject);
    pthread_mutex_unlock(&t->lock);
    if (gone) mcp_hub_forget(t->hub, gone);
}

uint64_t mcp_session_find(mcp_sessions *t, const char *id, const evdb_principal *who)
{
    uint64_t number = 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; !number && i < MCP_SESSIONS_MAX; i++)
        if (is_of(&t->at[i], who) && strcmp(t->at[i].id, id) == 0) {
            number = t->at[i].number;
            t->at[i].used = ++t->uses;
        }
    pthread_mutex_unlock(&t->lock);
    return number;
}

void mcp_session_settle(mcp_sessions *t, uint64_t number)
{
    bool alive = false;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; !alive && i < MCP_SESSIONS_MAX; i++) alive = t->at[i].number == number;
    pthread_mutex_unlock(&t->lock);
    if (!alive) mcp_hub_forget(t->hub, number);
}

void mcp_session_end(mcp_sessions *t, uint64_t number)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < MCP_SESSIONS_MAX; i++)
        if (t->at[i].number == number) {
            t->at[i].number = 0;
            memcpy(t->ended[t->ends++ % MCP_ENDED_MAX], t->at[i].id, MCP_SESSION_BYTES);
        }
    pthread_mutex_unlock(&t->lock);
    mcp_hub_forget(t->hub, number);
}

bool mcp_session_ended(mcp_sessions *t, const char *id)
{
    bool ended = false;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; !ended && i < MCP_ENDED_MAX && i < t->ends; i++) ended = strcmp(t->ended[i], id) == 0;
    pthread_mutex_unlock(&t->lock);
    return ended;
}
