/* test_assertion.c - clients that say who they are by a token they signed: whom it is from, for whom, for how long, and once. */
#include "expect.h"
#include "token/assertion.h"
#include "token/claims.h"
#include "token/signer.h"
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISSUER "https://db.example"
#define ENDPOINT "https://db.example/oauth/token"

static const int64_t now = 1800000000000, began = 1799999000000;
static signer *key;
static char jwk[1024];

/* What becomes of an assertion of client `c` with these claims. */
static evdb_status verdict(const char *claims, replay *seen)
{
    static const char *const audiences[] = { ISSUER, ENDPOINT, NULL };
    const assertion_terms terms = { .client = "c", .jwks = jwk, .audiences = audiences, .now_ms = now };
    jose_token t;
    char *text = signer_token(key, "{\"alg\":\"EdDSA\"}", claims);
    ok(jose_read(text, &t, &why));
    expect_poison();
    evdb_status rc = assertion_check(&t, &terms, seen, &why);
    jose_token_free(&t);
    free(text);
    return rc;
}

/* Members of a good one, each of which a test may replace; NULL = without. */
typedef struct parts { const char *iss, *sub, *aud, *exp, *more; } parts;
#define GOOD { .iss = "\"c\"", .sub = "\"c\"", .aud = "\"" ISSUER "\"", .exp = "1800000060", .more = "" }

static evdb_status verdict_of(parts p, const char *jti)
{
    char claims[2048];
    size_t used = (size_t)snprintf(claims, sizeof claims, "{\"x\":1");
    const struct { const char *name, *value; } members[] = { { "iss", p.iss }, { "sub", p.sub }, { "aud", p.aud }, { "exp", p.exp }, { "jti", jti } };
    replay *seen;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].value) used += (size_t)snprintf(claims + used, sizeof claims - used, ",\"%s\":%s", members[i].name, members[i].value);
    snprintf(claims + used, sizeof claims - used, "%s}", p.more);
    ok(replay_open(began, &seen, &why));
    evdb_status rc = verdict(claims, seen);
    assert_int_equal(replay_clients(seen), rc == EVDB_OK); /* only what is good takes room */
    replay_close(seen);
    return rc;
}

static void a_good_assertion_is_taken(void **state)
{
    static const char *const audiences[] = { "\"" ISSUER "\"", "\"" ENDPOINT "\"", "[\"" ISSUER "\"]", "[\"x\",\"" ENDPOINT "\"]", "[1,\"" ISSUER "\"]" };
    (void)state;
    for (size_t i = 0; i < sizeof audiences / sizeof *audiences; i++) {
        parts p = GOOD;
        p.aud = audiences[i];
        assert_int_equal(verdict_of(p, "\"1\""), EVDB_OK);
    }
    parts p = GOOD;
    p.more = ",\"iat\":1799999999.5,\"nbf\":1800000020";
    assert_int_equal(verdict_of(p, "\"1\""), EVDB_OK);
    p.exp = "1800000630.0"; /* ten minutes, by a clock that is ahead */
    assert_int_equal(verdict_of(p, "\"1\""), EVDB_OK);
    p.exp = "1799999971"; /* over, by ours */
    assert_int_equal(verdict_of(p, "\"1\""), EVDB_OK);
}

