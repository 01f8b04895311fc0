/* test_throttle.c - who guesses secrets waits longer and longer, and can make nobody else wait. */
#include "limit/throttle.h"
#include "seed.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { FREE = 10, LONGEST = 60000, MINUTE = 60000 };

typedef struct world {
    throttle *t;
    int64_t now; /* milliseconds */
    uint64_t random;
} world;

static int64_t clock_of(void *context) { return ((world *)context)->now; }

static int begin(void **state)
{
    static world w;
    throttle_options o = { .failures = FREE, .delay_max_ms = LONGEST, .now_ms = clock_of, .context = &w };
    w = (world){ .random = seed_print() };
    w.now = (int64_t)seed_below(&w.random, 1000 * LONGEST);
    for (size_t i = 0; i < sizeof o.seed; i++) o.seed[i] = (unsigned char)seed_next(&w.random);
    w.t = throttle_create(&o);
    *state = &w;
    return w.t ? 0 : -1;
}

static int end(void **state)
{
    throttle_free(((world *)*state)->t);
    return 0;
}

/* One attempt with a wrong secret; what it had to wait instead, or 0 when it was looked at. */
static uint32_t guess(world *w, const char *address, const char *client)
{
    uint32_t wait = throttle_ask(w->t, address, client);
    if (!wait) throttle_failed(w->t, address, client);
    return wait;
}

static const char *address_of(uint32_t n)
{
    static char text[24];
    snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return text;
}

/* Guesses until there is a wait. */
static uint32_t guess_on(world *w, const char *address, const char *client)
{
    uint32_t wait;
    while (!(wait = guess(w, address, client))) continue;
    return wait;
}

static void the_first_failures_are_free(void **state)
{
    world *w = *state;
    for (int i = 0; i < FREE; i++) assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 1000);
}

static void the_delay_doubles_up_to_its_bound(void **state)
{
    world *w = *state;
    uint32_t expected = 1000;
    for (int i = 0; i < FREE; i++) assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    for (; expected < LONGEST; expected *= 2) {
        assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), expected);
        w->now += expected;
        assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    }
    w->now += guess_on(w, "192.0.2.1", "app"); /* what has leaked away meanwhile */
    assert_int_equal(guess_on(w, "192.0.2.1", "app"), LONGEST);
}

static void attempts_that_come_too_early_do_not_make_it_longer(void **state)
{
    world *w = *state;
    uint32_t wait = guess_on(w, "192.0.2.1", "app");
    for (uint32_t passed = 0; passed < wait; passed += 100, w->now += 100) assert_int_equal(guess(w, "192.0.2.1", "app"), wait - passed);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
}

static void however_long_one_guesses_the_delay_stays_within_its_bound(void **state)
{
    world *w = *state;
    int looked_at = 0, hours = 5;
    for (int64_t until = w->now + hours * 60 * MINUTE; w->now < until; w->now += 250) {
        uint32_t wait = guess(w, "192.0.2.1", "app");
        assert_in_range(wait, 0, LONGEST);
        looked_at += !wait;
    }
    assert_in_range(looked_at, hours * 60 * MINUTE / LONGEST, hours * 60 * 3 / 2 + FREE + 7);
}

static void without_failures_all_is_forgotten(void **state)
{
    world *w = *state;
    for (int i = 0; i < 30; i++) w->now += guess_on(w, "192.0.2.1", "app");
    w->now += 15 * LONGEST;
    for (int i = 0; i < FREE; i++) assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    assert_int_equal(guess(w, "192.0.2.1", "app"), 1000);
}

static void a_success_forgives_what_was_counted_for_the_client_there(void **state)
{
    world *w = *state;
    w->now += guess_on(w, "192.0.2.1", "app");
    throttle_succeeded(w->t, "192.0.2.1", "app");
    for (int i = 0; i < FREE; i++) assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    assert_int_equal(guess(w, "192.0.2.1", "app"), 1000);
}

