/* test_user_code.c - evdb/user.h: codes, and what comes of them, by a clock that is given. */
#include <evdb/user.h>
#include "client.h"
#include "database_private.h"
#include "expect.h"
#include "scratch.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <string.h>

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* of RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT "http://127.0.0.1:4711/cb"

static int64_t now;

static int64_t clock_ms(void *context) { return *(int64_t *)context; }

static evdb_token_options by_name(void)
{
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    o.authenticated = 1;
    return o;
}

static void add_client(evdb *db, const char *id, uint32_t grants)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = grants;
    o.scopes = EVDB_SCOPE_WRITE;
    o.redirect_uris = "http://127.0.0.1/cb";
    ok(evdb_auth_client_register(db, id, &o, NULL, &why));
}

static int set_up(void **state)
{
    if (scratch_closed(state)) return -1;
    scratch *t = *state;
    platform p = platform_real;
    now = INT64_C(1700000000000);
    p.clock_context = &now;
    p.clock_ms = clock_ms;
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
    add_client(t->db, "app", EVDB_GRANT_AUTHORIZATION_CODE | EVDB_GRANT_REFRESH_TOKEN);
    add_client(t->db, "other", EVDB_GRANT_AUTHORIZATION_CODE);
    ok(evdb_auth_user_add(t->db, "alice", "password a", EVDB_SCOPE_ADMIN, NULL, &why));
    return 0;
}

static evdb_code_options asking(const char *id)
{
    evdb_code_options o = EVDB_CODE_OPTIONS;
    o.client = id;
    o.user = "alice";
    o.redirect_uri = REDIRECT;
    o.challenge = CHALLENGE;
    return o;
}

typedef struct code { char text[EVDB_SECRET_BYTES]; } code;

static code issue(evdb *db, const char *id)
{
    evdb_code_options o = asking(id);
    code c;
    ok(evdb_auth_code_issue(db, &o, c.text, &why));
    return c;
}

static evdb_status redeem(evdb *db, const char *id, const code *c, evdb_token *out)
{
    evdb_token_options o = by_name();
    return evdb_auth_code_redeem(db, id, NULL, c->text, REDIRECT, VERIFIER, &o, out, &why);
}

static evdb_token redeemed(evdb *db, const char *id)
{
    code c = issue(db, id);
    evdb_token token;
    ok(redeem(db, id, &c, &token));
    return token;
}

static evdb_status refresh(evdb *db, const char *token, evdb_token *out)
{
    evdb_token_options o = by_name();
    return evdb_auth_token_refresh(db, "app", NULL, token, &o, out, &why);
}

