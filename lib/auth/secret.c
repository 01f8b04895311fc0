/* secret.c - implements auth/secret.h. */
#include "auth/secret.h"
#include "base/error.h"
#include "base/mem.h"
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum { SALT_BYTES = crypto_pwhash_SALTBYTES, CHOSEN_BYTES = SECRET_HASH_BYTES - SALT_BYTES, MAC_BYTES = 32, PURPOSES = 5 };

/* Hashes are kept without them, so they never change: other costs are another secret_kind. They are libsodium's "interactive". */
enum { ARGON2_PASSES = 2, ARGON2_BYTES = 64 << 20 };

typedef struct key_set {
    unsigned char purpose[PURPOSES][MAC_BYTES];
    unsigned char memory[MAC_BYTES]; /* of what is remembered; new at each start */
} key_set;

struct secrets {
    const platform *platform;
    key_set *keys; /* sodium_malloc: locked, guarded, never dumped */
    atomic_bool ready;
    pthread_mutex_t lock;
    pthread_cond_t free_place;
    int computing, waiting;
    unsigned char remembered[SECRET_REMEMBERED][MAC_BYTES];
    unsigned next;
};

evdb_status secrets_create(const platform *p, secrets **out, evdb_error *err)
{
    secrets *s = mem_zero(&p->mem, sizeof(*s));
    key_set *keys = s ? sodium_malloc(sizeof(*keys)) : NULL;
    if (!keys) {
        mem_free(&p->mem, s);
        return error_no_memory(err, sizeof(*s) + sizeof(*keys), "keys");
    }
    s->platform = p;
    s->keys = keys;
    p->random(p->random_context, keys->memory, sizeof(keys->memory));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->free_place, NULL);
    *out = s;
    return EVDB_OK;
}

void secrets_free(secrets *s)
{
    if (!s) return;
    sodium_free(s->keys);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->free_place);
    mem_free(&s->platform->mem, s);
}

bool secrets_ready(const secrets *s) { return atomic_load(&s->ready); }

void secrets_set_key(secrets *s, const unsigned char key[SECRET_KEY_BYTES])
{
    pthread_mutex_lock(&s->lock); /* two threads may come at once, with the same key */
    for (uint64_t i = 0; i < PURPOSES && !s->ready; i++)
        crypto_kdf_derive_from_key(s->keys->purpose[i], MAC_BYTES, i + 1, "evdbauth", key);
    atomic_store(&s->ready, true);
    pthread_mutex_unlock(&s->lock);
}

void secret_mac(const secrets *s, secret_purpose purpose, const void *bytes, size_t size, unsigned char out[32])
{
    crypto_generichash(out, MAC_BYTES, bytes, size, s->keys->purpose[purpose - 1], MAC_BYTES);
}

/* ---- secrets chosen by people ---- */

/* Waits for a place; false when as many as `most` wait already. Under the lock. */
static bool wait_for_place(secrets *s, int most)
{
    if (s->computing < SECRET_AT_ONCE) return true;
    if (s->waiting >= most) return false;
    s->waiting++;
    while (s->computing == SECRET_AT_ONCE) pthread_cond_wait(&s->free_place, &s->lock);
    s->waiting--;
    return true;
}

static evdb_status argon2(secrets *s, const char *secret, const unsigned char *salt, int waiting_most, unsigned char *out, evdb_error *err)
{
    pthread_mutex_lock(&s->lock);
    bool has_place = wait_for_place(s, waiting_most);
    s->computing += has_place;
    pthread_mutex_unlock(&s->lock);
    if (!has_place) {
        error_set(err, EVDB_BUSY, "too many secrets that people chose are being looked at");
        if (err) err->retry_s = 1;
        return EVDB_BUSY;
    }
    int failed = crypto_pwhash(out, CHOSEN_BYTES, secret, strlen(secret), salt, ARGON2_PASSES, ARGON2_BYTES,
                               crypto_pwhash_ALG_ARGON2ID13);
    pthread_mutex_lock(&s->lock);
    s->computing--;
    pthread_cond_signal(&s->free_place);
    pthread_mutex_unlock(&s->lock);
    return failed ? error_no_memory(err, ARGON2_BYTES, "hashing a secret") : EVDB_OK;
}

/* What is remembered of a good answer: the secret under the hash that it belongs to. */
static void memory_of(const secrets *s, const char *secret, const unsigned char *hash, unsigned char out[MAC_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, s->keys->memory, MAC_BYTES, MAC_BYTES);
    crypto_generichash_update(&state, hash, SECRET_HASH_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)secret, strlen(secret));
    crypto_generichash_final(&state, out, MAC_BYTES);
    sodium_memzero(&state, sizeof(state));
}

/* Under the lock. */
static bool is_known(const secrets *s, const unsigned char memory[MAC_BYTES])
{
    bool found = false;
    for (int i = 0; i < SECRET_REMEMBERED; i++) found |= sodium_memcmp(s->remembered[i], memory, MAC_BYTES) == 0;
    return found;
}

static bool remembers(secrets *s, const unsigned char memory[MAC_BYTES])
{
    pthread_mutex_lock(&s->lock);
    bool found = is_known(s, memory);
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void remember(secrets *s, const unsigned char memory[MAC_BYTES])
{
    pthread_mutex_lock(&s->lock);
    if (!is_known(s, memory)) { /* threads that computed the same at once take one place */
        memcpy(s->remembered[s->next], memory, MAC_BYTES);
        s->next = (s->next + 1) % SECRET_REMEMBERED;
    }
    pthread_mutex_unlock(&s->lock);
}

static evdb_status chosen_matches(secrets *s, const char *secret, const unsigned char *hash, bool *out, evdb_error *err)
{
    unsigned char memory[MAC_BYTES], computed[CHOSEN_BYTES];
    memory_of(s, secret, hash, memory);
    *out = remembers(s, memory);
    if (*out) return EVDB_OK;
    evdb_status rc = argon2(s, secret, hash, SECRET_WAITING, computed, err);
    if (rc != EVDB_OK) return rc;
    *out = sodium_memcmp(computed, hash + SALT_BYTES, CHOSEN_BYTES) == 0;
    if (*out) remember(s, memory);
    sodium_memzero(computed, sizeof(computed));
    return EVDB_OK;
}

/* ---- both kinds ---- */

evdb_status secret_hash(secrets *s, secret_kind kind, const char *secret, unsigned char out[SECRET_HASH_BYTES], evdb_error *err)
{
    memset(out, 0, SECRET_HASH_BYTES);
    if (kind == SECRET_GENERATED) {
        secret_mac(s, SECRET_FOR_CLIENTS, secret, strlen(secret), out);
        return EVDB_OK;
    }
    s->platform->random(s->platform->random_context, out, SALT_BYTES);
    return argon2(s, secret, out, INT_MAX, out + SALT_BYTES, err); /* who registers somebody is known, and waits */
}

evdb_status secret_matches(secrets *s, secret_kind kind, const char *secret, const unsigned char hash[SECRET_HASH_BYTES],
                           bool *out, evdb_error *err)
{
    unsigned char mac[MAC_BYTES];
    *out = false;
    if (kind == SECRET_CHOSEN) return chosen_matches(s, secret, hash, out, err);
    secret_mac(s, SECRET_FOR_CLIENTS, secret, strlen(secret), mac);
    *out = sodium_memcmp(mac, hash, MAC_BYTES) == 0;
    return EVDB_OK;
}