static void a_success_of_ones_own_does_not_make_guessing_at_others_cheaper(void **state)
{
    world *w = *state;
    char victim[32];
    int guesses = 0;
    for (;; guesses++) {
        snprintf(victim, sizeof victim, "victim%d", guesses);
        if (guess(w, "192.0.2.1", victim)) break;
        throttle_succeeded(w->t, "192.0.2.1", "attacker");
    }
    assert_int_equal(guesses, 5 * FREE);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "attacker"), 0);
}

static void clients_at_other_addresses_do_not_wait(void **state)
{
    world *w = *state;
    guess_on(w, "192.0.2.1", "app");
    assert_int_equal(throttle_ask(w->t, "192.0.2.2", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "other"), 0);
}

static void an_ipv6_address_stands_for_its_network_and_a_mapped_one_for_ipv4(void **state)
{
    world *w = *state;
    guess_on(w, "2001:db8:0:1::1", "app");
    assert_int_not_equal(throttle_ask(w->t, "2001:db8:0:1:ffff::2", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "2001:db8:0:2::1", "app"), 0);
    guess_on(w, "::ffff:192.0.2.1", "app");
    assert_int_not_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "::ffff:192.0.2.2", "app"), 0);
}

static void tokens_are_counted_apart(void **state)
{
    world *w = *state;
    for (int i = 0; i < 10 * FREE; i++) assert_int_equal(guess(w, "192.0.2.1", NULL), 0);
    assert_int_equal(guess(w, "192.0.2.1", NULL), 1000);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "192.0.2.2", NULL), 0);
}

/* Ten thousand addresses guess at one client, each as fast as it may, for `minutes`. */
static void attack(world *w, const char *client, int minutes)
{
    for (int64_t until = w->now + minutes * MINUTE; w->now < until; w->now += 10 * 1000)
        for (uint32_t n = 0; n < 10000; n++) guess(w, address_of(n), client);
}

static void ten_thousand_attackers_do_not_lock_out_an_address_that_has_succeeded(void **state)
{
    world *w = *state;
    throttle_succeeded(w->t, "192.0.2.1", "app");
    attack(w, "app", 3);
    for (int i = 0; i < FREE; i++) assert_int_equal(guess(w, "192.0.2.1", "app"), 0);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 1000);
}

static void nor_does_one_at_the_same_address_that_guesses_at_others(void **state)
{
    world *w = *state;
    char other[16];
    throttle_succeeded(w->t, "192.0.2.1", "app");
    for (int i = 0; i < 10000; i++) {
        snprintf(other, sizeof other, "other%d", i);
        guess(w, "192.0.2.1", other);
    }
    assert_int_not_equal(throttle_ask(w->t, "192.0.2.1", "new"), 0);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
}

/* The address comes when it is told to, while the attack goes on. */
static int64_t waited_in_an_attack(world *w, uint32_t stranger)
{
    char address[24];
    int64_t began = w->now;
    snprintf(address, sizeof address, "198.51.100.%u", stranger);
    for (uint32_t wait; (wait = throttle_ask(w->t, address, "app"));) {
        w->now += (wait + 999) / 1000 * 1000;
        for (uint32_t n = 0; n < 10000; n++) guess(w, address_of(n), "app");
    }
    return w->now - began;
}

static void under_attack_a_stranger_gets_his_turn_within_the_bound(void **state)
{
    world *w = *state;
    int64_t longest = 0;
    attack(w, "app", 2);
    for (uint32_t n = 0; n < 50; n++) {
        int64_t waited = waited_in_an_attack(w, n);
        if (waited > longest) longest = waited;
    }
    assert_in_range(longest, 1, LONGEST);
}

static void under_attack_an_address_gets_one_attempt_a_turn(void **state)
{
    world *w = *state;
    int looked_at = 0;
    attack(w, "app", 2);
    for (int64_t until = w->now + 30 * MINUTE; w->now < until; w->now += 1000) {
        for (uint32_t n = 0; n < 20; n++) guess(w, address_of(1000 + n), "app"); /* keeps the brake on */
        looked_at += !guess(w, "198.51.100.1", "app");
    }
    assert_in_range(looked_at, 20, 70);
}

static void the_brake_is_of_one_client(void **state)
{
    world *w = *state;
    attack(w, "app", 1);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "other"), 0);
}

