/* test_auth_seams.c - evdb/auth.h with clock and randomness replaced: expiry, and what happens between the steps of a call. */
#include "client.h"
#include "database_private.h"
#include "expect.h"
#include "scratch.h"
#include <evdb/user.h>
#include <string.h>

/* What the database under test is told. */
typedef struct seams {
    int64_t now_ms;
    void (*meanwhile)(void); /* done once, at the next random bytes; NULL = nothing */
    int draws;               /* of random bytes before that */
} seams;

static seams told; /* outlives the test: its database is closed after it */

static int64_t clock_ms(void *context) { return ((seams *)context)->now_ms; }

static void random_bytes(void *context, void *bytes, size_t count)
{
    seams *s = context;
    void (*meanwhile)(void) = s->draws > 0 ? NULL : s->meanwhile;
    if (meanwhile) s->meanwhile = NULL;
    s->draws--;
    if (meanwhile) meanwhile();
    platform_real.random(NULL, bytes, count);
}

static void open_with_seams(scratch *t)
{
    platform p = platform_real;
    told = (seams){ .now_ms = INT64_C(1700000000000) };
    p.clock_context = p.random_context = &told;
    p.clock_ms = clock_ms;
    p.random = random_bytes;
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
}

/* ---- expiry ---- */

static void an_access_token_lives_to_the_millisecond_and_a_jwt_to_the_end_of_its_second(void **state)
{
    scratch *t = *state;
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    evdb_token token;
    evdb_principal who;
    open_with_seams(t);
    client c = client_new(t->db, "a");
    const int64_t start = told.now_ms + 1, lifetimes[] = { 1, 999, 1000, 3600000, EVDB_TOKEN_LIFETIME_MAX_MS };
    for (size_t i = 0; i < 10; i++) {
        int64_t end = start + lifetimes[i / 2];
        o.format = i % 2 ? EVDB_TOKEN_OPAQUE : EVDB_TOKEN_JWT;
        if (o.format == EVDB_TOKEN_JWT) end = (end + 999) / 1000 * 1000;
        o.lifetime_ms = lifetimes[i / 2];
        told.now_ms = start;
        ok(evdb_auth_token_issue(t->db, "a", c.secret, &o, &token, &why));
        assert_true(token.expires_ms == end);
        told.now_ms = end - 1;
        assert_true(client_token_good(t->db, token.access));
        told.now_ms = end;
        refused(EVDB_DENIED, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
        expect_says("expired");
        told.now_ms = INT64_MAX;
        assert_false(client_token_good(t->db, token.access));
    }
}

static void defaults_are_an_hour_and_a_day(void **state)
{
    scratch *t = *state;
    open_with_seams(t);
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    assert_true(token.expires_ms == told.now_ms + 3600000);
    told.now_ms += 3600000;
    assert_false(client_token_good(t->db, token.access));
    told.now_ms += 23 * 3600000 - 1;
    token = client_refresh(t->db, &c, token.refresh); /* the last moment */
    told.now_ms += 24 * 3600000;
    client_refresh_gone(t->db, &c, token.refresh);
}

static void an_expired_refresh_token_revokes_nothing(void **state)
{
    scratch *t = *state;
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    evdb_token first, second;
    open_with_seams(t);
    client c = client_new(t->db, "a");
    o.refresh_lifetime_ms = 1000;
    ok(evdb_auth_token_issue(t->db, "a", c.secret, &o, &first, &why));
    told.now_ms += 500;
    ok(evdb_auth_token_refresh(t->db, "a", c.secret, first.refresh, &o, &second, &why)); /* this one lives 1000 ms itself */
    told.now_ms += 999;
    (void)client_login(t->db, &c); /* keeping a token forgets the expired ones */
    client_refresh_gone(t->db, &c, first.refresh);
    (void)client_refresh(t->db, &c, second.refresh);
}

/* ---- between two steps ---- */

static evdb *other; /* another handle, as another process would have */
static char rotated[EVDB_SECRET_BYTES];

static void rotate(void) { ok(evdb_auth_client_rotate(other, "a", NULL, rotated, &why)); }
static void remove_client(void) { ok(evdb_auth_client_remove(other, "a", &why)); }

static void replace_client(void)
{
    remove_client();
    ok(evdb_auth_client_add(other, "a", NULL, EVERY_SCOPE, EVERY_GRANT, rotated, &why));
}

/* Its secret was right when it was looked at, and is not when the token is to be kept. */
static void a_client_that_changes_while_it_logs_in_gets_nothing(void **state)
{
    static void (*const changes[])(void) = { rotate, remove_client, replace_client };
    scratch *t = *state;
    evdb_token token, got = { .access = "untouched" };
    open_with_seams(t);
    ok(evdb_open(t->path, NULL, &other, &why));
    for (size_t i = 0; i < 6; i++) {
        client c = client_new(t->db, "a");
        token = client_login(t->db, &c);
        told.meanwhile = changes[i / 2];
        if (i % 2) refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "a", c.secret, NULL, &got, &why));
        else refused(EVDB_DENIED, evdb_auth_token_refresh(t->db, "a", c.secret, token.refresh, NULL, &got, &why));
        assert_null(told.meanwhile);
        assert_string_equal(got.access, "untouched");
        if (changes[i / 2] != remove_client) ok(evdb_auth_client_remove(t->db, "a", &why));
    }
    evdb_close(other);
}

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* of RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static void change_password(void) { ok(evdb_auth_user_change_password(other, "alice", "another one", &why)); }

