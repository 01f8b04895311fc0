/* test_auth_token.c - evdb/auth.h: what tokens are given, what they are good for, and when they stop being. Expiry is in
 * tests/unit/test_auth_seams.c, which sets the clock. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ_WRITE = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE };

static const char denied[] = "the client is unknown or its secret is wrong";

/* A client with just these, under a generated secret. */
static client limited(evdb *db, const char *id, uint32_t scopes, uint32_t grants)
{
    client c = { .id = id };
    ok(evdb_auth_client_add(db, id, NULL, scopes, grants, c.secret, &why));
    return c;
}

static evdb_status issue(evdb *db, const client *c, const evdb_token_options *options, evdb_token *out)
{
    return evdb_auth_token_issue(db, c->id, c->secret, options, out, &why);
}

static evdb_status refresh(evdb *db, const client *c, const char *token)
{
    evdb_token out;
    return evdb_auth_token_refresh(db, c->id, c->secret, token, NULL, &out, &why);
}

/* ---- giving ---- */

static void a_token_speaks_for_its_client_for_an_hour(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a"), reader = limited(t->db, "reader", 0, 0);
    evdb_principal who;
    struct timespec before, after;
    clock_gettime(CLOCK_REALTIME, &before);
    evdb_token token = client_login(t->db, &c), small = client_login(t->db, &reader);
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(token.expires_ms >= before.tv_sec * INT64_C(1000) + 3600000);
    assert_true(token.expires_ms <= (after.tv_sec + 1) * INT64_C(1000) + 3600000);
    assert_int_equal(token.scopes, EVERY_SCOPE);
    assert_true(strlen(token.access) < EVDB_TOKEN_BYTES && strlen(token.refresh) > 40);
    ok(evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    assert_string_equal(who.client, "a");
    assert_int_equal(who.scopes, EVERY_SCOPE);
    assert_int_equal(who.expires_ms, token.expires_ms);
    ok(evdb_auth_token_check(t->db, small.access, NULL, &who, &why));
    assert_string_equal(who.client, "reader");
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
    assert_string_equal(small.refresh, "");
    evdb_token again = client_login(t->db, &c);
    assert_string_not_equal(again.access, token.access); /* even within a millisecond */
    assert_string_not_equal(again.refresh, token.refresh);
}

static void an_unknown_client_and_a_wrong_secret_are_answered_alike(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a"), unknown = { .id = "b" };
    evdb_token token;
    char *endless = malloc(1 << 22);
    const char *const secrets[] = { NULL, "", "wrong", endless };
    assert_non_null(endless);
    memset(endless, 'e', (1 << 22) - 1);
    endless[(1 << 22) - 1] = 0;
    const char *const ids[] = { "a", "b", "A", "a ", "", NULL, endless, "a' OR '1'='1" };
    refused(EVDB_DENIED, issue(t->db, &unknown, NULL, &token));
    assert_string_equal(why.message, denied);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 4; j++) {
            refused(EVDB_DENIED, evdb_auth_token_issue(t->db, ids[i], secrets[j], NULL, &token, &why));
            assert_string_equal(why.message, denied);
            refused(EVDB_DENIED, evdb_auth_token_refresh(t->db, ids[i], secrets[j], "refresh", NULL, &token, &why));
            assert_string_equal(why.message, denied);
        }
    for (size_t i = 1; i < 8; i++)
        refused(EVDB_DENIED, evdb_auth_token_issue(t->db, ids[i], c.secret, NULL, &token, &why));
    free(endless);
}