static void a_code_becomes_tokens_that_speak_for_the_user(void **state)
{
    scratch *t = *state;
    evdb_principal who;
    evdb_token token, next;
    for (int opaque = 0; opaque < 2; opaque++) {
        code c = issue(t->db, "app");
        evdb_token_options o = by_name();
        o.format = opaque ? EVDB_TOKEN_OPAQUE : EVDB_TOKEN_JWT;
        ok(evdb_auth_code_redeem(t->db, "app", NULL, c.text, REDIRECT, VERIFIER, &o, &token, &why));
        ok(evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
        assert_string_equal(who.client, "app");
        assert_string_equal(who.subject, "user:alice");
        assert_int_equal(who.scopes, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
        ok(evdb_auth_token_refresh(t->db, "app", NULL, token.refresh, &o, &next, &why));
        ok(evdb_auth_token_check(t->db, next.access, NULL, &who, &why));
        assert_string_equal(who.subject, "user:alice");
    }
    token = redeemed(t->db, "other");
    assert_string_equal(token.refresh, ""); /* may not use refresh_token */
}

static void a_code_is_good_once_and_twice_ends_all_that_came_of_it(void **state)
{
    scratch *t = *state;
    code c = issue(t->db, "app"), unrelated = issue(t->db, "app");
    evdb_token first, second, other;
    ok(redeem(t->db, "app", &c, &first));
    ok(refresh(t->db, first.refresh, &second));
    assert_true(client_token_good(t->db, second.access));
    now += 3000000; /* the code itself has long expired */
    refused(EVDB_GONE, redeem(t->db, "app", &c, &other));
    expect_says("used before");
    assert_false(client_token_good(t->db, first.access));
    assert_false(client_token_good(t->db, second.access));
    refused(EVDB_GONE, refresh(t->db, second.refresh, &other));
    now -= 3000000;
    ok(redeem(t->db, "app", &unrelated, &other));
}

static void a_refresh_token_used_twice_ends_the_access_tokens_too(void **state)
{
    scratch *t = *state;
    evdb_token first = redeemed(t->db, "app"), second, third;
    ok(refresh(t->db, first.refresh, &second));
    refused(EVDB_GONE, refresh(t->db, first.refresh, &third));
    assert_false(client_token_good(t->db, first.access));
    assert_false(client_token_good(t->db, second.access));
    refused(EVDB_GONE, refresh(t->db, second.refresh, &third));
}

static void a_code_lives_for_a_minute(void **state)
{
    scratch *t = *state;
    code one = issue(t->db, "app"), two = issue(t->db, "app");
    evdb_token token;
    now += 59999;
    ok(redeem(t->db, "app", &one, &token));
    now += 1;
    refused(EVDB_GONE, redeem(t->db, "app", &two, &token));
    expect_says("expired");
}

static void what_a_code_was_not_made_for_does_not_use_it_up(void **state)
{
    static const char *const redirects[] = { NULL, "", "http://127.0.0.1/cb", "http://127.0.0.1:4712/cb", "http://127.0.0.1:4711/cb/" };
    static const char *const verifiers[] = { NULL, "", CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", VERIFIER "x", "short" };
    scratch *t = *state;
    code c = issue(t->db, "app");
    evdb_token_options o = by_name();
    evdb_token token;
    for (size_t i = 0; i < 5; i++)
        refused(EVDB_GONE, evdb_auth_code_redeem(t->db, "app", NULL, c.text, redirects[i], VERIFIER, &o, &token, &why));
    for (size_t i = 0; i < 6; i++)
        refused(EVDB_GONE, evdb_auth_code_redeem(t->db, "app", NULL, c.text, REDIRECT, verifiers[i], &o, &token, &why));
    refused(EVDB_GONE, redeem(t->db, "other", &c, &token));
    expect_says("unknown");
    refused(EVDB_GONE, evdb_auth_code_redeem(t->db, "app", NULL, NULL, REDIRECT, VERIFIER, &o, &token, &why));
    refused(EVDB_DENIED, redeem(t->db, "nobody", &c, &token));
    o.authenticated = 0;
    refused(EVDB_DENIED, evdb_auth_code_redeem(t->db, "app", "secret of what", c.text, REDIRECT, VERIFIER, &o, &token, &why));
    ok(redeem(t->db, "app", &c, &token));
}

static void without_a_good_challenge_there_is_no_code(void **state)
{
    static const char *const bad[] = { NULL, "", "plain", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", CHALLENGE "x", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM" };
    scratch *t = *state;
    char text[EVDB_SECRET_BYTES];
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        evdb_code_options o = asking("app");
        o.challenge = bad[i];
        refused(EVDB_INVALID, evdb_auth_code_issue(t->db, &o, text, &why));
        expect_says("challenge");
    }
    evdb_code_options o = asking("app");
    o.redirect_uri = "http://127.0.0.1:4711/other";
    refused(EVDB_DENIED, evdb_auth_code_issue(t->db, &o, text, &why));
    o = asking("app");
    o.user = "bob";
    refused(EVDB_DENIED, evdb_auth_code_issue(t->db, &o, text, &why));
    o = asking("nobody");
    refused(EVDB_DENIED, evdb_auth_code_issue(t->db, &o, text, &why));
    o = asking("app");
    o.lifetime_ms = 600001;
    refused(EVDB_INVALID, evdb_auth_code_issue(t->db, &o, text, &why));
}

static void an_audience_is_among_those_of_the_code(void **state)
{
    scratch *t = *state;
    evdb_code_options o = asking("app");
    evdb_token_options narrow = by_name();
    evdb_token token;
    evdb_token_info info;
    code c;
    o.audience = "https://a.example/mcp https://a.example/api";
    ok(evdb_auth_code_issue(t->db, &o, c.text, &why));
    narrow.audience = "https://b.example";
    refused(EVDB_INVALID, evdb_auth_code_redeem(t->db, "app", NULL, c.text, REDIRECT, VERIFIER, &narrow, &token, &why));
    narrow.audience = NULL;
    narrow.format = EVDB_TOKEN_OPAQUE; /* would be good for any */
    refused(EVDB_UNSUPPORTED, evdb_auth_code_redeem(t->db, "app", NULL, c.text, REDIRECT, VERIFIER, &narrow, &token, &why));
    narrow.format = EVDB_TOKEN_JWT;
    narrow.audience = "https://a.example/mcp";
    ok(evdb_auth_code_redeem(t->db, "app", NULL, c.text, REDIRECT, VERIFIER, &narrow, &token, &why));
    ok(evdb_auth_token_inspect(t->db, token.access, &info, &why));
    assert_string_equal(info.audience, "https://a.example/mcp");
    narrow.audience = "https://a.example/api";
    ok(evdb_auth_token_refresh(t->db, "app", NULL, token.refresh, &narrow, &token, &why));
    narrow.audience = "https://b.example";
    refused(EVDB_INVALID, evdb_auth_token_refresh(t->db, "app", NULL, token.refresh, &narrow, &token, &why));
}

static void a_log_in_ends_after_a_day_and_earlier_when_it_lies_idle(void **state)
{
    enum { HOUR = 3600000 };
    scratch *t = *state;
    evdb_token token = redeemed(t->db, "app"), next;
    now += 8 * HOUR - 1;
    ok(refresh(t->db, token.refresh, &token));
    now += 8 * HOUR;
    refused(EVDB_GONE, refresh(t->db, token.refresh, &next));
    expect_says("expired");
    token = redeemed(t->db, "app");
    for (int i = 0; i < 5; i++) {
        now += 4 * HOUR;
        ok(refresh(t->db, token.refresh, &token));
    }
    now += 4 * HOUR - 1; /* a day, but for a millisecond */
    ok(refresh(t->db, token.refresh, &token));
    now += 1;
    refused(EVDB_GONE, refresh(t->db, token.refresh, &next));
}

static void what_a_user_gave_ends_with_the_password_and_the_user(void **state)
{
    scratch *t = *state;
    evdb_token token, next;
    for (int i = 0; i < 4; i++) {
        code c = issue(t->db, "app");
        evdb_token_options o = by_name();
        o.format = i % 2 ? EVDB_TOKEN_OPAQUE : EVDB_TOKEN_JWT;
        code used = issue(t->db, "app");
        ok(evdb_auth_code_redeem(t->db, "app", NULL, used.text, REDIRECT, VERIFIER, &o, &token, &why));
        assert_true(client_token_good(t->db, token.access));
        if (i < 2) ok(evdb_auth_user_change_password(t->db, "alice", "password b", &why));
        else {
            ok(evdb_auth_user_remove(t->db, "alice", &why));
            assert_false(client_token_good(t->db, token.access));
            ok(evdb_auth_user_add(t->db, "alice", "password a", EVDB_SCOPE_ADMIN, NULL, &why));
        }
        assert_false(client_token_good(t->db, token.access));
        refused(EVDB_GONE, refresh(t->db, token.refresh, &next));
        refused(EVDB_GONE, redeem(t->db, "app", &c, &next));
    }
}

static void who_logged_in_with_another_password_gets_no_code(void **state)
{
    scratch *t = *state;
    evdb_code_options o = asking("app");
    evdb_user who;
    char text[EVDB_SECRET_BYTES], stores[EVDB_STORE_SCOPES_BYTES];
    uint32_t scopes;
    ok(evdb_auth_user_check(t->db, "alice", "password a", &who, &why));
    o.user_generation = who.generation;
    ok(evdb_auth_code_issue(t->db, &o, text, &why));
    for (int anew = 0; anew < 2; anew++) {
        if (anew) ok(evdb_auth_user_remove(t->db, "alice", &why));
        if (anew) ok(evdb_auth_user_add(t->db, "alice", "password a", 0, NULL, &why));
        else ok(evdb_auth_user_change_password(t->db, "alice", "password a", &why));
        refused(EVDB_DENIED, evdb_auth_code_issue(t->db, &o, text, &why));
        refused(EVDB_DENIED, evdb_auth_code_scopes(t->db, &o, &scopes, stores, &why));
    }
    ok(evdb_auth_user_check(t->db, "alice", "password a", &who, &why));
    o.user_generation = who.generation;
    ok(evdb_auth_code_issue(t->db, &o, text, &why));
}

static void what_a_client_was_given_ends_with_the_client(void **state)
{
    scratch *t = *state;
    code c = issue(t->db, "app");
    evdb_token token = redeemed(t->db, "app");
    evdb_verify_report report;
    ok(evdb_auth_client_remove(t->db, "app", &why));
    assert_false(client_token_good(t->db, token.access));
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    add_client(t->db, "app", EVDB_GRANT_AUTHORIZATION_CODE);
    assert_false(client_token_good(t->db, token.access));
    refused(EVDB_GONE, redeem(t->db, "app", &c, &token));
}

/* ---- many at once ---- */

enum { THREADS = 8, TRIES = 125 };

typedef struct race {
    evdb *db[2];
    code code;
    evdb_token token; /* whose refresh token is raced for, where it has one */
    pthread_barrier_t barrier;
    atomic_int turn, won, gone;
} race;

static void *run_for_it(void *context)
{
    race *r = context;
    evdb *db = r->db[atomic_fetch_add(&r->turn, 1) % 2];
    evdb_token_options o = by_name();
    evdb_token got;
    pthread_barrier_wait(&r->barrier);
    for (int i = 0; i < TRIES; i++) {
        evdb_status rc = *r->token.refresh ? evdb_auth_token_refresh(db, "app", NULL, r->token.refresh, &o, &got, NULL)
                                           : evdb_auth_code_redeem(db, "app", NULL, r->code.text, REDIRECT, VERIFIER, &o, &got, NULL);
        if (rc == EVDB_OK) atomic_fetch_add(&r->won, 1);
        else if (rc == EVDB_GONE) atomic_fetch_add(&r->gone, 1);
    }
    return NULL;
}

static void of_a_thousand_that_want_it_at_once_one_gets_it(void **state)
{
    scratch *t = *state;
    race r = { .db = { t->db }, .token = { .refresh = "" } };
    pthread_t running[THREADS];
    ok(evdb_open(t->path, NULL, &r.db[1], &why)); /* with the machine's clock: what is raced for has to be good by both */
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    now = (int64_t)real.tv_sec * 1000;
    for (int refreshes = 0; refreshes < 2; refreshes++) {
        if (refreshes) r.token = redeemed(t->db, "app");
        else r.code = issue(t->db, "app");
        atomic_store(&r.won, 0);
        atomic_store(&r.gone, 0);
        pthread_barrier_init(&r.barrier, NULL, THREADS);
        for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&running[i], NULL, run_for_it, &r), 0);
        for (int i = 0; i < THREADS; i++) pthread_join(running[i], NULL);
        pthread_barrier_destroy(&r.barrier);
        assert_int_equal(atomic_load(&r.won), 1);
        assert_int_equal(atomic_load(&r.gone), THREADS * TRIES - 1);
    }
    evdb_close(r.db[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_code_becomes_tokens_that_speak_for_the_user),
        TEST(a_code_is_good_once_and_twice_ends_all_that_came_of_it),
        TEST(a_refresh_token_used_twice_ends_the_access_tokens_too),
        TEST(a_code_lives_for_a_minute),
        TEST(what_a_code_was_not_made_for_does_not_use_it_up),
        TEST(without_a_good_challenge_there_is_no_code),
        TEST(an_audience_is_among_those_of_the_code),
        TEST(a_log_in_ends_after_a_day_and_earlier_when_it_lies_idle),
        TEST(what_a_user_gave_ends_with_the_password_and_the_user),
        TEST(who_logged_in_with_another_password_gets_no_code),
        TEST(what_a_client_was_given_ends_with_the_client),
        TEST(of_a_thousand_that_want_it_at_once_one_gets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
