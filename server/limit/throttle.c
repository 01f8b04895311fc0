/* throttle.c - implements limit/throttle.h.
 *
 * What somebody has failed is kept as the time at which all of it will have leaked away (as the generic cell rate algorithm of
 * ATM networks keeps its buckets): one number that needs no timer. */
#include "limit/throttle.h"
#include "limit/trusted.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FIRST_DELAY_MS = 1000,
    FORGET_DELAYS = 15,   /* of the longest delay, until all is forgotten */
    TURN_LEAST_MS = 2000, /* a turn is as long as it takes to come at the second that Retry-After said */
    TURNS = 4,            /* in a period */
    ADDRESS_BYTES = 9
};

typedef enum kind { PAIR, ADDRESS, CLIENT, TOKENS, KINDS, TURN } kind; /* TURN: a hash, and no table */

typedef struct failures {
    slot_tag tag;
    int64_t last, until; /* the last one; when none is left */
} failures;

/* What is counted of each kind: places, failures that are free as a multiple of throttle_options.failures, failures that double the delay. */
static const struct { uint32_t places, free, step; } plan[KINDS] = {
    [PAIR] = { 1 << 16, 1, 1 }, [ADDRESS] = { 1 << 15, 5, 4 }, [CLIENT] = { 1 << 14, 10, 8 }, [TOKENS] = { 1 << 15, 10, 8 },
};

typedef struct rule {
    int64_t free, step, each_ms; /* each_ms: what one failure takes to leak away */
} rule;

struct throttle {
    throttle_options options;
    int64_t forget_ms;
    rule rules[KINDS];
    pthread_mutex_t lock; /* of what follows */
    slots tables[KINDS];
    trusted trusted;
};

/* Who came: an address, with a client or without. */
typedef struct comer {
    slot_tag tags[KINDS];
    uint64_t turn;
    int64_t now;
} comer;

static int64_t system_ms(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t weight(const void *item, int64_t now)
{
    const failures *f = item;
    return f->until > now ? (uint64_t)(f->until - now) : 0;
}

throttle *throttle_create(const throttle_options *options)
{
    throttle *t = calloc(1, sizeof *t);
    int64_t doublings = 1;
    if (!t) return NULL;
    t->options = *options;
    if (!t->options.now_ms) t->options.now_ms = system_ms;
    t->forget_ms = (int64_t)FORGET_DELAYS * options->delay_max_ms;
    while (FIRST_DELAY_MS << (doublings - 1) < (int64_t)options->delay_max_ms) doublings++;
    bool good = trusted_open(&t->trusted);
    for (int k = 0; k < KINDS; k++) {
        rule *r = &t->rules[k];
        r->free = (int64_t)options->failures * plan[k].free;
        r->step = plan[k].step;
        r->each_ms = t->forget_ms / (r->free + doublings * r->step);
        good &= slots_open(&t->tables[k], plan[k].places, sizeof(failures), weight);
    }
    pthread_mutex_init(&t->lock, NULL);
    if (good) return t;
    throttle_free(t);
    return NULL;
}

void throttle_free(throttle *t)
{
    if (!t) return;
    for (int k = 0; k < KINDS; k++) slots_close(&t->tables[k]);
    trusted_close(&t->trusted);
    pthread_mutex_destroy(&t->lock);
    sodium_memzero(t->options.seed, sizeof t->options.seed);
    free(t);
}

/* An IPv4 address, whichever way it is written, or the first half of one of IPv6. */
static void pack_address(const char *text, unsigned char out[ADDRESS_BYTES])
{
    struct in_addr four;
    struct in6_addr six;
    memset(out, 0, ADDRESS_BYTES);
    if (inet_pton(AF_INET, text, &four) == 1) {
        out[0] = 4;
        memcpy(out + 1, &four, 4);
    } else if (inet_pton(AF_INET6, text, &six) == 1) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&six);
        out[0] = mapped ? 4 : 6;
        memcpy(out + 1, six.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    }
}

static comer look(const throttle *t, const char *address, const char *client)
{
    unsigned char key[SLOTS_KEY_MAX];
    const unsigned char *seed = t->options.seed;
    comer c = { .now = t->options.now_ms(t->options.context) };
    size_t length = client ? strnlen(client, sizeof key - ADDRESS_BYTES) : 0;
    pack_address(address, key);
    if (!client) {
        c.tags[TOKENS] = slot_hash(seed, TOKENS, key, ADDRESS_BYTES);
        return c;
    }
    memcpy(key + ADDRESS_BYTES, client, length);
    c.tags[PAIR] = slot_hash(seed, PAIR, key, ADDRESS_BYTES + length);
    c.tags[ADDRESS] = slot_hash(seed, ADDRESS, key, ADDRESS_BYTES);
    c.tags[CLIENT] = slot_hash(seed, CLIENT, client, length);
    c.turn = slot_hash(seed, TURN, key, ADDRESS_BYTES + length);
    return c;
}

