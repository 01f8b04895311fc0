/* test_auth_jwt.c - evdb/auth.h: for whom a token is good, what it tells those who may ask, and how it ends before its time. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static evdb_status issue(evdb *db, const client *c, const evdb_token_options *options, evdb_token *out)
{
    return evdb_auth_token_issue(db, c->id, c->secret, options, out, &why);
}

static evdb_status check_for(evdb *db, const evdb_token *token, const char *issuer, const char *audience)
{
    const evdb_check_options o = { .size = sizeof(o), .issuer = issuer, .audience = audience };
    evdb_principal who;
    return evdb_auth_token_check(db, token->access, &o, &who, &why);
}

/* ---- as anybody can read them ---- */

static json_t *part_of(const char *text, int which)
{
    unsigned char bytes[EVDB_TOKEN_BYTES];
    size_t size;
    while (which--) text = strchr(text, '.') + 1;
    assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), text, strcspn(text, "."), NULL, &size, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    json_t *part = json_loadb((char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(part);
    return part;
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static bool signed_by(const char *text, json_t *jwk)
{
    unsigned char signature[crypto_sign_BYTES], key[crypto_sign_PUBLICKEYBYTES];
    const char *x = text_of(jwk, "x"), *last = strrchr(text, '.');
    size_t size;
    assert_int_equal(sodium_base642bin(key, sizeof(key), x, strlen(x), NULL, &size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    assert_int_equal(size, sizeof(key));
    assert_int_equal(sodium_base642bin(signature, sizeof(signature), last + 1, strlen(last + 1), NULL, &size, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    return crypto_sign_verify_detached(signature, (const unsigned char *)text, (size_t)(last - text), key) == 0;
}

static json_t *published(evdb *db)
{
    char *text;
    ok(evdb_auth_jwks(db, &text, &why));
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *keys = json_incref(json_object_get(root, "keys"));
    assert_true(json_object_size(root) == 1 && json_is_array(keys));
    evdb_auth_jwks_free(text);
    json_decref(root);
    return keys;
}

static void a_jwt_says_what_rfc_9068_asks_for_and_is_signed_by_a_published_key(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "app");
    const evdb_token_options o = { .size = sizeof(o), .scopes = EVDB_SCOPE_WRITE, .stores = "read:docs", .issuer = "https://evdb.example",
                                   .audience = "https://evdb.example/mcp https://evdb.example/api" };
    evdb_token token;
    ok(issue(t->db, &c, &o, &token));
    json_t *header = part_of(token.access, 0), *claims = part_of(token.access, 1), *keys = published(t->db), *jwk;
    assert_string_equal(text_of(header, "typ"), "at+jwt");
    assert_string_equal(text_of(header, "alg"), "EdDSA");
    assert_string_equal(text_of(claims, "iss"), "https://evdb.example");
    assert_string_equal(text_of(claims, "sub"), "app");
    assert_string_equal(text_of(claims, "client_id"), "app");
    assert_string_equal(text_of(claims, "scope"), "read write read:docs");
    json_t *audience = json_object_get(claims, "aud");
    assert_int_equal(json_array_size(audience), 2);
    assert_string_equal(json_string_value(json_array_get(audience, 1)), "https://evdb.example/api");
    assert_true(json_integer_value(json_object_get(claims, "exp")) * 1000 == token.expires_ms);
    assert_in_range(json_integer_value(json_object_get(claims, "exp")) - json_integer_value(json_object_get(claims, "iat")), 3600, 3601);
    assert_int_equal(strlen(text_of(claims, "jti")), 22);
    size_t i, signers = 0;
    json_array_foreach(keys, i, jwk) {
        bool named = strcmp(text_of(jwk, "kid"), text_of(header, "kid")) == 0;
        assert_true(signed_by(token.access, jwk) == named);
        assert_string_equal(text_of(jwk, "kty"), "OKP");
        assert_string_equal(text_of(jwk, "crv"), "Ed25519");
        assert_string_equal(text_of(jwk, "use"), "sig");
        assert_string_equal(text_of(jwk, "alg"), "EdDSA");
        assert_int_equal(json_object_size(jwk), 6); /* and nothing that is secret */
        signers += named;
    }
    assert_int_equal(signers, 1);
    json_decref(header), json_decref(claims), json_decref(keys);
}

static void rotated_keys_stay_published_while_their_tokens_live(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token before = client_login(t->db, &c);
    evdb_signing_key *list;
    size_t count;
    ok(evdb_auth_keys_rotate(t->db, &why));
    evdb_token after = client_login(t->db, &c);
    json_t *keys = published(t->db), *one = part_of(before.access, 0), *two = part_of(after.access, 0);
    ok(evdb_auth_keys_list(t->db, &list, &count, &why));
    assert_int_equal(count, 3);
    assert_int_equal(json_array_size(keys), 3);
    assert_string_equal(text_of(two, "kid"), list[0].id);
    assert_string_equal(text_of(one, "kid"), list[2].id);
    for (size_t i = 0; i < count; i++) assert_string_equal(text_of(json_array_get(keys, i), "kid"), list[i].id);
    assert_true(client_token_good(t->db, before.access) && client_token_good(t->db, after.access));
    evdb_auth_keys_list_free(list);
    json_decref(keys), json_decref(one), json_decref(two);
}

/* ---- for whom ---- */

static void a_token_is_good_for_its_issuer_and_audiences_alone(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token_options o = { .size = sizeof(o), .issuer = "https://i", .audience = "https://i/a https://i/b" };
    evdb_token token, plain = client_login(t->db, &c), opaque;
    ok(issue(t->db, &c, &o, &token));
    ok(check_for(t->db, &token, NULL, NULL));
    ok(check_for(t->db, &token, "https://i", NULL));
    ok(check_for(t->db, &token, "https://i", "https://i/a"));
    ok(check_for(t->db, &token, "https://i", "https://i/b"));
    ok(check_for(t->db, &token, NULL, "https://i https://i/b")); /* one of those it may be for */
    refused(EVDB_DENIED, check_for(t->db, &token, "https://j", NULL));
    expect_says("https://i");
    refused(EVDB_DENIED, check_for(t->db, &token, "https://", "https://i/a"));
    refused(EVDB_DENIED, check_for(t->db, &token, "", NULL));
    static const char *const others[] = { "https://i", "https://i/c", "https://i/", "https://i/ab", "https://i/a/", "a", "" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) refused(EVDB_DENIED, check_for(t->db, &token, NULL, others[i]));
    expect_says("https://i/a https://i/b");
    ok(check_for(t->db, &token, NULL, NULL)); /* what is remembered of it is what it says, not how it was asked */
    ok(check_for(t->db, &plain, "evdb", "evdb"));
    refused(EVDB_DENIED, check_for(t->db, &plain, "https://i", NULL));
    o = (evdb_token_options){ .size = sizeof(o), .format = EVDB_TOKEN_OPAQUE };
    ok(issue(t->db, &c, &o, &opaque));
    ok(check_for(t->db, &opaque, "https://i", "https://i/a"));
    o.audience = "https://i/a";
    refused(EVDB_UNSUPPORTED, issue(t->db, &c, &o, &opaque));
}

static void issuer_and_audience_are_plain_words(void **state)
{
    static const char *const bad[] = { "", " ", "a ", " a", "a  b", "a\"b", "a\\b", "a\nb", "\xc3\xa9", "a\x7f" };
    scratch *t = *state;
    client c = client_new(t->db, "a");
    char longest[EVDB_AUDIENCE_MAX + 2];
    evdb_token token;
    evdb_token_options o = EVDB_TOKEN_OPTIONS;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        o = (evdb_token_options){ .size = sizeof(o), .issuer = bad[i] };
        refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
        o = (evdb_token_options){ .size = sizeof(o), .audience = bad[i] };
        refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
    }
    memset(longest, 'a', sizeof(longest));
    longest[EVDB_AUDIENCE_MAX + 1] = 0;
    o = (evdb_token_options){ .size = sizeof(o), .audience = longest };
    refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
    longest[EVDB_AUDIENCE_MAX] = 0;
    ok(issue(t->db, &c, &o, &token));
    ok(check_for(t->db, &token, NULL, longest));
    o = (evdb_token_options){ .size = sizeof(o), .issuer = "a b" };
    refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
    o = (evdb_token_options){ .size = sizeof(o), .format = 2 };
    refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
    o = (evdb_token_options){ .size = sizeof(o), .key_lifetime_ms = -1 };
    refused(EVDB_INVALID, issue(t->db, &c, &o, &token));
}

static void a_refresh_token_gives_tokens_for_no_other_audience(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token_options o = { .size = sizeof(o), .audience = "x y" }, narrow = { .size = sizeof(o), .audience = "y" };
    evdb_token first, second, third;
    ok(issue(t->db, &c, &o, &first));
    o.audience = "y z";
    refused(EVDB_INVALID, evdb_auth_token_refresh(t->db, "a", c.secret, first.refresh, &o, &second, &why));
    ok(evdb_auth_token_refresh(t->db, "a", c.secret, first.refresh, &narrow, &second, &why));
    o = (evdb_token_options){ .size = sizeof(o), .format = EVDB_TOKEN_OPAQUE }; /* which would be good for z, too */
    refused(EVDB_UNSUPPORTED, evdb_auth_token_refresh(t->db, "a", c.secret, second.refresh, &o, &third, &why));
    ok(check_for(t->db, &second, NULL, "y"));
    refused(EVDB_DENIED, check_for(t->db, &second, NULL, "x"));
    third = client_refresh(t->db, &c, second.refresh); /* as the first */
    ok(check_for(t->db, &third, NULL, "x"));
    ok(check_for(t->db, &third, NULL, "y"));
    refused(EVDB_DENIED, check_for(t->db, &third, NULL, "evdb"));
}

/* ---- asking, ending ---- */

static void what_a_token_is_is_told(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    const evdb_token_options o = { .size = sizeof(o), .scopes = EVDB_SCOPE_READ, .issuer = "i", .audience = "x y" };
    const evdb_token_options plain = { .size = sizeof(o), .format = EVDB_TOKEN_OPAQUE };
    evdb_token token, opaque;
    evdb_token_info info;
    ok(issue(t->db, &c, &o, &token));
    ok(issue(t->db, &c, &plain, &opaque));
    ok(evdb_auth_token_inspect(t->db, token.access, &info, &why));
    assert_true(!info.refresh && info.scopes == EVDB_SCOPE_READ && info.expires_ms == token.expires_ms && info.issued_ms > 0);
    assert_string_equal(info.client, "a");
    assert_string_equal(info.subject, "a");
    assert_string_equal(info.issuer, "i");
    assert_string_equal(info.audience, "x y");
    assert_int_equal(strlen(info.id), 22);
    ok(evdb_auth_token_inspect(t->db, token.refresh, &info, &why));
    assert_true(info.refresh && info.scopes == EVDB_SCOPE_READ && info.issued_ms == 0);
    assert_string_equal(info.client, "a");
    assert_string_equal(info.audience, "x y");
    assert_string_equal(info.id, "");
    ok(evdb_auth_token_inspect(t->db, opaque.access, &info, &why));
    assert_true(!info.refresh && info.scopes == EVERY_SCOPE && info.expires_ms == opaque.expires_ms);
    assert_string_equal(info.issuer, "");
    assert_int_equal(strlen(info.id), 22);
    (void)client_refresh(t->db, &c, token.refresh);
    memset(&info, 0x5a, sizeof(info));
    refused(EVDB_DENIED, evdb_auth_token_inspect(t->db, token.refresh, &info, &why)); /* used */
    refused(EVDB_DENIED, evdb_auth_token_inspect(t->db, c.secret, &info, &why));
    refused(EVDB_DENIED, evdb_auth_token_inspect(t->db, "", &info, &why));
    refused(EVDB_DENIED, evdb_auth_token_inspect(t->db, NULL, &info, &why));
    assert_int_equal(info.refresh, 0x5a5a5a5a); /* untouched */
}

static void a_token_can_be_ended_in_every_way_and_at_once_in_every_process(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb *other;
    ok(evdb_open(t->path, NULL, &other, &why));
    for (int i = 0; i < 8; i++) {
        const evdb_token_options o = { .size = sizeof(o), .format = i % 2 ? EVDB_TOKEN_OPAQUE : EVDB_TOKEN_JWT };
        evdb_token token, kept = client_login(t->db, &c);
        evdb_token_info info;
        ok(issue(t->db, &c, &o, &token));
        ok(evdb_auth_token_inspect(t->db, token.access, &info, &why));
        for (int twice = 0; twice < 2; twice++)
            assert_true(client_token_good(t->db, token.access) && client_token_good(other, token.access));
        if (i / 2 == 0) ok(evdb_auth_token_revoke(other, "a", token.access, &why));
        if (i / 2 == 1) ok(evdb_auth_token_revoke(other, NULL, token.access, &why));
        if (i / 2 == 2) ok(evdb_auth_token_revoke(other, NULL, info.id, &why));
        if (i / 2 == 3) ok(evdb_auth_token_revoke(other, "a", token.refresh, &why));
        bool stays = i / 2 == 3 && o.format == EVDB_TOKEN_OPAQUE; /* it does not say what it came from */
        assert_true(client_token_good(t->db, token.access) == stays && client_token_good(other, token.access) == stays);
        if (i / 2 == 3) client_refresh_gone(t->db, &c, token.refresh);
        else (void)client_refresh(t->db, &c, token.refresh);
        assert_true(client_token_good(t->db, kept.access) && client_token_good(other, kept.access));
    }
    evdb_close(other);
}

static void nobody_ends_the_tokens_of_another_client(void **state)
{
    scratch *t = *state;
    client a = client_new(t->db, "a");
    (void)client_new(t->db, "b");
    evdb_token token = client_login(t->db, &a);
    evdb_token_info info;
    ok(evdb_auth_token_inspect(t->db, token.access, &info, &why));
    const char *const texts[] = { token.access, token.refresh, info.id, a.secret, "", NULL, "made up", "AAAAAAAAAAAAAAAAAAAAAA" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) refused(EVDB_NOT_FOUND, evdb_auth_token_revoke(t->db, "b", texts[i], &why));
    assert_true(client_token_good(t->db, token.access));
    (void)client_refresh(t->db, &a, token.refresh);
    refused(EVDB_NOT_FOUND, evdb_auth_token_revoke(t->db, NULL, a.secret, &why));
}

static void a_new_secret_ends_what_is_remembered_of_tokens(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    char secret[EVDB_SECRET_BYTES];
    evdb *other;
    ok(evdb_open(t->path, NULL, &other, &why));
    evdb_token token = client_login(t->db, &c);
    for (int i = 0; i < 3; i++) assert_true(client_token_good(t->db, token.access) && client_token_good(other, token.access));
    ok(evdb_auth_client_rotate(other, "a", NULL, secret, &why));
    assert_false(client_token_good(t->db, token.access) || client_token_good(other, token.access));
    evdb_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_jwt_says_what_rfc_9068_asks_for_and_is_signed_by_a_published_key),
        TEST(rotated_keys_stay_published_while_their_tokens_live),
        TEST(a_token_is_good_for_its_issuer_and_audiences_alone),
        TEST(issuer_and_audience_are_plain_words),
        TEST(a_refresh_token_gives_tokens_for_no_other_audience),
        TEST(what_a_token_is_is_told),
        TEST(a_token_can_be_ended_in_every_way_and_at_once_in_every_process),
        TEST(nobody_ends_the_tokens_of_another_client),
        TEST(a_new_secret_ends_what_is_remembered_of_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
