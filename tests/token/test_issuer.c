/* test_issuer.c - tokens of an issuer: whom they speak for, and which are refused. */
#include "expect.h"
#include "token/publisher.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static signer *key, *other;

static void a_token_speaks_for_somebody_at_the_issuer(void **state)
{
    static const struct { const char *claims, *name; uint32_t scopes; const char *stores; } good[] = {
        { "\"sub\":\"ann\"", "id.example:8443:ann", 0, "" },
        { "\"sub\":\"ann\",\"scope\":\"read\"", "id.example:8443:ann", 1, "" },
        { "\"sub\":\"a:b/c@d\",\"scope\":\"openid  write profile\"", "id.example:8443:a:b/c@d", 3, "" },
        { "\"sub\":\"a\",\"scope\":[\"admin\",1,\"x y\",\"\"]", "id.example:8443:a", 7, "" },
        { "\"sub\":\"a\",\"scope\":[\"read admin\"]", "id.example:8443:a", 7, "" },
        { "\"sub\":\"a\",\"scope\":\"READ reader adminx\"", "id.example:8443:a", 0, "" },
        { "\"sub\":\"a\",\"scope\":\"read write:docs x:y read:team-* read:docs admin:docs\"", "id.example:8443:a", 1, "write:docs read:team-*" },
        { "\"sub\":\"a\",\"scope\":[\"read:a\",\"read:A\"]", "id.example:8443:a", 0, "read:a" },
        { "\"sub\":\"a\",\"scope\":{\"read\":1}", "id.example:8443:a", 0, "" },
        { "\"sub\":\"a\",\"nbf\":1800000000,\"iat\":1700000000", "id.example:8443:a", 0, "" },
    };
    evdb_principal who;
    char claims[512];
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (size_t n = 0; n < sizeof good / sizeof *good; n++) {
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":[\"x\",\"evdb\"]," TIMES ",%s}", good[n].claims);
        ok(publisher_identify(i, key, HEADER, claims, &who));
        assert_string_equal(who.client, good[n].name);
        assert_string_equal(who.subject, good[n].name);
        assert_int_equal(who.scopes, good[n].scopes);
        assert_string_equal(who.stores, good[n].stores);
        assert_true(who.expires_ms == 1800000060000);
    }
    issuer_close(i);
}

static void names_that_no_id_could_be_become_hashes(void **state)
{
    static const char *const subs[] = { "a b", "\\u00e4", ":a", "a\\\"", "a\\\\", "a\\n", "::", "\\u007f" };
    char claims[1024], seen[16][EVDB_CLIENT_ID_MAX + 1], sub[300];
    size_t count = 0;
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (size_t length = 111; length <= 114; length++) { /* one that fits, then some that do not */
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"%0*d\"}", (int)length, 1);
        ok(publisher_identify(i, key, HEADER, claims, &who));
        assert_int_equal(strncmp(who.client, "id.example:8443::", 17) == 0, length > EVDB_CLIENT_ID_MAX - 16);
        memcpy(seen[count++], who.client, sizeof who.client);
    }
    for (size_t n = 0; n < sizeof subs / sizeof *subs; n++) {
        snprintf(sub, sizeof sub, "%s", subs[n]);
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"%s\"}", sub);
        ok(publisher_identify(i, key, HEADER, claims, &who));
        assert_int_equal(strncmp(who.client, "id.example:8443::", 17), 0);
        memcpy(seen[count++], who.client, sizeof who.client);
    }
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < a; b++) assert_string_not_equal(seen[a], seen[b]);
    issuer_close(i);
}

static void settings_say_which_claims_count(void **state)
{
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    options.scope_claim = "roles", options.scope_prefix = "evdb:", options.name_claim = "azp";
    issuer *i = publisher_open(&options, key);
    ok(publisher_identify(i, key, HEADER, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"s\",\"azp\":\"app\",\"scope\":\"evdb:admin\","
                                "\"roles\":[\"evdb:read\",\"write\",\"evdb:\",\"evdb:evdb:write\"]}", &who));
    assert_string_equal(who.client, "id.example:8443:app");
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
    assert_int_equal(publisher_identify(i, key, HEADER, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"s\"}", &who), EVDB_DENIED);
    expect_says("azp");
    issuer_close(i);
}

