/* test_auth_scopes.c - evdb/auth.h: scopes of some stores, from the text to what a token allows. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>

enum { READ = EVDB_SCOPE_READ, WRITE = EVDB_SCOPE_WRITE, ADMIN = EVDB_SCOPE_ADMIN };

static void scopes_are_taken_apart_and_written_again(void **state)
{
    static const struct { const char *text; uint32_t scopes; const char *stores, *again; } good[] = {
        { "read", READ, "", "read" },
        { "write:docs", 0, "write:docs", "write:docs" },
        { "read:team-* admin", READ | WRITE | ADMIN, "read:team-*", "read write admin read:team-*" },
        { "write:docs read write:docs read:docs", READ, "write:docs", "read write:docs" }, /* what is held already is said once */
        { "read:*", 0, "read:*", "read:*" },
    };
    char stores[EVDB_STORE_SCOPES_BYTES], space[EVDB_SCOPES_BYTES];
    uint32_t bits;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ok(evdb_auth_scopes_split(good[i].text, &bits, stores, &why));
        assert_int_equal(bits, good[i].scopes);
        assert_string_equal(stores, good[i].stores);
        assert_string_equal(evdb_auth_scopes_join(bits, stores, space), good[i].again);
    }
}

static void what_is_no_scope_is_refused_by_name(void **state)
{
    static const char *const bad[] = { "", " ", "read:", "read :x", "admin:docs", "root:docs", "read:Docs", "read:a*b", "read:**", "read:a:b",
                                       "read:docs ", "read:\xc3\xa4", "read:docs  write",
                                       "read:a123456789b123456789c123456789d123456789e123456789f123456789g1234" };
    char stores[EVDB_STORE_SCOPES_BYTES] = "untouched", many[4096] = "";
    uint32_t bits = 77;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) refused(EVDB_INVALID, evdb_auth_scopes_split(bad[i], &bits, stores, &why));
    refused(EVDB_INVALID, evdb_auth_scopes_split(NULL, &bits, stores, &why));
    for (int i = 0; i < 100; i++) snprintf(many + strlen(many), 32, "%sread:s%d", i ? " " : "", i);
    refused(EVDB_LIMIT, evdb_auth_scopes_split(many, &bits, stores, &why));
    assert_int_equal(bits, 77);
    assert_string_equal(stores, "untouched");
}

static void scopes_of_stores_allow_these_and_no_more(void **state)
{
    static const char *const held = "write:docs read:team-*";
    (void)state;
    assert_true(evdb_auth_scopes_allow(0, held, WRITE, "docs"));
    assert_true(evdb_auth_scopes_allow(0, held, READ, "docs"));
    assert_true(evdb_auth_scopes_allow(0, held, READ, "team-a"));
    assert_true(evdb_auth_scopes_allow(0, held, READ, "team-"));
    assert_false(evdb_auth_scopes_allow(0, held, WRITE, "team-a"));
    assert_false(evdb_auth_scopes_allow(0, held, READ, "docs2"));
    assert_false(evdb_auth_scopes_allow(0, held, READ, "doc"));
    assert_false(evdb_auth_scopes_allow(0, held, READ, "team"));
    assert_false(evdb_auth_scopes_allow(0, held, READ, ""));
    assert_false(evdb_auth_scopes_allow(0, held, READ, NULL));
    assert_false(evdb_auth_scopes_allow(0, held, ADMIN, "docs"));
    assert_false(evdb_auth_scopes_allow(READ, NULL, WRITE, "docs"));
    assert_true(evdb_auth_scopes_allow(READ, held, READ, "other"));
}

static void a_token_has_no_more_stores_than_its_client(void **state)
{
    static const struct { const char *asked; bool granted; } asks[] = {
        { "read:docs", true }, { "write:docs", true }, { "read:team-a", true }, { "read:team-a*", true }, { "read:team-*", true },
        { "write:team-a", false }, { "read:team*", false }, { "read:*", false }, { "read:other", false }, { "write:docs read:x", false },
    };
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    char secret[EVDB_SECRET_BYTES];
    evdb_token_options t = EVDB_TOKEN_OPTIONS;
    evdb_token token, next;
    evdb_principal who;
    scratch *s = *state;
    o.stores = "write:docs read:team-*";
    o.grants = EVERY_GRANT;
    ok(evdb_auth_client_register(s->db, "some", &o, secret, &why));
    for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        t.stores = asks[i].asked;
        if (!asks[i].granted) {
            refused(EVDB_INVALID, evdb_auth_token_issue(s->db, "some", secret, &t, &token, &why));
            expect_says("write:docs read:team-*");
            continue;
        }
        ok(evdb_auth_token_issue(s->db, "some", secret, &t, &token, &why));
        ok(evdb_auth_token_check(s->db, token.access, NULL, &who, &why));
        assert_int_equal(who.scopes, 0);
        assert_string_equal(who.stores, asks[i].asked);
    }
    t.stores = "read:docs"; /* less than the refresh token has, which keeps what it has */
    ok(evdb_auth_token_issue(s->db, "some", secret, NULL, &token, &why));
    ok(evdb_auth_token_refresh(s->db, "some", secret, token.refresh, &t, &next, &why));
    assert_string_equal(next.stores, "read:docs");
    ok(evdb_auth_token_refresh(s->db, "some", secret, next.refresh, NULL, &token, &why));
    assert_string_equal(token.stores, "write:docs read:team-*");
    t.scopes = EVDB_SCOPE_READ;
    refused(EVDB_INVALID, evdb_auth_token_refresh(s->db, "some", secret, token.refresh, &t, &next, &why));
}

