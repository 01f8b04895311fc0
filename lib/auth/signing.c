/* signing.c - implements auth/signing.h. */
#include "auth/signing.h"
#include "base/error.h"
#include "base/mem.h"
#include <pthread.h>
#include <sodium.h>
#include <string.h>

typedef unsigned char secret_key[JWS_SECRET_BYTES];

struct signing_keys {
    const platform *platform;
    pthread_rwlock_t lock;
    uint64_t seen;
    size_t count, before; /* those of the last reading are in front while the next one is under way */
    signing_key keys[2 * SIGNING_KEYS_MAX];
    secret_key *secrets; /* sodium_malloc: locked, guarded, never dumped */
};

evdb_status signing_create(const platform *p, signing_keys **out, evdb_error *err)
{
    signing_keys *k = mem_zero(&p->mem, sizeof(*k));
    secret_key *secrets = k ? sodium_allocarray(2 * SIGNING_KEYS_MAX, sizeof(*secrets)) : NULL;
    if (!secrets) {
        mem_free(&p->mem, k);
        return error_no_memory(err, sizeof(*k) + 2 * SIGNING_KEYS_MAX * sizeof(*secrets), "signing keys");
    }
    k->platform = p;
    k->secrets = secrets;
    pthread_rwlock_init(&k->lock, NULL);
    *out = k;
    return EVDB_OK;
}

void signing_free(signing_keys *k)
{
    if (!k) return;
    sodium_free(k->secrets);
    pthread_rwlock_destroy(&k->lock);
    mem_free(&k->platform->mem, k);
}

uint64_t signing_seen(signing_keys *k)
{
    pthread_rwlock_rdlock(&k->lock);
    uint64_t seen = k->seen;
    pthread_rwlock_unlock(&k->lock);
    return seen;
}

/* ---- reading ---- */

void signing_reading(signing_keys *k)
{
    pthread_rwlock_wrlock(&k->lock);
    k->before = k->count;
    k->seen = 0;
}

static const signing_key *find(const signing_keys *k, size_t from, size_t to, const char *kid)
{
    for (size_t i = from; i < to; i++)
        if (strcmp(k->keys[i].kid, kid) == 0) return &k->keys[i];
    return NULL;
}

evdb_status signing_take(signing_keys *k, const signing_key *key, const unsigned char seed[JWS_SEED_BYTES], evdb_error *err)
{
    char kid[JWS_KID_BYTES];
    if (k->count - k->before == SIGNING_KEYS_MAX)
        return error_set(err, EVDB_CORRUPT, "system.db: there are more than %d signing keys", SIGNING_KEYS_MAX);
    signing_key *at = &k->keys[k->count];
    const signing_key *known = find(k, 0, k->before, key->kid);
    *at = *key;
    if (known) { /* computing a key pair takes longer than all the rest */
        memcpy(at->public_key, known->public_key, sizeof(at->public_key));
        memcpy(k->secrets[k->count], k->secrets[known - k->keys], sizeof(*k->secrets));
    } else jws_key(seed, at->public_key, k->secrets[k->count]);
    k->count++;
    jws_kid(at->public_key, kid);
    if (!known && strcmp(kid, key->kid) != 0)
        return error_set(err, EVDB_CORRUPT, "system.db: the signing key '%s' is not of its seed", key->kid);
    return EVDB_OK;
}

void signing_read(signing_keys *k, bool whole, uint64_t seen)
{
    size_t count = whole ? k->count - k->before : 0;
    memmove(k->keys, k->keys + k->before, count * sizeof(*k->keys));
    memmove(k->secrets, k->secrets + k->before, count * sizeof(*k->secrets));
    sodium_memzero(k->secrets + count, (2 * SIGNING_KEYS_MAX - count) * sizeof(*k->secrets));
    k->count = count;
    k->before = 0;
    k->seen = whole ? seen : 0;
    pthread_rwlock_unlock(&k->lock);
}

/* ---- using ---- */

/* Under the lock. */
static const signing_key *active(const signing_keys *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->keys[i].state == SIGNING_ACTIVE) return &k->keys[i];
    return NULL;
}

bool signing_active(signing_keys *k, signing_key *out)
{
    pthread_rwlock_rdlock(&k->lock);
    const signing_key *key = active(k);
    if (key) *out = *key;
    pthread_rwlock_unlock(&k->lock);
    return key != NULL;
}

evdb_status signing_sign(signing_keys *k, const char *kid, const jwt_claims *claims, char out[JWT_BYTES], evdb_error *err)
{
    pthread_rwlock_rdlock(&k->lock);
    const signing_key *key = active(k);
    evdb_status rc = EVDB_NOT_FOUND;
    if (key && strcmp(key->kid, kid) == 0) rc = jwt_write(kid, k->secrets[key - k->keys], claims, out, err);
    pthread_rwlock_unlock(&k->lock);
    return rc;
}

int64_t signing_end(const signing_key *key)
{
    int64_t longest = key->lifetime_ms + SIGNING_SLACK_MS; /* of at most ten years */
    return key->changed_ms > INT64_MAX - longest ? INT64_MAX : key->changed_ms + longest;
}

static bool lives(const signing_key *key, int64_t now_ms) { return key->state != SIGNING_RETIRING || now_ms < signing_end(key); }

bool signing_public(signing_keys *k, const char *kid, int64_t now_ms, unsigned char public_key[JWS_PUBLIC_BYTES])
{
    pthread_rwlock_rdlock(&k->lock);
    const signing_key *key = find(k, 0, k->count, kid);
    bool good = key && key->state != SIGNING_NEXT && lives(key, now_ms);
    if (good) memcpy(public_key, key->public_key, JWS_PUBLIC_BYTES);
    pthread_rwlock_unlock(&k->lock);
    return good;
}

size_t signing_list(signing_keys *k, int64_t now_ms, signing_key out[SIGNING_KEYS_MAX])
{
    static const signing_state order[] = { SIGNING_ACTIVE, SIGNING_NEXT, SIGNING_RETIRING };
    size_t count = 0;
    pthread_rwlock_rdlock(&k->lock);
    for (size_t s = 0; s < sizeof(order) / sizeof(*order); s++)
        for (size_t i = 0; i < k->count; i++)
            if (k->keys[i].state == order[s] && lives(&k->keys[i], now_ms)) out[count++] = k->keys[i];
    pthread_rwlock_unlock(&k->lock);
    return count;
}
