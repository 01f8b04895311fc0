/* publisher.c - implements publisher.h. */
#include "token/publisher.h"
#include "expect.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    unsigned asked, waiting;
    char discovery[512], jwks[2048], said[256];
} world = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static evdb_status get(void *context, const char *url, size_t most, char **out, size_t *size, evdb_error *err)
{
    struct world *w = context;
    bool about = strcmp(url, URL "/.well-known/openid-configuration") == 0;
    pthread_mutex_lock(&w->lock);
    w->waiting++;
    w->asked += !about;
    pthread_cond_broadcast(&w->changed);
    while (w->shut) pthread_cond_wait(&w->changed, &w->lock);
    w->waiting--;
    const char *text = about ? w->discovery : strcmp(url, "https://keys.example/") == 0 ? w->jwks : "";
    *size = strlen(text);
    *out = *size && *size <= most ? strdup(text) : NULL;
    pthread_mutex_unlock(&w->lock);
    if (*out) return EVDB_OK;
    snprintf(err->message, sizeof err->message, "nothing is there");
    return err->status = EVDB_REMOTE;
}

static void say(bool warning, const char *message, const char *detail)
{
    (void)warning;
    pthread_mutex_lock(&world.lock);
    snprintf(world.said, sizeof world.said, "%.100s: %.140s", message, detail);
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

void publisher_publish(const char *jwks)
{
    pthread_mutex_lock(&world.lock);
    snprintf(world.discovery, sizeof world.discovery, "{\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/\"}");
    snprintf(world.jwks, sizeof world.jwks, *jwks ? "{\"keys\":[%s]}" : "%s", jwks);
    world.asked = 0;
    *world.said = 0;
    pthread_mutex_unlock(&world.lock);
}

void publisher_shut(bool shut)
{
    pthread_mutex_lock(&world.lock);
    world.shut = shut;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

void publisher_wait_until_asked(void)
{
    pthread_mutex_lock(&world.lock);
    while (!world.waiting) pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

unsigned publisher_asked(void)
{
    pthread_mutex_lock(&world.lock);
    unsigned asked = world.asked;
    pthread_mutex_unlock(&world.lock);
    return asked;
}

void publisher_wait_for_word(const char *part)
{
    pthread_mutex_lock(&world.lock);
    while (!strstr(world.said, part)) pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

static int64_t now(void) { return 1800000000000; }

issuer_options publisher_issuer(void)
{
    return (issuer_options){ .keys = { .issuer = URL, .get = get, .context = &world, .say = say }, .audience = "evdb", .scope_claim = "scope",
                             .scope_prefix = "", .name_claim = "sub", .now_ms = now };
}

evdb_status publisher_identify(issuer *i, signer *s, const char *header, const char *claims, evdb_principal *out)
{
    char *token = signer_token(s, header, claims);
    expect_poison();
    evdb_status rc = issuer_identify(i, token, out, &why);
    free(token);
    return rc;
}

issuer *publisher_open(const issuer_options *options, signer *key)
{
    evdb_principal who;
    issuer *i;
    ok(issuer_open(options, &i, &why));
    while (publisher_identify(i, key, HEADER, "{\"iss\":\"" URL "\"}", &who) == EVDB_BUSY) sched_yield();
    return i;
}
