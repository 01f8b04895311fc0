/* test_auth.c - evdb/auth.h: scopes, grants, and clients with their secrets. Tokens are in test_auth_token.c. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- scopes and grants ---- */

static uint32_t scopes(const char *text)
{
    uint32_t bits = 0;
    ok(evdb_auth_scopes_parse(text, &bits, &why));
    return bits;
}

static void a_scope_includes_what_lies_below_it(void **state)
{
    (void)state;
    assert_int_equal(scopes("read"), EVDB_SCOPE_READ);
    assert_int_equal(scopes("write"), EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
    assert_int_equal(scopes("admin"), EVERY_SCOPE);
    assert_int_equal(scopes("read write"), EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
    assert_int_equal(scopes("write read write"), EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
    assert_int_equal(scopes("admin read"), EVERY_SCOPE);
}

static void names_that_are_not_exact_are_refused(void **state)
{
    static const char *const texts[] = { NULL, "", " ", "  ", " read", "read ", "read  write", "Read", "reader", "rea", "read,write",
                                         "read\twrite", "read\nwrite", "read write root", "client_credentials" };
    uint32_t bits = 77;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        refused(EVDB_INVALID, evdb_auth_scopes_parse(texts[i], &bits, &why));
        if (i + 1 < sizeof(texts) / sizeof(*texts)) refused(EVDB_INVALID, evdb_auth_grants_parse(texts[i], &bits, &why));
        assert_int_equal(bits, 77);
    }
    refused(EVDB_INVALID, evdb_auth_scopes_parse("read rooot", &bits, &why));
    expect_says("'rooot'");
    refused(EVDB_INVALID, evdb_auth_grants_parse("password refresh_token", &bits, &why));
    expect_says("'password'");
    char *endless = malloc(1 << 20);
    assert_non_null(endless);
    memset(endless, 'r', (1 << 20) - 1);
    endless[(1 << 20) - 1] = 0;
    refused(EVDB_INVALID, evdb_auth_scopes_parse(endless, &bits, &why));
    free(endless);
}

static void what_is_written_reads_back_as_the_same(void **state)
{
    char space[65];
    uint32_t back;
    (void)state;
    for (uint32_t bits = 1; bits <= EVERY_SCOPE; bits++) {
        uint32_t whole = bits & EVDB_SCOPE_ADMIN ? EVERY_SCOPE : bits & EVDB_SCOPE_WRITE ? bits | EVDB_SCOPE_READ : bits;
        memset(space, 'x', sizeof(space));
        assert_ptr_equal(evdb_auth_scopes_text(bits, space), space);
        assert_int_equal(space[32], 'x'); /* 32 bytes are enough */
        assert_int_equal(scopes(space), whole);
    }
    for (uint32_t bits = 1; bits <= EVERY_GRANT; bits++) {
        memset(space, 'x', sizeof(space));
        assert_ptr_equal(evdb_auth_grants_text(bits, space), space);
        assert_int_equal(space[64], 'x');
        ok(evdb_auth_grants_parse(space, &back, &why));
        assert_int_equal(back, bits);
    }
    assert_string_equal(evdb_auth_scopes_text(EVERY_SCOPE, space), "read write admin");
    assert_string_equal(evdb_auth_scopes_text(UINT32_MAX, space), "read write admin");
    assert_string_equal(evdb_auth_scopes_text(0, space), "");
    assert_string_equal(evdb_auth_grants_text(UINT32_MAX, space), "client_credentials refresh_token authorization_code");
    assert_string_equal(evdb_auth_grants_text(0, space), "");
}

/* ---- clients ---- */

static evdb_status add(evdb *db, const char *id, const char *secret)
{
    char made[EVDB_SECRET_BYTES];
    return evdb_auth_client_add(db, id, secret, 0, 0, made, &why);
}

static evdb_status login(evdb *db, const char *id, const char *secret)
{
    evdb_token token;
    return evdb_auth_token_issue(db, id, secret, NULL, &token, &why);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void clients_are_listed_by_id(void **state)
{
    scratch *t = *state;
    evdb_client *list;
    size_t count;
    int64_t before_ms = now_ms();
    char secret[EVDB_SECRET_BYTES];
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_client_list_free(list);
    evdb_auth_client_list_free(NULL);
    ok(evdb_auth_client_add(t->db, "b", NULL, EVDB_SCOPE_ADMIN, EVDB_GRANT_REFRESH_TOKEN, secret, &why));
    ok(evdb_auth_client_add(t->db, "a", NULL, EVDB_SCOPE_WRITE, EVERY_GRANT, secret, &why));
    ok(evdb_auth_client_add(t->db, "a.b", NULL, 0, 0, secret, &why));
    ok(evdb_auth_client_add(t->db, "Z", "chosen by me", EVDB_SCOPE_READ, 0, NULL, &why));
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 4);
    const char *const ids[] = { "Z", "a", "a.b", "b" };
    const uint32_t granted[] = { EVDB_SCOPE_READ, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE, EVDB_SCOPE_READ, EVERY_SCOPE };
    const uint32_t grants[] = { EVDB_GRANT_CLIENT_CREDENTIALS, EVERY_GRANT, EVDB_GRANT_CLIENT_CREDENTIALS, EVDB_GRANT_REFRESH_TOKEN };
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].id, ids[i]);
        assert_int_equal(list[i].scopes, granted[i]);
        assert_int_equal(list[i].grants, grants[i]);
        assert_int_equal(list[i].chosen_secret, i == 0);
        assert_true(list[i].created_ms >= before_ms && list[i].created_ms <= now_ms());
    }
    evdb_auth_client_list_free(list);
}