static void it_must_be_of_the_client_and_for_us(void **state)
{
    static const char *const audiences[] = { NULL, "\"\"", "1", "[]", "{}", "\"" ISSUER "/\"", "\"HTTPS://db.example\"", "[\"https://other.example\"]", "[[\"" ISSUER "\"]]" };
    static const struct { const char *iss, *sub; } names[] = {
        { NULL, "\"c\"" }, { "\"c\"", NULL }, { "\"c\"", "\"d\"" }, { "\"d\"", "\"c\"" }, { "\"d\"", "\"d\"" }, { "1", "1" }, { "\"\"", "\"\"" }, { "\"C\"", "\"C\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof audiences / sizeof *audiences; i++) {
        parts p = GOOD;
        p.aud = audiences[i];
        assert_int_equal(verdict_of(p, "\"1\""), EVDB_DENIED);
        expect_says("aud");
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        parts p = GOOD;
        p.iss = names[i].iss, p.sub = names[i].sub;
        assert_int_equal(verdict_of(p, "\"1\""), EVDB_DENIED);
        expect_says("sub");
    }
}

static void it_is_good_for_minutes(void **state)
{
    static const char *const ends[] = { NULL, "null", "\"1800000060\"", "true", "-1", "0", "1799999970", "1800000631", "18000000600", "1e300", "[1800000060]" };
    static const char *const pasts[] = { ",\"nbf\":1800000031", ",\"iat\":1800000031", ",\"nbf\":\"1\"", ",\"iat\":null", ",\"iat\":-5", ",\"iat\":1e12",
                                         ",\"iat\":1799998999" /* before we remember */ };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        parts p = GOOD;
        p.exp = ends[i];
        assert_int_equal(verdict_of(p, "\"1\""), EVDB_DENIED);
    }
    for (size_t i = 0; i < sizeof pasts / sizeof *pasts; i++) {
        parts p = GOOD;
        p.more = pasts[i];
        assert_int_equal(verdict_of(p, "\"1\""), EVDB_DENIED);
    }
    /* An hour, by what it says; ten minutes from its begin, by us. */
    static const struct { const char *more; evdb_status rc; } hours[] = {
        { ",\"iat\":1800000000", EVDB_OK }, { ",\"iat\":1799999371", EVDB_OK }, { ",\"iat\":1799999370", EVDB_DENIED }, { "", EVDB_DENIED },
    };
    for (size_t i = 0; i < sizeof hours / sizeof *hours; i++) {
        parts p = GOOD;
        p.exp = "1800003600", p.more = hours[i].more;
        assert_int_equal(verdict_of(p, "\"1\""), hours[i].rc);
    }
}

static void it_has_a_jti_and_is_good_once(void **state)
{
    static const char *const ids[] = { NULL, "\"\"", "1", "null", "[\"1\"]" };
    char text[400];
    replay *seen;
    (void)state;
    parts p = GOOD;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(verdict_of(p, ids[i]), EVDB_DENIED);
        expect_says("jti");
    }
    for (int more = 0; more < 2; more++) {
        snprintf(text, sizeof text, "\"%0*d\"", ASSERTION_ID_MAX + more, 1);
        assert_int_equal(verdict_of(p, text), more ? EVDB_DENIED : EVDB_OK);
    }
    ok(replay_open(began, &seen, &why));
    const char *claims = "{\"iss\":\"c\",\"sub\":\"c\",\"aud\":\"" ISSUER "\",\"exp\":1800000060,\"jti\":\"1\"}";
    assert_int_equal(verdict(claims, seen), EVDB_OK);
    assert_int_equal(verdict(claims, seen), EVDB_DENIED);
    expect_says("used before");
    assert_int_equal(verdict("{\"iss\":\"c\",\"sub\":\"c\",\"aud\":\"" ISSUER "\",\"exp\":1800000061,\"jti\":\"2\"}", seen), EVDB_OK);
    replay_close(seen);
}

static void who_cannot_sign_takes_nobodys_jti(void **state)
{
    static const char claims[] = "{\"iss\":\"c\",\"sub\":\"c\",\"aud\":\"" ISSUER "\",\"exp\":1800000060,\"jti\":\"1\"}";
    signer *mine = key, *other = signer_make("EdDSA", 0);
    replay *seen;
    (void)state;
    ok(replay_open(began, &seen, &why));
    key = other;
    evdb_status rc = verdict(claims, seen);
    key = mine;
    assert_int_equal(rc, EVDB_DENIED);
    expect_says(ASSERTION_UNKNOWN);
    assert_int_equal(verdict(claims, seen), EVDB_OK);
    replay_close(seen);
    signer_free(other);
}

