/* keyring.c - implements token/keyring.h: the thread, and when it fetches. */
#include "token/keyring.h"
#include "op/op.h"
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DISCOVERY_MAX = 64 << 10,          /* bytes */
    REFRESH_MS = 300000,               /* from one fetch to the next, when all is well */
    PAUSE_FIRST_MS = 1000,             /* after one, before somebody's wish for another is heard ... */
    PAUSE_MAX_MS = 60000,              /* ... which is doubled up to this, as long as it brings nothing new */
    LIFETIME_MS = 24 * 60 * 60 * 1000  /* of keys that could not be fetched again */
};

/* Checks under way keep the set that they began with. */
typedef struct shared_keys {
    jose_keys *keys;
    atomic_uint users;
} shared_keys;

struct keyring {
    keyring_options o;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopped, wished;          /* wished: for the fetch that comes next */
    shared_keys *now;              /* NULL = none */
    uint64_t generation;
    unsigned char seen[crypto_generichash_BYTES]; /* of the text of these keys */
    int64_t due_ms, ended_ms, pause_ms, good_ms;
    bool failing;
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drop(shared_keys *shared)
{
    if (!shared || atomic_fetch_sub(&shared->users, 1) != 1) return;
    jose_keys_free(shared->keys);
    free(shared);
}

/* ---- a fetch ---- */

static evdb_status fetch_keys(keyring *k, char **text, size_t *size, evdb_error *err)
{
    char url[KEYRING_URL_MAX];
    keyring_discovery_url(k->o.issuer, url);
    evdb_status rc = k->o.get(k->o.context, url, DISCOVERY_MAX, text, size, err);
    if (rc != EVDB_OK) return rc;
    rc = keyring_keys_url(k->o.issuer, *text, *size, url, err);
    free(*text);
    return rc == EVDB_OK ? k->o.get(k->o.context, url, JOSE_KEYS_TEXT_MAX, text, size, err) : rc;
}

/* What the issuer publishes at the moment. */
static evdb_status fetch(keyring *k, shared_keys **out, unsigned char hash[crypto_generichash_BYTES], evdb_error *err)
{
    char *text;
    size_t size;
    jose_keys *keys;
    evdb_status rc = fetch_keys(k, &text, &size, err);
    if (rc != EVDB_OK) return rc;
    crypto_generichash(hash, crypto_generichash_BYTES, (const unsigned char *)text, size, NULL, 0);
    rc = jose_keys_parse(text, size, JOSE_USABLE_KEYS, &keys, err);
    free(text);
    if (rc != EVDB_OK) return rc;
    *out = malloc(sizeof **out);
    if (!*out) {
        jose_keys_free(keys);
        return op_fail(err, EVDB_NO_MEMORY, "out of memory for keys");
    }
    (*out)->keys = keys;
    atomic_init(&(*out)->users, 1);
    return EVDB_OK;
}

/* Under the lock. */
static void put(keyring *k, shared_keys *keys)
{
    drop(k->now);
    k->now = keys;
    k->generation++;
}

static void longer_pause(keyring *k)
{
    k->pause_ms = 2 * k->pause_ms < PAUSE_MAX_MS ? 2 * k->pause_ms : PAUSE_MAX_MS;
}

/* Under the lock: what a fetch brought, and when the next one is due. */
static void settle(keyring *k, shared_keys *keys, const unsigned char *hash, bool wished)
{
    k->ended_ms = clock_ms();
    k->failing = !keys;
    if (!keys) {
        if (k->now && k->ended_ms - k->good_ms > LIFETIME_MS) put(k, NULL);
        longer_pause(k);
        k->due_ms = k->ended_ms + k->pause_ms;
        return;
    }
    bool same = k->now && memcmp(hash, k->seen, sizeof k->seen) == 0;
    if (same) drop(keys);
    else put(k, keys);
    memcpy(k->seen, hash, sizeof k->seen);
    if (same && wished) longer_pause(k);
    else k->pause_ms = PAUSE_FIRST_MS;
    k->good_ms = k->ended_ms;
    k->due_ms = k->ended_ms + REFRESH_MS;
}

/* Without the lock. */
static void tell(const keyring *k, evdb_status rc, bool failing, const evdb_error *err)
{
    if (!k->o.say) return;
    if (rc != EVDB_OK && !failing) k->o.say(true, "the keys of the issuer cannot be fetched; it is tried again", err->message);
    if (rc == EVDB_OK && failing) k->o.say(false, "the keys of the issuer can be fetched again", k->o.issuer);
}

/* Until the next fetch is due; false at the end. Under the lock. */
static bool wait_until_due(keyring *k)
{
    while (!k->stopped && clock_ms() < k->due_ms) {
        const struct timespec until = { .tv_sec = k->due_ms / 1000, .tv_nsec = k->due_ms % 1000 * 1000000 };
        pthread_cond_timedwait(&k->changed, &k->lock, &until);
    }
    return !k->stopped;
}

static void *run(void *context)
{
    keyring *k = context;
    pthread_mutex_lock(&k->lock);
    while (wait_until_due(k)) {
        unsigned char hash[crypto_generichash_BYTES];
        bool wished = k->wished, failing = k->failing;
        shared_keys *keys = NULL;
        evdb_error err;
        k->wished = false;
        pthread_mutex_unlock(&k->lock);
        evdb_status rc = fetch(k, &keys, hash, &err);
        pthread_mutex_lock(&k->lock);
        if (k->stopped) drop(keys);
        else settle(k, keys, hash, wished);
        bool told = !k->stopped;
        pthread_mutex_unlock(&k->lock);
        if (told) tell(k, rc, failing, &err);
        pthread_mutex_lock(&k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* ---- for those who check tokens ---- */

/* Under the lock. */
static void wish(keyring *k)
{
    int64_t soon = k->ended_ms + k->pause_ms;
    k->wished = true;
    if (soon >= k->due_ms) return;
    k->due_ms = soon;
    pthread_cond_signal(&k->changed);
}

evdb_status keyring_verify(keyring *k, const jose_token *token, evdb_error *err)
{
    evdb_error why;
    pthread_mutex_lock(&k->lock);
    shared_keys *keys = k->now;
    if (keys) atomic_fetch_add(&keys->users, 1);
    pthread_mutex_unlock(&k->lock);
    if (!keys) return op_fail(err, EVDB_BUSY, "the keys of '%.200s' are not known at the moment: try again later", k->o.issuer);
    evdb_status rc = jose_verify(token, keys->keys, &why);
    /* A key without a name may have taken the place of another one. */
    bool may_help = rc == EVDB_NOT_FOUND || (rc == EVDB_DENIED && !token->kid);
    pthread_mutex_lock(&k->lock);
    if (may_help) wish(k);
    pthread_mutex_unlock(&k->lock);
    drop(keys);
    return rc == EVDB_OK ? rc : op_fail(err, rc == EVDB_NOT_FOUND ? EVDB_DENIED : rc, "%s", why.message);
}

uint64_t keyring_generation(keyring *k)
{
    pthread_mutex_lock(&k->lock);
    uint64_t generation = k->generation;
    pthread_mutex_unlock(&k->lock);
    return generation;
}

evdb_status keyring_open(const keyring_options *options, keyring **out, evdb_error *err)
{
    pthread_condattr_t attributes;
    keyring *k = calloc(1, sizeof *k);
    *out = k;
    if (!k) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the keys of '%.200s'", options->issuer);
    k->o = *options;
    k->pause_ms = PAUSE_FIRST_MS / 2; /* the first failure doubles it */
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&k->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&k->thread, NULL, run, k) == 0) return EVDB_OK;
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->lock);
    free(k);
    *out = NULL;
    return op_fail(err, EVDB_NO_MEMORY, "cannot start the thread that fetches the keys of '%.200s'", options->issuer);
}

void keyring_close(keyring *k)
{
    if (!k) return;
    pthread_mutex_lock(&k->lock);
    k->stopped = true;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    drop(k->now);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->lock);
    free(k);
}
