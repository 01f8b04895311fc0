/* test_user.c - evdb/user.h: users and their passwords, redirect URIs, and what a code is given. What becomes of codes is in
 * tests/unit/test_user_code.c, which sets the clock. */
#include <evdb/user.h>
#include "expect.h"
#include "scratch.h"
#include <string.h>

static void a_user_logs_in_with_the_password_and_nothing_else(void **state)
{
    scratch *t = *state;
    evdb_user who = { .scopes = 0 };
    ok(evdb_auth_user_add(t->db, "alice", "correct horse", EVDB_SCOPE_WRITE, "read:team-*", &why));
    ok(evdb_auth_user_check(t->db, "alice", "correct horse", &who, &why));
    assert_string_equal(who.name, "alice");
    assert_int_equal(who.scopes, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
    assert_string_equal(who.stores, "read:team-*");
    static const char *const wrong[] = { "correct horsf", "", "correct hors", "Correct horse", NULL };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        refused(EVDB_DENIED, evdb_auth_user_check(t->db, "alice", wrong[i], &who, &why));
        expect_says("the user is unknown or the password is wrong");
    }
    static const char *const nobody[] = { "Alice", "bob", "", "user:alice", NULL };
    for (size_t i = 0; i < sizeof(nobody) / sizeof(*nobody); i++) {
        refused(EVDB_DENIED, evdb_auth_user_check(t->db, nobody[i], "correct horse", &who, &why));
        expect_says("the user is unknown or the password is wrong");
    }
}