static void keys_that_make_no_sense_are_told(void **state)
{
    char kept[sizeof jwk];
    parts p = GOOD;
    (void)state;
    memcpy(kept, jwk, sizeof kept);
    snprintf(jwk, sizeof jwk, "{\"keys\":[]}");
    evdb_status rc = verdict_of(p, "\"1\"");
    memcpy(jwk, kept, sizeof kept);
    assert_int_equal(rc, EVDB_DENIED);
    expect_says("registered");
}

/* ---- the memory of what was used ---- */

static evdb_status note(replay *seen, const char *client, unsigned id, int64_t expires, int64_t at)
{
    char text[32];
    snprintf(text, sizeof text, "%u", id);
    return replay_note(seen, client, text, expires, at, &why);
}

static void nothing_that_could_be_used_again_is_forgotten(void **state)
{
    replay *seen;
    (void)state;
    ok(replay_open(began, &seen, &why));
    for (unsigned i = 0; i < REPLAY_MAX; i++) ok(note(seen, "a", i, 1000 + i, 0));
    refused(EVDB_THROTTLED, note(seen, "a", REPLAY_MAX, 9000, 0));
    for (unsigned i = 0; i < REPLAY_MAX; i += 97) refused(EVDB_DENIED, note(seen, "a", i, 9000, 0));
    /* another client has room of its own, and ids of its own */
    ok(note(seen, "b", 1, 9000, 0));
    refused(EVDB_DENIED, note(seen, "b", 1, 9000, 0));
    /* what has expired makes room, and no more than that */
    for (unsigned i = 0; i < 10; i++) ok(note(seen, "a", REPLAY_MAX + i, 90000, 1009));
    refused(EVDB_THROTTLED, note(seen, "a", 2 * REPLAY_MAX, 90000, 1009));
    refused(EVDB_DENIED, note(seen, "a", 10, 90000, 1009));
    replay_close(seen);
}

static void clients_that_come_no_more_take_no_memory(void **state)
{
    char name[32];
    replay *seen;
    (void)state;
    ok(replay_open(began, &seen, &why));
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "client %u", i);
        ok(note(seen, name, i, 1000, 0));
    }
    assert_int_equal(replay_clients(seen), 300);
    ok(note(seen, "client 7", 7, 9999999, 1000000)); /* the old one of that id has expired */
    assert_int_equal(replay_clients(seen), 1);
    refused(EVDB_DENIED, note(seen, "client 7", 7, 9999999, 1000001));
    replay_close(seen);
}

typedef struct racing { replay *seen; atomic_uint won; } racing;

static void *race(void *context)
{
    racing *r = context;
    evdb_error mine;
    char id[32];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "%u", i);
        if (replay_note(r->seen, "a", id, 1000, 0, &mine) == EVDB_OK) atomic_fetch_add(&r->won, 1);
    }
    return NULL;
}

static void of_threads_with_the_same_token_one_wins(void **state)
{
    enum { THREADS = 4 };
    racing r;
    pthread_t threads[THREADS];
    (void)state;
    ok(replay_open(began, &r.seen, &why));
    atomic_init(&r.won, 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, race, &r), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&r.won), 200);
    replay_close(r.seen);
}

static int make_key(void **state)
{
    (void)state;
    if (sodium_init() < 0) return -1;
    key = signer_make("EdDSA", 0);
    snprintf(jwk, sizeof jwk, "%s", signer_jwk(key, NULL, NULL));
    return 0;
}

static int free_key(void **state)
{
    (void)state;
    signer_free(key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_assertion_is_taken),
        cmocka_unit_test(it_must_be_of_the_client_and_for_us),
        cmocka_unit_test(it_is_good_for_minutes),
        cmocka_unit_test(it_has_a_jti_and_is_good_once),
        cmocka_unit_test(who_cannot_sign_takes_nobodys_jti),
        cmocka_unit_test(keys_that_make_no_sense_are_told),
        cmocka_unit_test(nothing_that_could_be_used_again_is_forgotten),
        cmocka_unit_test(clients_that_come_no_more_take_no_memory),
        cmocka_unit_test(of_threads_with_the_same_token_one_wins),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