static int64_t count_at(const rule *r, const failures *f, int64_t when)
{
    return f->until > when ? (f->until - when + r->each_ms - 1) / r->each_ms : 0;
}

/* How often the first delay is doubled; -1 = there is none. */
static int64_t doublings_of(const rule *r, int64_t count)
{
    return count < r->free || !count ? -1 : (count - r->free) / r->step;
}

static int64_t wait_of(const throttle *t, kind k, const comer *c)
{
    const failures *f = slots_find(&t->tables[k], c->tags[k]);
    int64_t doublings = f ? doublings_of(&t->rules[k], count_at(&t->rules[k], f, f->last)) : -1, delay = FIRST_DELAY_MS;
    if (doublings < 0 || f->until <= c->now) return 0;
    while (doublings-- > 0 && delay < (int64_t)t->options.delay_max_ms) delay *= 2;
    if (delay > (int64_t)t->options.delay_max_ms) delay = t->options.delay_max_ms;
    return f->last + delay > c->now ? f->last + delay - c->now : 0;
}

/* The brake of a client: until the comer's next turn, or 0 when it is. Longer periods are shorter ones doubled, so that one who was told
 * his turn finds it there when the attack weakens meanwhile. */
static int64_t wait_for_turn(const throttle *t, const comer *c)
{
    const failures *all = slots_find(&t->tables[CLIENT], c->tags[CLIENT]), *own = slots_find(&t->tables[PAIR], c->tags[PAIR]);
    int64_t doublings = all ? doublings_of(&t->rules[CLIENT], count_at(&t->rules[CLIENT], all, c->now)) : -1, period = FIRST_DELAY_MS;
    if (doublings < 0) return 0;
    while (doublings-- > 0 && period * 2 <= (int64_t)t->options.delay_max_ms) period *= 2;
    int64_t into = (int64_t)(((uint64_t)c->now + (c->turn >> 1)) % (uint64_t)period), length = period / TURNS;
    if (length < TURN_LEAST_MS) length = period < TURN_LEAST_MS ? period : TURN_LEAST_MS;
    bool had = own && own->until > c->now && own->last >= c->now - into;
    return into < length && !had ? 0 : period - into;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

uint32_t throttle_ask(throttle *t, const char *address, const char *client)
{
    if (!t) return 0;
    comer c = look(t, address, client);
    pthread_mutex_lock(&t->lock);
    int64_t wait = wait_of(t, client ? PAIR : TOKENS, &c);
    if (client && !trusted_has(&t->trusted, c.tags[CLIENT], c.tags[PAIR], c.now))
        wait = most(wait, most(wait_of(t, ADDRESS, &c), wait_for_turn(t, &c)));
    pthread_mutex_unlock(&t->lock);
    return (uint32_t)wait;
}

/* Who takes the place of another takes over what he had of free failures: so pushing oneself out gains none. */
static void count(throttle *t, kind k, const comer *c)
{
    const rule *r = &t->rules[k];
    failures gone, *f = slots_take(&t->tables[k], c->tags[k], c->now, &gone);
    int64_t taken = r->free ? (r->free - 1) * r->each_ms : 0, left = gone.until - c->now;
    if (gone.tag && left > 0) f->until = c->now + (left < taken ? left : taken);
    f->until = most(f->until, c->now) + r->each_ms;
    if (f->until > c->now + t->forget_ms) f->until = c->now + t->forget_ms;
    f->last = c->now;
}

void throttle_failed(throttle *t, const char *address, const char *client)
{
    if (!t) return;
    comer c = look(t, address, client);
    pthread_mutex_lock(&t->lock);
    count(t, client ? PAIR : TOKENS, &c);
    if (client && !trusted_has(&t->trusted, c.tags[CLIENT], c.tags[PAIR], c.now)) {
        count(t, ADDRESS, &c);
        count(t, CLIENT, &c);
    }
    pthread_mutex_unlock(&t->lock);
}

void throttle_succeeded(throttle *t, const char *address, const char *client)
{
    if (!t || !client) return;
    comer c = look(t, address, client);
    pthread_mutex_lock(&t->lock);
    failures *f = slots_find(&t->tables[PAIR], c.tags[PAIR]);
    if (f) f->until = f->last = c.now;
    trusted_add(&t->trusted, c.tags[CLIENT], c.tags[PAIR], c.now);
    pthread_mutex_unlock(&t->lock);
}