static void users_are_listed_without_their_passwords_and_removed(void **state)
{
    scratch *t = *state;
    evdb_user *list;
    size_t count;
    ok(evdb_auth_user_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_user_list_free(list);
    ok(evdb_auth_user_add(t->db, "bob", "password b", 0, NULL, &why));
    ok(evdb_auth_user_add(t->db, "alice", "password a", EVDB_SCOPE_ADMIN, NULL, &why));
    refused(EVDB_EXISTS, evdb_auth_user_add(t->db, "alice", "another one", 0, NULL, &why));
    scratch_reopen(t);
    ok(evdb_auth_user_list(t->db, &list, &count, &why));
    assert_int_equal(count, 2);
    assert_string_equal(list[0].name, "alice");
    assert_int_equal(list[0].scopes, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN);
    assert_int_equal(list[1].scopes, EVDB_SCOPE_READ);
    assert_true(list[1].created_ms > 0);
    evdb_auth_user_list_free(list);
    ok(evdb_auth_user_remove(t->db, "alice", &why));
    refused(EVDB_NOT_FOUND, evdb_auth_user_remove(t->db, "alice", &why));
    refused(EVDB_DENIED, evdb_auth_user_check(t->db, "alice", "password a", NULL, &why));
    ok(evdb_auth_user_check(t->db, "bob", "password b", NULL, &why));
}

static void a_new_password_takes_the_place_of_the_old_one(void **state)
{
    scratch *t = *state;
    ok(evdb_auth_user_add(t->db, "alice", "password a", 0, NULL, &why));
    ok(evdb_auth_user_check(t->db, "alice", "password a", NULL, &why)); /* and is remembered */
    ok(evdb_auth_user_change_password(t->db, "alice", "password b", &why));
    refused(EVDB_DENIED, evdb_auth_user_check(t->db, "alice", "password a", NULL, &why));
    ok(evdb_auth_user_check(t->db, "alice", "password b", NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_auth_user_change_password(t->db, "bob", "password b", &why));
}

static void what_no_user_can_be_is_refused(void **state)
{
    scratch *t = *state;
    static const char *const names[] = { NULL, "", "a b", "a:b", "a\"b", "\xc3\xa4", "0123456789012345678901234567890123456789012345678901234567890123x" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        refused(EVDB_INVALID, evdb_auth_user_add(t->db, names[i], "password a", 0, NULL, &why));
        expect_says("a user's name");
    }
    refused(EVDB_INVALID, evdb_auth_user_add(t->db, "a", NULL, 0, NULL, &why));
    refused(EVDB_INVALID, evdb_auth_user_add(t->db, "a", "short", 0, NULL, &why));
    refused(EVDB_INVALID, evdb_auth_user_add(t->db, "a", "new\nline of it", 0, NULL, &why));
    refused(EVDB_INVALID, evdb_auth_user_add(t->db, "a", "password a", 8, NULL, &why));
    refused(EVDB_INVALID, evdb_auth_user_add(t->db, "a", "password a", 0, "admin:docs", &why));
    refused(EVDB_INVALID, evdb_auth_user_change_password(t->db, "a", "short", &why));
}

static void a_redirect_uri_is_the_same_byte_by_byte_but_for_ports_of_loopback(void **state)
{
    static const struct { const char *known, *uri; bool same; } cases[] = {
        { "https://a.example/cb", "https://a.example/cb", true },
        { "https://b.example/cb https://a.example/cb", "https://a.example/cb", true },
        { "https://a.example/cb", "https://a.example/CB", false },
        { "https://a.example/cb", "https://A.example/cb", false },
        { "https://a.example/cb", "https://a.example/cb/", false },
        { "https://a.example/cb", "https://a.example/cb/../x", false },
        { "https://a.example/cb", "https://a.example/cb?x=1", false },
        { "https://a.example/cb", "https://a.example/cb#x", false },
        { "https://a.example/cb", "https://a.example:443/cb", false },
        { "https://a.example/cb", "https://a.example:8443/cb", false },
        { "https://a.example/cb", "https://u@a.example/cb", false },
        { "https://a.example/cb", "http://a.example/cb", false },
        { "https://a.example/cb https://b.example/cb", "https://a.example/cb https://b.example/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", true },
        { "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", true },
        { "http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true },
        { "http://[::1]/cb", "http://[::1]:9/cb", true },
        { "http://localhost/cb", "http://localhost:9/cb", true },
        { "http://localhost/cb", "http://127.0.0.1:9/cb", false },
        { "http://127.0.0.1/cb", "http://localhost:9/cb", false },
        { "http://localhost/cb", "http://LOCALHOST:9/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:9/cb2", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:123456/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:9@evil.example/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false },
        { "http://127.0.0.1/cb", "http://127.0.0.1:9/cb#x", false },
        { "http://127.0.0.1/cb", "https://127.0.0.1:9/cb", false },
        { "http://127.0.0.1", "http://127.0.0.1:9", true },
        { "com.example.app:/cb", "com.example.app:/cb", true },
        { "com.example.app:/cb", "com.example.app:/cb2", false },
        { "", "https://a.example/cb", false },
        { "https://a.example/cb", "", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (evdb_auth_redirect_allowed(cases[i].known, cases[i].uri) != (int)cases[i].same) fail_msg("%s and %s", cases[i].known, cases[i].uri);
    assert_int_equal(evdb_auth_redirect_allowed(NULL, "https://a.example/cb"), 0);
    assert_int_equal(evdb_auth_redirect_allowed("https://a.example/cb", NULL), 0);
}

/* What a client of `client` gets for a user of `user` when it asks for `asked`. */
static void a_code_is_for_what_user_client_and_request_have_in_common(void **state)
{
    static const struct { const char *client, *user, *asked, *granted; } cases[] = {
        { "write", "write", NULL, "read write" },
        { "admin", "read", NULL, "read" },
        { "read", "admin", NULL, "read" },
        { "admin", "admin", "write", "read write" },
        { "write", "read", "admin", "read" },
        { "read", "read:docs", NULL, "read:docs" },
        { "read:docs", "write", NULL, "read:docs" },
        { "write:team-*", "read", NULL, "read:team-*" },
        { "write:team-*", "read:team-a write:other", NULL, "read:team-a" },
        { "write:team-a write:x", "write:team-* read:x", NULL, "write:team-a read:x" },
        { "write", "read write:docs", NULL, "read write:docs" },
        { "admin", "admin", "read:docs write:team-*", "read:docs write:team-*" },
        { "read:*", "read:a read:b", "read:b read:c", "read:b" },
        { "read:a", "read:b", NULL, "" },
        { "read", "write:docs", "write:docs", "read:docs" },
    };
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_client_options c = EVDB_CLIENT_OPTIONS;
        evdb_code_options o = EVDB_CODE_OPTIONS;
        char stores[EVDB_STORE_SCOPES_BYTES], some[EVDB_STORE_SCOPES_BYTES] = "", text[EVDB_SCOPES_BYTES];
        uint32_t scopes = 0;
        ok(evdb_auth_scopes_split(cases[i].client, &c.scopes, stores, &why));
        c.stores = stores;
        c.method = EVDB_CLIENT_PUBLIC;
        c.grants = EVDB_GRANT_AUTHORIZATION_CODE;
        c.redirect_uris = "http://127.0.0.1/cb";
        ok(evdb_auth_client_register(t->db, "app", &c, NULL, &why));
        ok(evdb_auth_scopes_split(cases[i].user, &scopes, stores, &why));
        ok(evdb_auth_user_add(t->db, "alice", "password a", scopes, stores, &why));
        o.client = "app";
        o.user = "alice";
        o.redirect_uri = "http://127.0.0.1:1/cb";
        if (cases[i].asked) ok(evdb_auth_scopes_split(cases[i].asked, &o.scopes, some, &why));
        o.stores = some;
        if (*cases[i].granted) {
            ok(evdb_auth_code_scopes(t->db, &o, &scopes, stores, &why));
            assert_string_equal(evdb_auth_scopes_join(scopes, stores, text), cases[i].granted);
        } else refused(EVDB_INVALID, evdb_auth_code_scopes(t->db, &o, &scopes, stores, &why));
        ok(evdb_auth_user_remove(t->db, "alice", &why));
        ok(evdb_auth_client_remove(t->db, "app", &why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_user_logs_in_with_the_password_and_nothing_else, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(users_are_listed_without_their_passwords_and_removed, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_new_password_takes_the_place_of_the_old_one, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_no_user_can_be_is_refused, scratch_open, scratch_remove),
        cmocka_unit_test(a_redirect_uri_is_the_same_byte_by_byte_but_for_ports_of_loopback),
        cmocka_unit_test_setup_teardown(a_code_is_for_what_user_client_and_request_have_in_common, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