/* Far more keys than there are places. */
static void a_flood_of_keys_does_not_reset_who_has_failed_more(void **state)
{
    world *w = *state;
    for (int i = 0; i < 12; i++) w->now += guess_on(w, "192.0.2.1", "app");
    guess_on(w, "192.0.2.1", "app");
    for (uint32_t n = 0; n < 400000; n++) throttle_failed(w->t, address_of(n), "decoy");
    assert_int_not_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
}

static void who_takes_a_place_in_a_full_table_has_no_failures_for_free(void **state)
{
    world *w = *state;
    for (uint32_t n = 0; n < 300000; n++)
        for (int i = 0; i <= FREE; i++) throttle_failed(w->t, address_of(n), "decoy");
    int attempts = 0;
    while (!guess(w, "192.0.2.1", "app")) attempts++;
    assert_int_equal(attempts, 1);
    assert_int_equal(throttle_ask(w->t, "192.0.2.2", "app"), 0);
}

static void a_client_with_many_addresses_takes_no_trust_from_others(void **state)
{
    world *w = *state;
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "app%d", i);
        throttle_succeeded(w->t, "192.0.2.1", name);
    }
    for (uint32_t n = 0; n < 100000; n++) throttle_succeeded(w->t, address_of(n), "attacker");
    for (uint32_t n = 0; n < 60; n++) guess(w, "192.0.2.1", (snprintf(name, sizeof name, "x%u", n), name));
    assert_int_not_equal(throttle_ask(w->t, "192.0.2.1", "new"), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "app%d", i);
        assert_int_equal(throttle_ask(w->t, "192.0.2.1", name), 0);
    }
}

static void odd_clients_and_addresses_are_counted_too(void **state)
{
    world *w = *state;
    static char longest[100000];
    memset(longest, 'x', sizeof longest - 1);
    guess_on(w, "not an address", longest);
    guess_on(w, "", "");
    assert_int_not_equal(throttle_ask(w->t, "neither is this", longest), 0);
    assert_int_equal(throttle_ask(NULL, "192.0.2.1", "app"), 0);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *guess_at_once(void *context)
{
    throttle *t = context;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char address[24];
        snprintf(address, sizeof address, "10.0.0.%u", i % 50);
        if (!throttle_ask(t, address, "app")) throttle_failed(t, address, "app");
        if (i % 7 == 0) throttle_succeeded(t, "192.0.2.1", "app");
        if (i % 3 == 0) throttle_failed(t, address, NULL);
    }
    return NULL;
}

static void threads_count_together(void **state)
{
    world *w = *state;
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, guess_at_once, w->t), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    assert_int_equal(throttle_ask(w->t, "192.0.2.1", "app"), 0);
    assert_int_not_equal(throttle_ask(w->t, "10.0.0.1", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_failures_are_free),
        TEST(the_delay_doubles_up_to_its_bound),
        TEST(attempts_that_come_too_early_do_not_make_it_longer),
        TEST(however_long_one_guesses_the_delay_stays_within_its_bound),
        TEST(without_failures_all_is_forgotten),
        TEST(a_success_forgives_what_was_counted_for_the_client_there),
        TEST(a_success_of_ones_own_does_not_make_guessing_at_others_cheaper),
        TEST(clients_at_other_addresses_do_not_wait),
        TEST(an_ipv6_address_stands_for_its_network_and_a_mapped_one_for_ipv4),
        TEST(tokens_are_counted_apart),
        TEST(ten_thousand_attackers_do_not_lock_out_an_address_that_has_succeeded),
        TEST(nor_does_one_at_the_same_address_that_guesses_at_others),
        TEST(under_attack_a_stranger_gets_his_turn_within_the_bound),
        TEST(under_attack_an_address_gets_one_attempt_a_turn),
        TEST(the_brake_is_of_one_client),
        TEST(a_flood_of_keys_does_not_reset_who_has_failed_more),
        TEST(who_takes_a_place_in_a_full_table_has_no_failures_for_free),
        TEST(a_client_with_many_addresses_takes_no_trust_from_others),
        TEST(odd_clients_and_addresses_are_counted_too),
        TEST(threads_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
