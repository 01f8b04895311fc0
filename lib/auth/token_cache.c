/* token_cache.c - implements auth/token_cache.h. */
#include "auth/token_cache.h"
#include "base/error.h"
#include "base/mem.h"
#include <pthread.h>
#include <sodium.h>
#include <string.h>

typedef struct entry {
    unsigned char hash[TOKEN_HASH_BYTES];
    uint64_t used; /* when, in uses; 0 = never: it is empty */
    uint64_t seen;
    jwt_claims claims;
} entry;

struct token_cache {
    const platform *platform;
    unsigned char *key; /* sodium_malloc */
    pthread_mutex_t lock;
    uint64_t uses;
    entry *entries; /* TOKEN_CACHE_SETS * TOKEN_CACHE_WAYS; NULL until the first is kept, for most databases have none */
};

evdb_status token_cache_create(const platform *p, token_cache **out, evdb_error *err)
{
    token_cache *c = mem_zero(&p->mem, sizeof(*c));
    unsigned char *key = c ? sodium_malloc(TOKEN_HASH_BYTES) : NULL;
    if (!key) {
        mem_free(&p->mem, c);
        return error_no_memory(err, sizeof(*c) + TOKEN_HASH_BYTES, "a cache of tokens");
    }
    p->random(p->random_context, key, TOKEN_HASH_BYTES);
    c->platform = p;
    c->key = key;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return EVDB_OK;
}

void token_cache_free(token_cache *c)
{
    if (!c) return;
    mem_free(&c->platform->mem, c->entries);
    sodium_free(c->key);
    pthread_mutex_destroy(&c->lock);
    mem_free(&c->platform->mem, c);
}

void token_cache_hash(const token_cache *c, const char *token, size_t length, unsigned char out[TOKEN_HASH_BYTES])
{
    crypto_generichash(out, TOKEN_HASH_BYTES, (const unsigned char *)token, length, c->key, TOKEN_HASH_BYTES);
}

static entry *set_of(token_cache *c, const unsigned char *hash)
{
    uint32_t word;
    memcpy(&word, hash, sizeof(word));
    return c->entries + (size_t)(word % TOKEN_CACHE_SETS) * TOKEN_CACHE_WAYS;
}

/* Under the lock. */
static entry *find(token_cache *c, const unsigned char *hash)
{
    entry *set = c->entries ? set_of(c, hash) : NULL;
    for (int i = 0; set && i < TOKEN_CACHE_WAYS; i++)
        if (set[i].used && sodium_memcmp(set[i].hash, hash, TOKEN_HASH_BYTES) == 0) return &set[i];
    return NULL;
}

bool token_cache_find(token_cache *c, const unsigned char hash[TOKEN_HASH_BYTES], jwt_claims *out, uint64_t *seen)
{
    pthread_mutex_lock(&c->lock);
    entry *e = find(c, hash);
    if (e) {
        e->used = ++c->uses;
        *out = e->claims;
        *seen = e->seen;
    }
    pthread_mutex_unlock(&c->lock);
    return e != NULL;
}

static entry *oldest(entry *set)
{
    entry *old = set;
    for (int i = 1; i < TOKEN_CACHE_WAYS; i++)
        if (set[i].used < old->used) old = &set[i];
    return old;
}

void token_cache_keep(token_cache *c, const unsigned char hash[TOKEN_HASH_BYTES], const jwt_claims *claims, uint64_t seen)
{
    const size_t bytes = (size_t)TOKEN_CACHE_SETS * TOKEN_CACHE_WAYS * sizeof(entry);
    pthread_mutex_lock(&c->lock);
    if (!c->entries) c->entries = mem_zero(&c->platform->mem, bytes);
    entry *e = c->entries ? find(c, hash) : NULL;
    if (!e && c->entries) e = oldest(set_of(c, hash));
    if (e) {
        memcpy(e->hash, hash, TOKEN_HASH_BYTES);
        e->used = ++c->uses;
        e->seen = seen;
        e->claims = *claims;
    }
    pthread_mutex_unlock(&c->lock);
}