static void bits_of_no_scope_or_grant_are_refused(void **state)
{
    scratch *t = *state;
    evdb_client *list;
    size_t count;
    char secret[EVDB_SECRET_BYTES] = "untouched";
    refused(EVDB_INVALID, evdb_auth_client_add(t->db, "a", NULL, 8, 0, secret, &why));
    refused(EVDB_INVALID, evdb_auth_client_add(t->db, "a", NULL, EVERY_SCOPE | 1u << 31, 0, secret, &why));
    refused(EVDB_INVALID, evdb_auth_client_add(t->db, "a", NULL, 0, 4, secret, &why));
    assert_string_equal(secret, "untouched");
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_client_list_free(list);
}

static void ids_are_checked(void **state)
{
    scratch *t = *state;
    char longest[EVDB_CLIENT_ID_MAX + 2], one[2] = "", secret[EVDB_SECRET_BYTES];
    memset(longest, 'i', sizeof(longest));
    longest[EVDB_CLIENT_ID_MAX + 1] = 0;
    refused(EVDB_INVALID, add(t->db, longest, NULL));
    expect_says("128");
    refused(EVDB_INVALID, evdb_auth_client_rotate(t->db, longest, NULL, secret, &why));
    refused(EVDB_INVALID, evdb_auth_client_remove(t->db, longest, &why));
    longest[EVDB_CLIENT_ID_MAX] = 0;
    ok(evdb_auth_client_add(t->db, longest, NULL, 0, 0, secret, &why));
    ok(login(t->db, longest, secret));
    ok(evdb_auth_client_remove(t->db, longest, &why));
    refused(EVDB_INVALID, add(t->db, NULL, NULL));
    refused(EVDB_INVALID, add(t->db, "", NULL));
    refused(EVDB_INVALID, evdb_auth_client_rotate(t->db, NULL, NULL, secret, &why));
    refused(EVDB_INVALID, evdb_auth_client_remove(t->db, NULL, &why));
    refused(EVDB_INVALID, add(t->db, "caf\xc3\xa9", NULL));
    for (int c = 1; c < 256; c++) {
        one[0] = (char)c;
        if (c > ' ' && c < 0x7f && !strchr(":\"\\", c)) ok(add(t->db, one, NULL));
        else refused(EVDB_INVALID, add(t->db, one, NULL));
    }
}

static void a_chosen_secret_has_8_to_256_bytes(void **state)
{
    scratch *t = *state;
    char longest[EVDB_SECRET_MAX + 2], secret[EVDB_SECRET_BYTES] = "untouched";
    memset(longest, 's', sizeof(longest));
    longest[EVDB_SECRET_MAX + 1] = 0;
    refused(EVDB_INVALID, add(t->db, "a", ""));
    refused(EVDB_INVALID, add(t->db, "a", "seven77"));
    refused(EVDB_INVALID, add(t->db, "a", longest));
    refused(EVDB_INVALID, add(t->db, "a", "line\nbreak"));
    refused(EVDB_INVALID, add(t->db, "a", "delete\x7fme"));
    assert_null(strstr(why.message, "delete"));
    longest[EVDB_SECRET_MAX] = 0;
    ok(evdb_auth_client_add(t->db, "a", "ei\xc3\x9f zw\xc3\xb6", 0, 0, secret, &why)); /* bytes: any encoding will do */
    ok(evdb_auth_client_add(t->db, "b", longest, 0, 0, NULL, &why));
    assert_string_equal(secret, "untouched");
    ok(login(t->db, "a", "ei\xc3\x9f zw\xc3\xb6"));
    ok(login(t->db, "b", longest));
    longest[EVDB_SECRET_MAX - 1] = 0;
    refused(EVDB_DENIED, login(t->db, "b", longest));
}

static void generated_secrets_are_43_characters_and_differ(void **state)
{
    enum { MANY = 50 };
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    scratch *t = *state;
    char secrets[MANY][EVDB_SECRET_BYTES], id[20];
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "client-%d", i);
        ok(evdb_auth_client_add(t->db, id, NULL, 0, 0, secrets[i], &why));
        assert_int_equal(strlen(secrets[i]), 43);
        assert_int_equal(strspn(secrets[i], alphabet), 43);
        for (int j = 0; j < i; j++) assert_string_not_equal(secrets[i], secrets[j]);
    }
    refused(EVDB_DENIED, login(t->db, "client-1", secrets[2]));
    refused(EVDB_INVALID, evdb_auth_client_add(t->db, "blind", NULL, 0, 0, NULL, &why));
    refused(EVDB_INVALID, evdb_auth_client_rotate(t->db, "client-1", NULL, NULL, &why));
    refused(EVDB_DENIED, login(t->db, "blind", secrets[0]));
    ok(login(t->db, "client-1", secrets[1]));
}

