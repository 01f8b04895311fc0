/* test_keyring.c - the keys of an issuer: how they are followed, and that nobody waits for them. The thread that fetches runs under the
 * thread sanitizer. */
#include "expect.h"
#include "token/publisher.h"
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static signer *key, *other;

static const char good_claims[] = "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"}";
#define HEADER_2 "{\"alg\":\"EdDSA\",\"kid\":\"2\"}"

static void nobody_waits_for_an_issuer_that_hangs(void **state)
{
    evdb_principal who;
    issuer *i;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    publisher_shut(true);
    issuer_options options = publisher_issuer();
    ok(issuer_open(&options, &i, &why));
    publisher_wait_until_asked();
    assert_int_equal(publisher_identify(i, key, HEADER, good_claims, &who), EVDB_BUSY);
    expect_says(URL);
    publisher_shut(false);
    while (publisher_identify(i, key, HEADER, good_claims, &who) == EVDB_BUSY) sched_yield();
    ok(publisher_identify(i, key, HEADER, good_claims, &who));
    publisher_shut(true);
    assert_int_equal(publisher_identify(i, other, HEADER_2, good_claims, &who), EVDB_DENIED);
    publisher_wait_until_asked();
    ok(publisher_identify(i, key, HEADER, good_claims, &who)); /* by the keys that there are */
    publisher_shut(false);
    issuer_close(i);
}

static void a_key_that_is_not_known_is_asked_for(void **state)
{
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    publisher_publish(signer_jwk(other, "2", NULL));
    assert_int_equal(publisher_identify(i, other, HEADER_2, good_claims, &who), EVDB_DENIED);
    while (publisher_identify(i, other, HEADER_2, good_claims, &who) != EVDB_OK) sched_yield();
    assert_int_equal(publisher_identify(i, key, HEADER, good_claims, &who), EVDB_DENIED); /* it is gone */
    issuer_close(i);
}

static void tokens_with_made_up_keys_make_no_burden(void **state)
{
    char header[64];
    evdb_principal who;
    (void)state;
    publisher_publish(signer_jwk(key, "1", NULL));
    issuer_options options = publisher_issuer();
    issuer *i = publisher_open(&options, key);
    for (unsigned n = 0; n < 2000; n++) {
        snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"x%u\"}", n);
        assert_int_equal(publisher_identify(i, other, header, good_claims, &who), EVDB_DENIED);
    }
    ok(publisher_identify(i, key, HEADER, good_claims, &who));
    issuer_close(i);
    /* The first, and those that fit between: a second, two, four. A machine would have to be held up for minutes to make it more. */
    assert_in_range(publisher_asked(), 1, 8);
}

static void a_document_of_somebody_else_is_refused(void **state)
{
    static const char *const texts[] = { "{}", "x", "[]", "{\"issuer\":\"" URL "\"}", "{\"issuer\":\"" URL "/\",\"jwks_uri\":\"https://keys.example/\"}",
                                         "{\"issuer\":\"" URL "\",\"jwks_uri\":\"http://keys.example/\"}", "{\"issuer\":\"" URL "\",\"jwks_uri\":\"file:///etc/passwd\"}",
                                         "{\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/ x\"}", "{\"issuer\":\"" URL "\",\"jwks_uri\":1}",
                                         "{\"issuer\":\"" URL "\",\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/\"}" };
    char url[KEYRING_URL_MAX];
    (void)state;
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) refused(EVDB_REMOTE, keyring_keys_url(URL, texts[n], strlen(texts[n]), url, &why));
    static const char good[] = "{\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/\"}";
    ok(keyring_keys_url(URL, good, strlen(good), url, &why));
    assert_string_equal(url, "https://keys.example/");
    /* in the clear only from where the settings allowed it */
    static const char clear[] = "{\"issuer\":\"http://127.0.0.1:80/a\",\"jwks_uri\":\"http://127.0.0.1:80/keys\"}";
    ok(keyring_keys_url("http://127.0.0.1:80/a", clear, strlen(clear), url, &why));
    static const char elsewhere[] = "{\"issuer\":\"http://127.0.0.1:80/a\",\"jwks_uri\":\"http://127.0.0.1:8080/keys\"}";
    refused(EVDB_REMOTE, keyring_keys_url("http://127.0.0.1:80/a", elsewhere, strlen(elsewhere), url, &why));
    keyring_discovery_url("https://a/", url);
    assert_string_equal(url, "https://a/.well-known/openid-configuration");
    keyring_discovery_url("https://a/b", url);
    assert_string_equal(url, "https://a/b/.well-known/openid-configuration");
}

static void the_log_is_told_once_that_it_fails_and_that_it_works_again(void **state)
{
    evdb_principal who;
    issuer *i;
    (void)state;
    publisher_publish("");
    issuer_options options = publisher_issuer();
    ok(issuer_open(&options, &i, &why));
    publisher_wait_for_word("nothing is there");
    publisher_publish(signer_jwk(key, "1", NULL));
    while (publisher_identify(i, key, HEADER, good_claims, &who) == EVDB_BUSY) sched_yield();
    publisher_wait_for_word("again");
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
        cmocka_unit_test(nobody_waits_for_an_issuer_that_hangs),
        cmocka_unit_test(a_key_that_is_not_known_is_asked_for),
        cmocka_unit_test(tokens_with_made_up_keys_make_no_burden),
        cmocka_unit_test(a_document_of_somebody_else_is_refused),
        cmocka_unit_test(the_log_is_told_once_that_it_fails_and_that_it_works_again),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