static void a_client_gets_no_more_scopes_than_it_has(void **state)
{
    scratch *t = *state;
    client c = limited(t->db, "a", EVDB_SCOPE_WRITE, EVERY_GRANT);
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    evdb_token token = { .access = "untouched" };
    evdb_principal who;
    static const uint32_t too_many[] = { EVDB_SCOPE_ADMIN, EVERY_SCOPE, 8, 1u << 31 };
    for (size_t i = 0; i < sizeof(too_many) / sizeof(*too_many); i++) {
        o.scopes = too_many[i];
        refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
        expect_says("'read write'");
        assert_string_equal(token.access, "untouched");
    }
    ok(issue(t->db, &c, NULL, &token));
    assert_int_equal(token.scopes, READ_WRITE);
    o.scopes = EVDB_SCOPE_READ;
    ok(issue(t->db, &c, &o, &token));
    assert_int_equal(token.scopes, EVDB_SCOPE_READ);
    ok(evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
    o.scopes = EVDB_SCOPE_WRITE; /* includes read */
    refused(EVDB_INVALID, evdb_auth_token_refresh(t->db, c.id, c.secret, token.refresh, &o, &token, &why));
    ok(refresh(t->db, &c, token.refresh)); /* it was not used up */
    ok(issue(t->db, &c, &o, &token));
    assert_int_equal(token.scopes, READ_WRITE);
    ok(evdb_auth_token_refresh(t->db, c.id, c.secret, token.refresh, &o, &token, &why));
    assert_int_equal(token.scopes, READ_WRITE);
    ok(evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    assert_int_equal(who.scopes, READ_WRITE);
}

static void a_client_uses_the_grants_it_has(void **state)
{
    scratch *t = *state;
    client first = limited(t->db, "first", 0, EVDB_GRANT_CLIENT_CREDENTIALS);
    client second = limited(t->db, "second", 0, EVDB_GRANT_REFRESH_TOKEN);
    evdb_token token;
    ok(issue(t->db, &first, NULL, &token));
    assert_string_equal(token.refresh, "");
    refused(EVDB_UNSUPPORTED, refresh(t->db, &first, ""));
    expect_says("'first'");
    expect_says("refresh_token");
    refused(EVDB_UNSUPPORTED, issue(t->db, &second, NULL, &token));
    expect_says("client_credentials");
    refused(EVDB_GONE, refresh(t->db, &second, "made up"));
    memset(second.secret, 'x', 43);
    refused(EVDB_DENIED, issue(t->db, &second, NULL, &token)); /* who does not know the secret learns nothing */
}

static void lifetimes_are_at_most_ten_years(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token token;
    static const int64_t good[] = { 1000000, EVDB_TOKEN_LIFETIME_MAX_MS };
    static const int64_t bad[] = { -1, INT64_MIN, INT64_MAX, EVDB_TOKEN_LIFETIME_MAX_MS + 1 };
    for (size_t i = 0; i < 4; i++) {
        evdb_token_options o = { .size = sizeof(o), .lifetime_ms = bad[i] };
        refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
        o = (evdb_token_options){ .size = sizeof(o), .refresh_lifetime_ms = bad[i] };
        refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
    }
    for (size_t i = 0; i < 2; i++) {
        evdb_token_options o = { .size = sizeof(o), .lifetime_ms = good[i], .refresh_lifetime_ms = good[i] };
        ok(issue(t->db, &c, &o, &token));
        assert_true(client_token_good(t->db, token.access));
        ok(refresh(t->db, &c, token.refresh));
    }
}

/* ---- refreshing ---- */

static void a_refresh_token_works_once_and_its_copy_betrays_the_family(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token first = client_login(t->db, &c), other = client_login(t->db, &c);
    evdb_token second = client_refresh(t->db, &c, first.refresh), third = client_refresh(t->db, &c, second.refresh);
    assert_string_not_equal(second.refresh, first.refresh);
    assert_true(client_token_good(t->db, second.access) && client_token_good(t->db, third.access));
    refused(EVDB_GONE, refresh(t->db, &c, first.refresh));
    expect_says("used before");
    client_refresh_gone(t->db, &c, third.refresh); /* what came of it */
    client_refresh_gone(t->db, &c, second.refresh);
    client_refresh_gone(t->db, &c, first.refresh);
    assert_false(client_token_good(t->db, first.access) || client_token_good(t->db, second.access) || client_token_good(t->db, third.access));
    assert_true(client_token_good(t->db, other.access));
    ok(refresh(t->db, &c, other.refresh)); /* another log-in is another family */
}

static void a_refresh_token_is_good_for_its_client_alone(void **state)
{
    scratch *t = *state;
    client a = client_new(t->db, "a"), b = client_new(t->db, "b");
    evdb_token token = client_login(t->db, &a), used = client_refresh(t->db, &a, token.refresh);
    client_refresh_gone(t->db, &b, used.refresh);
    client_refresh_gone(t->db, &b, token.refresh); /* and b cannot revoke what is a's */
    ok(refresh(t->db, &a, used.refresh));
}

static void what_is_no_refresh_token_is_gone(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    char *endless = malloc(1 << 22), nearly[sizeof(token.refresh)];
    assert_non_null(endless);
    memset(endless, 'r', (1 << 22) - 1);
    endless[(1 << 22) - 1] = 0;
    const char *const texts[] = { NULL, "", "made up", c.secret, token.access, endless };
    for (size_t i = 0; i < 6; i++) client_refresh_gone(t->db, &c, texts[i]);
    free(endless);
    for (size_t i = 0; i < strlen(token.refresh) * 8; i++) {
        memcpy(nearly, token.refresh, sizeof(nearly));
        nearly[i / 8] ^= (char)(1 << i % 8);
        client_refresh_gone(t->db, &c, nearly);
    }
    assert_false(client_token_good(t->db, token.refresh));
    assert_false(client_token_good(t->db, c.secret));
    ok(refresh(t->db, &c, token.refresh));
}

/* RFC 6749, section 6: the new refresh token has the scopes of the old one, whatever the access token was asked for. */
static void fewer_scopes_are_for_one_access_token(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    evdb_token token = client_login(t->db, &c), small;
    evdb_principal who;
    o.scopes = EVDB_SCOPE_READ;
    ok(evdb_auth_token_refresh(t->db, "a", c.secret, token.refresh, &o, &small, &why));
    assert_int_equal(small.scopes, EVDB_SCOPE_READ);
    ok(evdb_auth_token_check(t->db, small.access, NULL, &who, &why));
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
    assert_int_equal(client_refresh(t->db, &c, small.refresh).scopes, EVERY_SCOPE);
    ok(issue(t->db, &c, &o, &small)); /* but what a log-in asks for is all that comes of it */
    assert_int_equal(client_refresh(t->db, &c, small.refresh).scopes, EVDB_SCOPE_READ);
}

/* The n-th token outlives those before it. */
static evdb_token nth_token(evdb *db, const client *c, unsigned n)
{
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    evdb_token token;
    o.refresh_lifetime_ms = INT64_C(3600000) * (n + 1);
    ok(issue(db, c, &o, &token));
    return token;
}

static void a_client_has_a_thousand_refresh_tokens_at_most(void **state)
{
    evdb *db;
    evdb_token first[3];
    (void)state;
    ok(evdb_open(":memory:", NULL, &db, &why));
    client c = client_new(db, "a"), other = client_new(db, "b");
    evdb_token others = client_login(db, &other);
    for (unsigned n = 0; n < EVDB_REFRESH_TOKENS_MAX; n++) {
        evdb_token token = nth_token(db, &c, n);
        if (n < 3) first[n] = token;
    }
    evdb_token last = nth_token(db, &c, EVDB_REFRESH_TOKENS_MAX);
    client_refresh_gone(db, &c, first[0].refresh);
    (void)client_refresh(db, &c, last.refresh); /* one more again */
    client_refresh_gone(db, &c, first[1].refresh);
    (void)client_refresh(db, &c, first[2].refresh);
    (void)client_refresh(db, &other, others.refresh);
    evdb_close(db);
}

/* ---- what ends a token ---- */

static void a_new_secret_ends_all_tokens(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a"), other = client_new(t->db, "b");
    evdb_token token = client_login(t->db, &c), others = client_login(t->db, &other);
    ok(evdb_auth_client_rotate(t->db, "a", NULL, c.secret, &why));
    assert_false(client_token_good(t->db, token.access));
    client_refresh_gone(t->db, &c, token.refresh);
    token = client_login(t->db, &c);
    assert_true(client_token_good(t->db, token.access));
    ok(refresh(t->db, &c, token.refresh));
    assert_true(client_token_good(t->db, others.access));
    ok(refresh(t->db, &other, others.refresh));
}

static void a_removed_client_takes_its_tokens_along_for_good(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    ok(evdb_auth_client_remove(t->db, "a", &why));
    assert_false(client_token_good(t->db, token.access));
    refused(EVDB_DENIED, refresh(t->db, &c, token.refresh));
    for (int i = 0; i < 20; i++) {
        client again = client_new(t->db, "a");
        assert_false(client_token_good(t->db, token.access));
        client_refresh_gone(t->db, &again, token.refresh);
        assert_true(client_token_good(t->db, client_login(t->db, &again).access));
        ok(evdb_auth_client_remove(t->db, "a", &why));
    }
}

/* ---- forging ---- */

static void try_changed(evdb *db, const char *id, evdb_token_format format)
{
    const evdb_token_options o = { .size = sizeof(o), .format = format };
    static const char *const prefixes[] = { "", "evdb2.", "evdb1", "evdb1..", "EVDB1.", "evdb1. ", " evdb1.", "Bearer evdb1." };
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n";
    client c = limited(db, id, EVDB_SCOPE_READ, 0);
    evdb_token token;
    ok(issue(db, &c, &o, &token));
    size_t length = strlen(token.access);
    char changed[2 * EVDB_TOKEN_BYTES];
    for (size_t i = 0; i < length * 8; i++) {
        memcpy(changed, token.access, length + 1);
        changed[i / 8] ^= (char)(1 << i % 8);
        assert_false(client_token_good(db, changed));
    }
    for (size_t i = 0; i < length; i++) {
        memcpy(changed, token.access, i);
        changed[i] = 0;
        assert_false(client_token_good(db, changed));
        assert_false(client_token_good(db, token.access + i + 1));
    }
    for (const char *end = alphabet; *end; end++) { /* one character more, or another at the end */
        snprintf(changed, sizeof(changed), "%s%c", token.access, *end);
        assert_false(client_token_good(db, changed));
        changed[length] = 0;
        changed[length - 1] = *end;
        assert_true(client_token_good(db, changed) == (*end == token.access[length - 1]));
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        snprintf(changed, sizeof(changed), "%s%.500s", prefixes[i], token.access + 6);
        assert_false(client_token_good(db, changed));
    }
    assert_true(client_token_good(db, token.access));
    ok(evdb_auth_client_remove(db, id, &why));
}

static void a_changed_token_is_refused(void **state)
{
    scratch *t = *state;
    for (evdb_token_format format = EVDB_TOKEN_JWT; format <= EVDB_TOKEN_OPAQUE; format++) {
        try_changed(t->db, "abc", format); /* the last character has 0, 2 or 4 bits that say nothing */
        try_changed(t->db, "abcd", format);
        try_changed(t->db, "abcde", format);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    enum { HUGE = 1 << 22 };
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    evdb_principal who;
    char *huge = malloc(HUGE);
    assert_non_null(huge);
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, NULL, NULL, &who, &why));
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, "", NULL, &who, &why));
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, "evdb1.", NULL, &who, &why));
    for (size_t size = 1; size < HUGE; size = size * 3 / 2 + 1) {
        memset(huge, 'A', size);
        memcpy(huge, token.access, size < strlen(token.access) ? size : strlen(token.access));
        huge[size] = 0;
        if (size != strlen(token.access)) assert_false(client_token_good(t->db, huge));
    }
    free(huge);
}

