/* test_auth_keys.c - evdb/auth.h with the clock replaced: a signing key from the day it is published to the day it is gone, and how
 * long it is known what was revoked. */
#include "auth/signing.h"
#include "client.h"
#include "database_private.h"
#include "disk/revoked.h"
#include "disk/system_private.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"
#include "tamper.h"
#include <stdio.h>
#include <string.h>

#define HOUR INT64_C(3600000)
#define SLACK SIGNING_SLACK_MS

static int64_t now_ms; /* what the database under test is told; outlives the test */

static int64_t clock_ms(void *context) { return *(int64_t *)context; }

static void open_with_clock(scratch *t)
{
    platform p = platform_real;
    now_ms = INT64_C(1700000000000);
    p.clock_context = &now_ms;
    p.clock_ms = clock_ms;
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
}

static evdb_token log_in(evdb *db, const client *c, int64_t lifetime_ms, int64_t key_lifetime_ms)
{
    evdb_token_options o = { .size = sizeof(o), .lifetime_ms = lifetime_ms, .key_lifetime_ms = key_lifetime_ms };
    evdb_token token;
    ok(evdb_auth_token_issue(db, c->id, c->secret, &o, &token, &why));
    return token;
}

static size_t keys_of(evdb *db, evdb_signing_key keys[8])
{
    evdb_signing_key *list;
    size_t count;
    ok(evdb_auth_keys_list(db, &list, &count, &why));
    assert_in_range(count, 2, 8);
    memcpy(keys, list, count * sizeof(*list));
    evdb_auth_keys_list_free(list);
    return count;
}

static void a_key_is_published_before_it_signs_and_until_its_last_token_expires(void **state)
{
    scratch *t = *state;
    evdb_signing_key before[8], after[8];
    evdb_principal who;
    open_with_clock(t);
    client c = client_new(t->db, "a");
    assert_int_equal(keys_of(t->db, before), 2);
    assert_true(before[0].state == EVDB_KEY_ACTIVE && before[1].state == EVDB_KEY_NEXT && before[0].ends_ms == 0);
    (void)log_in(t->db, &c, 3 * HOUR, 0); /* the longest counts, not the last */
    evdb_token token = log_in(t->db, &c, 2 * HOUR, 0);
    ok(evdb_auth_keys_rotate(t->db, &why));
    assert_int_equal(keys_of(t->db, after), 3);
    assert_string_equal(after[0].id, before[1].id);
    assert_string_equal(after[2].id, before[0].id);
    assert_true(after[0].state == EVDB_KEY_ACTIVE && after[1].state == EVDB_KEY_NEXT && after[2].state == EVDB_KEY_RETIRING);
    assert_true(after[0].changed_ms == now_ms && after[2].ends_ms == now_ms + 3 * HOUR + SLACK);
    now_ms += 2 * HOUR - 1;
    assert_true(client_token_good(t->db, token.access));
    now_ms += HOUR + SLACK;
    assert_int_equal(keys_of(t->db, after), 3);
    now_ms += 1;
    assert_int_equal(keys_of(t->db, after), 2); /* it may still be a row: nobody is told */
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    ok(evdb_auth_keys_rotate(t->db, &why));
    assert_int_equal(keys_of(t->db, before), 3);
    assert_string_equal(before[0].id, after[1].id);
    assert_string_equal(before[2].id, after[0].id);
}

static void keys_are_rotated_when_they_are_as_old_as_wished(void **state)
{
    scratch *t = *state;
    evdb_signing_key first[8], then[8];
    open_with_clock(t);
    client c = client_new(t->db, "a");
    evdb_token token = log_in(t->db, &c, HOUR, 24 * HOUR);
    keys_of(t->db, first);
    now_ms += 24 * HOUR - 1;
    (void)log_in(t->db, &c, HOUR, 24 * HOUR);
    keys_of(t->db, then);
    assert_string_equal(then[0].id, first[0].id);
    now_ms += 1;
    token = log_in(t->db, &c, HOUR, 24 * HOUR);
    assert_int_equal(keys_of(t->db, then), 3);
    assert_string_equal(then[0].id, first[1].id);
    assert_true(client_token_good(t->db, token.access));
    (void)log_in(t->db, &c, HOUR, 24 * HOUR);
    assert_int_equal(keys_of(t->db, then), 3); /* once */
    now_ms += 1000 * 24 * HOUR;
    (void)log_in(t->db, &c, HOUR, 0); /* whatever its age */
    keys_of(t->db, first);
    assert_string_equal(first[0].id, then[0].id);
    token = log_in(t->db, &c, HOUR, 1); /* even then a key signs at least once */
    assert_true(client_token_good(t->db, token.access));
}

static void keys_that_have_not_ended_may_be_too_many(void **state)
{
    scratch *t = *state;
    evdb_status rc = EVDB_OK;
    open_with_clock(t);
    client c = client_new(t->db, "a");
    evdb_token token = { .access = "" };
    size_t count = 2;
    while (count < 100 && rc == EVDB_OK) {
        token = log_in(t->db, &c, EVDB_TOKEN_LIFETIME_MAX_MS, 0);
        rc = evdb_auth_keys_rotate(t->db, &why);
        count += rc == EVDB_OK;
    }
    assert_int_equal(rc, EVDB_LIMIT);
    assert_in_range(count, 60, 64);
    assert_true(client_token_good(t->db, token.access));
    now_ms += EVDB_TOKEN_LIFETIME_MAX_MS + SLACK;
    ok(evdb_auth_keys_rotate(t->db, &why));
}

