/* replay.c - implements token/replay.h. Ids are kept as hashes under a key of this process, so that none can be made to meet another's. */
#include "token/replay.h"
#include "op/op.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { HASH = crypto_shorthash_siphashx24_BYTES, FIRST_ROOM = 16, SWEEP_MS = 60000 };

typedef struct used {
    unsigned char id[HASH];
    int64_t expires_ms;
} used;

typedef struct owner {
    unsigned char client[HASH];
    used *at;
    uint32_t count, room;
} owner;

struct replay {
    pthread_mutex_t lock;
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
    owner *owners;
    size_t count, room;
    int64_t began_ms, swept_ms;
};

evdb_status replay_open(int64_t now_ms, replay **out, evdb_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the tokens that were used");
    pthread_mutex_init(&(*out)->lock, NULL);
    (*out)->began_ms = now_ms;
    randombytes_buf((*out)->key, sizeof (*out)->key);
    return EVDB_OK;
}

int64_t replay_began(const replay *r) { return r->began_ms; }

void replay_close(replay *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->count; i++) free(r->owners[i].at);
    free(r->owners);
    pthread_mutex_destroy(&r->lock);
    sodium_memzero(r->key, sizeof r->key);
    free(r);
}

static void hash(const replay *r, const char *text, unsigned char out[HASH])
{
    crypto_shorthash_siphashx24(out, (const unsigned char *)text, strlen(text), r->key);
}

static void forget_expired(owner *o, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < o->count; i++)
        if (o->at[i].expires_ms > now_ms) o->at[kept++] = o->at[i];
    o->count = kept;
}

/* Now and then: those of clients that come no more. */
static void sweep(replay *r, int64_t now_ms)
{
    size_t kept = 0;
    if (now_ms - r->swept_ms < SWEEP_MS && now_ms >= r->swept_ms) return;
    r->swept_ms = now_ms;
    for (size_t i = 0; i < r->count; i++) {
        forget_expired(&r->owners[i], now_ms);
        if (r->owners[i].count) r->owners[kept++] = r->owners[i];
        else free(r->owners[i].at);
    }
    r->count = kept;
}

/* NULL when memory ran out. */
static owner *owner_of(replay *r, const char *client)
{
    unsigned char name[HASH];
    hash(r, client, name);
    for (size_t i = 0; i < r->count; i++)
        if (memcmp(r->owners[i].client, name, HASH) == 0) return &r->owners[i];
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : FIRST_ROOM;
        owner *more = reallocarray(r->owners, room, sizeof *more);
        if (!more) return NULL;
        r->owners = more;
        r->room = room;
    }
    owner *o = &r->owners[r->count++];
    *o = (owner){ .count = 0 };
    memcpy(o->client, name, HASH);
    return o;
}

static evdb_status note(replay *r, owner *o, const char *id, int64_t expires_ms, int64_t now_ms, evdb_error *err)
{
    used one = { .expires_ms = expires_ms };
    hash(r, id, one.id);
    forget_expired(o, now_ms);
    for (uint32_t i = 0; i < o->count; i++)
        if (memcmp(o->at[i].id, one.id, HASH) == 0) return op_fail(err, EVDB_DENIED, "the token was used before: its jti is good for one request");
    if (o->count == REPLAY_MAX)
        return op_fail(err, EVDB_THROTTLED, "%d tokens of this client have not expired yet: let them live for a shorter time", REPLAY_MAX);
    if (o->count == o->room) {
        uint32_t room = o->room ? 2 * o->room : FIRST_ROOM;
        used *more = reallocarray(o->at, room, sizeof *more);
        if (!more) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the tokens that were used");
        o->at = more;
        o->room = room;
    }
    o->at[o->count++] = one;
    return EVDB_OK;
}

evdb_status replay_note(replay *r, const char *client, const char *id, int64_t expires_ms, int64_t now_ms, evdb_error *err)
{
    pthread_mutex_lock(&r->lock);
    sweep(r, now_ms);
    owner *o = owner_of(r, client);
    evdb_status rc = o ? note(r, o, id, expires_ms, now_ms, err) : op_fail(err, EVDB_NO_MEMORY, "out of memory for the tokens that were used");
    pthread_mutex_unlock(&r->lock);
    return rc;
}

size_t replay_clients(replay *r)
{
    pthread_mutex_lock(&r->lock);
    size_t count = r->count;
    pthread_mutex_unlock(&r->lock);
    return count;
}