static void scopes_of_too_many_stores_are_refused(void **state)
{
    char claims[8192];
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (int more = 0; more < 3; more++) {
        const int words = more == 0 ? 40 : more == 1 ? 60 : 600;
        size_t used = (size_t)snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"s\",\"scope\":\"openid");
        for (int n = 0; n < words; n++) used += (size_t)snprintf(claims + used, sizeof claims - used, " read:st%03d", n);
        snprintf(claims + used, sizeof claims - used, "\"}");
        assert_int_equal(publisher_identify(i, key, HEADER, claims, &who), more ? EVDB_DENIED : EVDB_OK);
        if (more) expect_says("too many");
    }
    issuer_close(i);
}

static void what_is_not_for_us_is_refused(void **state)
{
    static const struct { const char *header, *claims; } bad[] = {
        { HEADER, TIMES ",\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"other\"," TIMES ",\"sub\":\"a\"" },
        { HEADER, "\"aud\":[\"evdb2\"]," TIMES ",\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\",\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\",\"exp\":1799999970,\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\",\"exp\":\"1800000060\",\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"nbf\":1800000031,\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"iat\":1800000031,\"sub\":\"a\"" },
        { HEADER, "\"aud\":\"evdb\"," TIMES },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"sub\":\"\"" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"sub\":1" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\",\"cnf\":{\"jkt\":\"x\"}" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\",\"at_hash\":\"x\"" },
        { HEADER, "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\",\"c_hash\":\"x\"" },
        { "{\"alg\":\"EdDSA\",\"kid\":\"1\",\"typ\":\"dpop+jwt\"}", "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"" },
        { "{\"alg\":\"EdDSA\",\"kid\":\"1\",\"typ\":1}", "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"" },
        { "{\"alg\":\"EdDSA\",\"kid\":\"2\"}", "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"" },
        { "{\"alg\":\"EdDSA\"}", "\"aud\":\"evdb\",\"sub\":\"a\"" },
        { "{\"alg\":\"RS256\",\"kid\":\"1\"}", "\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"" },
    };
    evdb_principal who;
    char claims[512];
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",%s}", bad[n].claims);
        assert_int_equal(publisher_identify(i, key, bad[n].header, claims, &who), EVDB_DENIED);
    }
    const char *good = "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"}";
    assert_int_equal(publisher_identify(i, other, HEADER, good, &who), EVDB_DENIED);
    ok(publisher_identify(i, key, "{\"alg\":\"EdDSA\",\"kid\":\"1\",\"typ\":\"at+JWT\"}", good, &who));
    ok(publisher_identify(i, key, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", good, &who));
    issuer_close(i);
}

static void other_peoples_tokens_are_nothing_to_it(void **state)
{
    static const char *const claims[] = { "{}", "{\"iss\":1}", "{\"iss\":\"\"}", "{\"iss\":\"" URL "/\"}", "{\"iss\":\"https://id.example:8443/REALM\"}" };
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (size_t n = 0; n < sizeof claims / sizeof *claims; n++) assert_int_equal(publisher_identify(i, key, HEADER, claims[n], &who), EVDB_NOT_FOUND);
    refused(EVDB_NOT_FOUND, issuer_identify(i, "", &who, &why));
    refused(EVDB_NOT_FOUND, issuer_identify(i, "evdb_at_xyz", &who, &why));
    issuer_close(i);
}

static int make_keys(void **state)
{
    (void)state;
    if (sodium_init() < 0) return -1;
    key = signer_make("EdDSA", 0);
    other = signer_make("EdDSA", 0);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    signer_free(key);
    signer_free(other);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_speaks_for_somebody_at_the_issuer),
        cmocka_unit_test(names_that_no_id_could_be_become_hashes),
        cmocka_unit_test(settings_say_which_claims_count),
        cmocka_unit_test(scopes_of_too_many_stores_are_refused),
        cmocka_unit_test(what_is_not_for_us_is_refused),
        cmocka_unit_test(other_peoples_tokens_are_nothing_to_it),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
