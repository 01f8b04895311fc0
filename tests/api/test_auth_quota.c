/* test_auth_quota.c - evdb/auth.h: the limits of a client, which its tokens carry, and secrets that are not to be hashed. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <string.h>

static evdb_quota quota_of(evdb *db, const char *id)
{
    evdb_quota q;
    memset(&q, 0x5a, sizeof(q));
    ok(evdb_auth_quota_get(db, id, &q, &why));
    return q;
}

static void expect_quota(evdb_quota q, int64_t requests, int64_t records, int64_t bytes)
{
    assert_int_equal(q.requests, requests);
    assert_int_equal(q.records, records);
    assert_int_equal(q.bytes, bytes);
}

static evdb_principal principal_of(evdb *db, const char *access)
{
    evdb_principal who;
    ok(evdb_auth_token_check(db, access, NULL, &who, &why));
    return who;
}

static void a_client_has_no_limits_until_some_are_set(void **state)
{
    scratch *t = *state;
    (void)client_new(t->db, "a");
    expect_quota(quota_of(t->db, "a"), 0, 0, 0);
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ 5, EVDB_QUOTA_NONE, INT64_MAX }, &why));
    expect_quota(quota_of(t->db, "a"), 5, EVDB_QUOTA_NONE, INT64_MAX);
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ .bytes = 7 }, &why));
    expect_quota(quota_of(t->db, "a"), 0, 0, 7);
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ 0 }, &why));
    expect_quota(quota_of(t->db, "a"), 0, 0, 0);
}

static void tokens_follow_the_limits_of_their_client(void **state)
{
    scratch *t = *state;
    client a = client_new(t->db, "a"), b = client_new(t->db, "b");
    evdb_token of_a = client_login(t->db, &a), of_b = client_login(t->db, &b);
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ 1, 2, 3 }, &why));
    expect_quota(principal_of(t->db, of_a.access).quota, 1, 2, 3);
    expect_quota(principal_of(t->db, of_b.access).quota, 0, 0, 0);
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ 4, 5, 6 }, &why));
    expect_quota(principal_of(t->db, of_a.access).quota, 4, 5, 6);
}

static void limits_survive_a_new_secret_and_a_restart_but_not_their_client(void **state)
{
    scratch *t = *state;
    char made[EVDB_SECRET_BYTES];
    (void)client_new(t->db, "a");
    ok(evdb_auth_quota_set(t->db, "a", &(evdb_quota){ 1, 2, 3 }, &why));
    ok(evdb_auth_client_rotate(t->db, "a", NULL, made, &why));
    scratch_reopen(t);
    expect_quota(quota_of(t->db, "a"), 1, 2, 3);
    ok(evdb_auth_client_remove(t->db, "a", &why));
    refused(EVDB_NOT_FOUND, evdb_auth_quota_get(t->db, "a", &(evdb_quota){ 0 }, &why));
    (void)client_new(t->db, "a");
    expect_quota(quota_of(t->db, "a"), 0, 0, 0);
}

static void what_is_no_limit_or_no_client_is_refused(void **state)
{
    scratch *t = *state;
    static const evdb_quota bad[] = { { -2, 0, 0 }, { EVDB_QUOTA_REQUESTS_MAX + 1, 0, 0 }, { 0, -2, 0 }, { 0, 0, INT64_MIN } };
    evdb_quota fine = { 1, 1, 1 };
    char longer[EVDB_CLIENT_ID_MAX + 2];
    (void)client_new(t->db, "a");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) refused(EVDB_INVALID, evdb_auth_quota_set(t->db, "a", &bad[i], &why));
    refused(EVDB_INVALID, evdb_auth_quota_set(t->db, "a", NULL, &why));
    expect_quota(quota_of(t->db, "a"), 0, 0, 0);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = 0;
    const char *const nobody[] = { "b", "", longer, NULL };
    for (size_t i = 0; i < sizeof(nobody) / sizeof(*nobody); i++) {
        refused(EVDB_NOT_FOUND, evdb_auth_quota_set(t->db, nobody[i], &fine, &why));
        refused(EVDB_NOT_FOUND, evdb_auth_quota_get(t->db, nobody[i], &fine, &why));
    }
}

static void a_chosen_secret_is_not_looked_at_where_only_made_ones_are_wanted(void **state)
{
    scratch *t = *state;
    evdb_token_options options = EVDB_TOKEN_OPTIONS;
    evdb_token token;
    client made = client_new(t->db, "made");
    options.made_only = 1;
    ok(evdb_auth_client_add(t->db, "chosen", "correct horse", EVDB_SCOPE_READ, 0, NULL, &why));
    ok(evdb_auth_token_issue(t->db, "chosen", "correct horse", NULL, &token, &why)); /* remembered, and still not looked at */
    refused(EVDB_THROTTLED, evdb_auth_token_issue(t->db, "chosen", "correct horse", &options, &token, &why));
    refused(EVDB_THROTTLED, evdb_auth_token_refresh(t->db, "chosen", "correct horse", "any", &options, &token, &why));
    ok(evdb_auth_token_issue(t->db, "made", made.secret, &options, &token, &why));
    refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "made", "wrong secret", &options, &token, &why));
    refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "nobody", "correct horse", &options, &token, &why));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_has_no_limits_until_some_are_set),
        TEST(tokens_follow_the_limits_of_their_client),
        TEST(limits_survive_a_new_secret_and_a_restart_but_not_their_client),
        TEST(what_is_no_limit_or_no_client_is_refused),
        TEST(a_chosen_secret_is_not_looked_at_where_only_made_ones_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
