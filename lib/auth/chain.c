/* chain.c - implements auth/chain.h. */
#include "auth/chain.h"
#include "base/error.h"
#include "base/mem.h"
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

struct chain {
    const platform *platform;
    unsigned char *key; /* sodium_malloc: locked, guarded, never dumped */
    atomic_bool ready;
    pthread_mutex_t lock;
};

evdb_status chain_create(const platform *p, chain **out, evdb_error *err)
{
    chain *c = mem_zero(&p->mem, sizeof(*c));
    unsigned char *key = c ? sodium_malloc(CHAIN_KEY_BYTES) : NULL;
    if (!key) {
        mem_free(&p->mem, c);
        return error_no_memory(err, sizeof(*c) + CHAIN_KEY_BYTES, "a key");
    }
    c->platform = p;
    c->key = key;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return EVDB_OK;
}

void chain_free(chain *c)
{
    if (!c) return;
    sodium_free(c->key);
    pthread_mutex_destroy(&c->lock);
    mem_free(&c->platform->mem, c);
}

bool chain_ready(const chain *c) { return atomic_load(&c->ready); }

void chain_set_key(chain *c, const unsigned char key[CHAIN_KEY_BYTES])
{
    pthread_mutex_lock(&c->lock); /* two threads may come at once, with the same key */
    if (!c->ready) memcpy(c->key, key, CHAIN_KEY_BYTES);
    atomic_store(&c->ready, true);
    pthread_mutex_unlock(&c->lock);
}

void chain_mac(const chain *c, const unsigned char before[CHAIN_MAC_BYTES], const void *bytes, size_t size,
               unsigned char out[CHAIN_MAC_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, c->key, CHAIN_KEY_BYTES, CHAIN_MAC_BYTES);
    crypto_generichash_update(&state, before, CHAIN_MAC_BYTES);
    crypto_generichash_update(&state, bytes, size);
    crypto_generichash_final(&state, out, CHAIN_MAC_BYTES);
    sodium_memzero(&state, sizeof(state));
}