static void code_for_alice(evdb *db, char code[EVDB_SECRET_BYTES])
{
    evdb_code_options o = EVDB_CODE_OPTIONS;
    o.client = "app";
    o.user = "alice";
    o.redirect_uri = "https://app.example/";
    o.challenge = CHALLENGE;
    ok(evdb_auth_code_issue(db, &o, code, &why));
}

/* The code or the refresh token is used up, and the access token not made yet. */
static void another_password_ends_the_token_that_is_being_made(void **state)
{
    scratch *t = *state;
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    evdb_token_options by_name = EVDB_TOKEN_OPTIONS;
    evdb_token token;
    char code[EVDB_SECRET_BYTES];
    open_with_seams(t);
    ok(evdb_open(t->path, NULL, &other, &why));
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE | EVDB_GRANT_REFRESH_TOKEN;
    o.redirect_uris = "https://app.example/";
    by_name.authenticated = 1;
    ok(evdb_auth_client_register(t->db, "app", &o, NULL, &why));
    ok(evdb_auth_user_add(t->db, "alice", "password a", 0, NULL, &why));
    ok(evdb_auth_keys_rotate(t->db, &why)); /* there is one to sign with: making it draws, too */
    for (int refreshes = 0; refreshes < 2; refreshes++) {
        code_for_alice(t->db, code);
        if (refreshes) ok(evdb_auth_code_redeem(t->db, "app", NULL, code, "https://app.example/", VERIFIER, &by_name, &token, &why));
        told.meanwhile = change_password;
        told.draws = 2; /* for a refresh token; the next one is for the id of the access token */
        if (refreshes) ok(evdb_auth_token_refresh(t->db, "app", NULL, token.refresh, &by_name, &token, &why));
        else ok(evdb_auth_code_redeem(t->db, "app", NULL, code, "https://app.example/", VERIFIER, &by_name, &token, &why));
        assert_null(told.meanwhile);
        assert_false(client_token_good(t->db, token.access));
        refused(EVDB_GONE, evdb_auth_token_refresh(t->db, "app", NULL, token.refresh, &by_name, &token, &why));
    }
    evdb_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_access_token_lives_to_the_millisecond_and_a_jwt_to_the_end_of_its_second),
        TEST(defaults_are_an_hour_and_a_day),
        TEST(an_expired_refresh_token_revokes_nothing),
        TEST(a_client_that_changes_while_it_logs_in_gets_nothing),
        TEST(another_password_ends_the_token_that_is_being_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