static void all_that_is_said_of_a_client_is_found_again(void **state)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    evdb_client *found;
    scratch *s = *state;
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE | EVDB_GRANT_REFRESH_TOKEN;
    o.scopes = EVDB_SCOPE_WRITE;
    o.stores = "read:docs";
    o.title = "The app";
    o.redirect_uris = "http://127.0.0.1/cb com.example.app:/cb https://example.org/cb?x=1";
    ok(evdb_auth_client_register(s->db, "app", &o, NULL, &why));
    ok(evdb_auth_client_find(s->db, "app", &found, &why));
    assert_string_equal(found->id, "app");
    assert_int_equal(found->scopes, READ | WRITE);
    assert_string_equal(found->stores, "read:docs");
    assert_int_equal(found->method, EVDB_CLIENT_PUBLIC);
    assert_int_equal(found->grants, o.grants);
    assert_string_equal(found->title, "The app");
    assert_string_equal(found->redirect_uris, o.redirect_uris);
    assert_string_equal(found->jwks, "");
    evdb_auth_client_list_free(found);
    refused(EVDB_NOT_FOUND, evdb_auth_client_find(s->db, "other", &found, &why));
    refused(EVDB_INVALID, evdb_auth_client_rotate(s->db, "app", NULL, NULL, &why)); /* it has no secret */
}

static void redirect_uris_lead_where_only_the_client_listens(void **state)
{
    static const char *const bad[] = { "", " ", "http://example.org/cb", "https://", "https://example.org/#x", "/cb", "javascript:alert(1)",
                                       "data:text/html,x", "http://127.0.0.1.example.org/cb", "http://localhost.example.org/", "https://a/ ",
                                       "https://a/  https://b/", "https://a/\tb", "http://[::1]x/", "//evil.example/a.b:c", "/a.b:c", ".a:b", "1.a:b", "com.example.app:",
                                       "http://localhost:80@evil.example/", "http://127.0.0.1:x/", "http://localhost:123456/", "https://u@a/",
                                       "https:///a", "https://?a", "https://ex\xc3\xa4mple.org/" };
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    scratch *s = *state;
    o.method = EVDB_CLIENT_PUBLIC;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        o.redirect_uris = bad[i];
        refused(EVDB_INVALID, evdb_auth_client_register(s->db, "app", &o, NULL, &why));
    }
    o.redirect_uris = "http://[::1]:8080/cb http://localhost/ http://127.0.0.1:0/x";
    ok(evdb_auth_client_register(s->db, "app", &o, NULL, &why));
}

static void what_does_not_go_together_is_refused(void **state)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    char secret[EVDB_SECRET_BYTES];
    scratch *s = *state;
    o.method = EVDB_CLIENT_PUBLIC;
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why)); /* client_credentials is the default */
    o.method = EVDB_CLIENT_KEYS;
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why)); /* without keys */
    o.jwks = "{}";
    o.secret = "correct horse";
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why));
    o.method = EVDB_CLIENT_SECRET;
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why)); /* a secret and keys */
    o.jwks = NULL;
    o.grants = EVDB_GRANT_AUTHORIZATION_CODE;
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why)); /* without a redirect URI */
    o.grants = 8;
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why));
    o.grants = 0;
    o.stores = "read";
    refused(EVDB_INVALID, evdb_auth_client_register(s->db, "a", &o, secret, &why));
    o.stores = NULL;
    ok(evdb_auth_client_register(s->db, "a", &o, secret, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_are_taken_apart_and_written_again),
        cmocka_unit_test(what_is_no_scope_is_refused_by_name),
        cmocka_unit_test(scopes_of_stores_allow_these_and_no_more),
        cmocka_unit_test_setup_teardown(a_token_has_no_more_stores_than_its_client, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(all_that_is_said_of_a_client_is_found_again, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(redirect_uris_lead_where_only_the_client_listens, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_does_not_go_together_is_refused, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