static void another_process_s_keys_are_ours_at_once(void **state)
{
    scratch *t = *state;
    evdb_signing_key here[8], there[8];
    evdb *other;
    open_with_clock(t);
    client c = client_new(t->db, "a");
    ok(evdb_open(t->path, NULL, &other, &why));
    now_ms = platform_real.clock_ms(NULL);
    for (int i = 0; i < 6; i++) {
        evdb *one = i % 2 ? other : t->db, *two = i % 2 ? t->db : other;
        evdb_token token = log_in(one, &c, HOUR, 0);
        assert_true(client_token_good(two, token.access));
        ok(evdb_auth_keys_rotate(two, &why));
        assert_true(client_token_good(one, token.access));
        size_t count = keys_of(one, here);
        assert_int_equal(keys_of(two, there), count);
        assert_int_equal(count, i + 3);
        for (size_t k = 0; k < count; k++) assert_string_equal(here[k].id, there[k].id);
    }
    evdb_close(other);
}

static void a_token_that_is_not_valid_yet_is_refused(void **state)
{
    scratch *t = *state;
    bool found;
    char text[JWT_BYTES];
    client_row row;
    evdb_principal who;
    signing_key key;
    open_with_clock(t);
    client c = client_new(t->db, "a");
    (void)log_in(t->db, &c, HOUR, 0);
    ok(clients_find(t->db->system, "a", &row, &found, &why));
    assert_true(found && signing_active(t->db->signing, &key));
    jwt_claims claims = { .issuer = "evdb", .subject = "a", .client = "a", .scope = "read", .audience = "evdb", .issued_ms = now_ms,
                          .expires_ms = now_ms + HOUR, .not_before_ms = now_ms + 1000, .generation = row.generation };
    ok(signing_sign(t->db->signing, key.kid, &claims, text, &why));
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, text, NULL, &who, &why));
    expect_says("not valid yet");
    now_ms += 999;
    assert_false(client_token_good(t->db, text));
    now_ms += 1;
    ok(evdb_auth_token_check(t->db, text, NULL, &who, &why));
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
}

static int64_t revoked_rows(evdb *db)
{
    int64_t count = 0;
    ok(system_integer(db->system, "SELECT count(*) FROM revoked", NULL, 0, &count, &why));
    return count;
}

static void what_is_revoked_is_forgotten_when_it_would_have_expired(void **state)
{
    scratch *t = *state;
    open_with_clock(t);
    client c = client_new(t->db, "a");
    evdb_token one = log_in(t->db, &c, HOUR, 0), two = log_in(t->db, &c, 3 * HOUR, 0), three = log_in(t->db, &c, 3 * HOUR, 0);
    ok(evdb_auth_token_revoke(t->db, "a", one.access, &why));
    ok(evdb_auth_token_revoke(t->db, "a", two.access, &why));
    refused(EVDB_NOT_FOUND, evdb_auth_token_revoke(t->db, "a", two.access, &why)); /* it is no good anyway */
    assert_int_equal(revoked_rows(t->db), 2);
    now_ms += 2 * HOUR;
    ok(evdb_auth_token_revoke(t->db, "a", three.access, &why));
    assert_int_equal(revoked_rows(t->db), 2);
    assert_false(client_token_good(t->db, two.access) || client_token_good(t->db, three.access));
}

static void a_client_may_revoke_many_tokens_but_not_for_ever(void **state)
{
    scratch *t = *state;
    char statement[300];
    open_with_clock(t);
    client c = client_new(t->db, "a"), other = client_new(t->db, "b");
    evdb_token token = log_in(t->db, &c, HOUR, 0), others = log_in(t->db, &other, HOUR, 0);
    evdb_close(t->db);
    snprintf(statement, sizeof(statement), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%u) INSERT INTO revoked"
             " SELECT randomblob(16), 'a', %lld FROM n", EVDB_REVOKED_MAX, (long long)now_ms + HOUR);
    char path[2 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    tamper(path, statement);
    open_with_clock(t);
    refused(EVDB_LIMIT, evdb_auth_token_revoke(t->db, "a", token.access, &why));
    assert_true(client_token_good(t->db, token.access));
    ok(evdb_auth_token_revoke(t->db, "b", others.access, &why));
    ok(evdb_auth_token_revoke(t->db, "a", token.refresh, &why)); /* a log-in ends all the same */
    assert_false(client_token_good(t->db, token.access));
    assert_int_equal(revoked_rows(t->db), EVDB_REVOKED_MAX + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_published_before_it_signs_and_until_its_last_token_expires),
        TEST(keys_are_rotated_when_they_are_as_old_as_wished),
        TEST(keys_that_have_not_ended_may_be_too_many),
        TEST(another_process_s_keys_are_ours_at_once),
        TEST(a_token_that_is_not_valid_yet_is_refused),
        TEST(what_is_revoked_is_forgotten_when_it_would_have_expired),
        TEST(a_client_may_revoke_many_tokens_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