static void an_id_is_taken_once(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "taken");
    char secret[EVDB_SECRET_BYTES] = "untouched";
    refused(EVDB_EXISTS, evdb_auth_client_add(t->db, "taken", NULL, EVDB_SCOPE_READ, 0, secret, &why));
    expect_says("'taken'");
    assert_string_equal(secret, "untouched");
    assert_int_equal(client_login(t->db, &c).scopes, EVERY_SCOPE);
    ok(add(t->db, "Taken", NULL)); /* case counts */
}

static void a_new_secret_replaces_the_old_one(void **state)
{
    scratch *t = *state;
    evdb_client *list;
    size_t count;
    client c = client_new(t->db, "a"), other = client_new(t->db, "other");
    char made[EVDB_SECRET_BYTES], untouched[EVDB_SECRET_BYTES] = "untouched";
    refused(EVDB_INVALID, evdb_auth_client_rotate(t->db, "a", "short", made, &why));
    refused(EVDB_NOT_FOUND, evdb_auth_client_rotate(t->db, "nobody", NULL, untouched, &why));
    expect_says("'nobody'");
    ok(login(t->db, "a", c.secret));
    ok(evdb_auth_client_rotate(t->db, "a", "chosen by me", untouched, &why));
    assert_string_equal(untouched, "untouched");
    ok(login(t->db, "a", "chosen by me"));
    refused(EVDB_DENIED, login(t->db, "a", "chosen by mE"));
    refused(EVDB_DENIED, login(t->db, "a", c.secret));
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].chosen_secret, 1);
    assert_int_equal(list[1].chosen_secret, 0);
    assert_int_equal(list[0].scopes, EVERY_SCOPE);
    assert_int_equal(list[0].grants, EVERY_GRANT);
    evdb_auth_client_list_free(list);
    ok(evdb_auth_client_rotate(t->db, "a", NULL, made, &why));
    assert_string_not_equal(made, c.secret);
    ok(login(t->db, "a", made));
    refused(EVDB_DENIED, login(t->db, "a", "chosen by me"));
    ok(login(t->db, "other", other.secret));
}

static void a_removed_client_is_unknown(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a"), other = client_new(t->db, "other");
    char secret[EVDB_SECRET_BYTES];
    ok(evdb_auth_client_remove(t->db, "a", &why));
    refused(EVDB_NOT_FOUND, evdb_auth_client_remove(t->db, "a", &why));
    expect_says("'a'");
    refused(EVDB_NOT_FOUND, evdb_auth_client_rotate(t->db, "a", NULL, secret, &why));
    refused(EVDB_DENIED, login(t->db, "a", c.secret));
    ok(login(t->db, "other", other.secret));
    ok(evdb_auth_client_add(t->db, "a", NULL, 0, 0, secret, &why));
    refused(EVDB_DENIED, login(t->db, "a", c.secret));
    ok(login(t->db, "a", secret));
}

static void there_are_10000_clients_at_most(void **state)
{
    evdb *db;
    evdb_client *list;
    size_t count;
    char id[20];
    (void)state;
    ok(evdb_open(":memory:", NULL, &db, &why));
    for (unsigned i = 0; i < EVDB_CLIENTS_MAX; i++) {
        snprintf(id, sizeof(id), "c%05u", i);
        ok(add(db, id, NULL));
    }
    refused(EVDB_LIMIT, add(db, "one-more", NULL));
    expect_says("10000");
    ok(evdb_auth_client_list(db, &list, &count, &why));
    assert_int_equal(count, EVDB_CLIENTS_MAX);
    assert_string_equal(list[count - 1].id, "c09999");
    evdb_auth_client_list_free(list);
    ok(evdb_auth_client_remove(db, "c00000", &why));
    ok(add(db, "one-more", NULL));
    evdb_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_includes_what_lies_below_it),
        cmocka_unit_test(names_that_are_not_exact_are_refused),
        cmocka_unit_test(what_is_written_reads_back_as_the_same),
        TEST(clients_are_listed_by_id),
        TEST(bits_of_no_scope_or_grant_are_refused),
        TEST(ids_are_checked),
        TEST(a_chosen_secret_has_8_to_256_bytes),
        TEST(generated_secrets_are_43_characters_and_differ),
        TEST(an_id_is_taken_once),
        TEST(a_new_secret_replaces_the_old_one),
        TEST(a_removed_client_is_unknown),
        cmocka_unit_test(there_are_10000_clients_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