static void a_token_of_another_database_is_refused(void **state)
{
    scratch *t = *state;
    evdb *other;
    ok(evdb_open(":memory:", NULL, &other, &why));
    client here = client_new(t->db, "a"), there = client_new(other, "a");
    evdb_token token = client_login(t->db, &here), foreign = client_login(other, &there);
    assert_true(client_token_good(t->db, token.access) && client_token_good(other, foreign.access));
    assert_false(client_token_good(t->db, foreign.access));
    assert_false(client_token_good(other, token.access));
    client_refresh_gone(t->db, &here, foreign.refresh);
    refused(EVDB_DENIED, issue(t->db, &there, NULL, &token));
    ok(refresh(other, &there, foreign.refresh)); /* all of it works in memory, too */
    evdb_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_speaks_for_its_client_for_an_hour),
        TEST(an_unknown_client_and_a_wrong_secret_are_answered_alike),
        TEST(a_client_gets_no_more_scopes_than_it_has),
        TEST(a_client_uses_the_grants_it_has),
        TEST(lifetimes_are_at_most_ten_years),
        TEST(a_refresh_token_works_once_and_its_copy_betrays_the_family),
        TEST(a_refresh_token_is_good_for_its_client_alone),
        TEST(what_is_no_refresh_token_is_gone),
        TEST(fewer_scopes_are_for_one_access_token),
        cmocka_unit_test(a_client_has_a_thousand_refresh_tokens_at_most),
        TEST(a_new_secret_ends_all_tokens),
        TEST(a_removed_client_takes_its_tokens_along_for_good),
        TEST(a_changed_token_is_refused),
        TEST(what_is_no_token_is_refused),
        TEST(a_token_of_another_database_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
