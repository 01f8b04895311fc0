/* test_issuer.c - tokens of an issuer: whom they speak for, which are refused, and how its keys are followed. The issuer is a function here;
 * its thread runs under the thread sanitizer. */
#include "expect.h"
#include "token/issuer.h"
#include "token/signer.h"
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL "https://id.example:8443/realm"
#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"1\"}"
#define TIMES "\"exp\":1800000060"

static int64_t now(void) { return 1800000000000; }

static signer *key, *other;

/* ---- an issuer that publishes what `discovery` and `jwks` say, and answers nobody while its gate is shut ---- */

static struct world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    unsigned asked, waiting;
    char discovery[512], jwks[2048], said[256];
} world = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static evdb_status get(void *context, const char *url, size_t most, char **out, size_t *size, evdb_error *err)
{
    struct world *w = context;
    bool about = strcmp(url, URL "/.well-known/openid-configuration") == 0;
    pthread_mutex_lock(&w->lock);
    w->waiting++;
    w->asked += !about;
    pthread_cond_broadcast(&w->changed);
    while (w->shut) pthread_cond_wait(&w->changed, &w->lock);
    w->waiting--;
    const char *text = about ? w->discovery : strcmp(url, "https://keys.example/") == 0 ? w->jwks : "";
    *size = strlen(text);
    *out = *size && *size <= most ? strdup(text) : NULL;
    pthread_mutex_unlock(&w->lock);
    if (*out) return EVDB_OK;
    snprintf(err->message, sizeof err->message, "nothing is there");
    return err->status = EVDB_REMOTE;
}

static void say(bool warning, const char *message, const char *detail)
{
    (void)warning;
    pthread_mutex_lock(&world.lock);
    snprintf(world.said, sizeof world.said, "%.100s: %.140s", message, detail);
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static void publish(const char *jwk)
{
    pthread_mutex_lock(&world.lock);
    snprintf(world.discovery, sizeof world.discovery, "{\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/\"}");
    snprintf(world.jwks, sizeof world.jwks, "{\"keys\":[%s]}", jwk);
    world.asked = 0;
    *world.said = 0;
    pthread_mutex_unlock(&world.lock);
}

static void set_gate(bool shut)
{
    pthread_mutex_lock(&world.lock);
    world.shut = shut;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static void wait_until_it_is_asked(void)
{
    pthread_mutex_lock(&world.lock);
    while (!world.waiting) pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

static issuer_options options_of(void)
{
    return (issuer_options){ .keys = { .issuer = URL, .get = get, .context = &world, .say = say }, .audience = "evdb", .scope_claim = "scope",
                             .scope_prefix = "", .name_claim = "sub", .now_ms = now };
}

/* ---- tokens ---- */

static evdb_status identify(issuer *i, signer *s, const char *header, const char *claims, evdb_principal *out)
{
    char *token = signer_token(s, header, claims);
    expect_poison();
    evdb_status rc = issuer_identify(i, token, out, &why);
    free(token);
    return rc;
}

/* An issuer whose keys are known. */
static issuer *opened(const issuer_options *options)
{
    evdb_principal who;
    issuer *i;
    ok(issuer_open(options, &i, &why));
    while (identify(i, key, HEADER, "{\"iss\":\"" URL "\"}", &who) == EVDB_BUSY) sched_yield();
    return i;
}

static void a_token_speaks_for_somebody_at_the_issuer(void **state)
{
    static const struct { const char *claims, *name; uint32_t scopes; } good[] = {
        { "\"sub\":\"ann\"", "id.example:8443:ann", 0 },
        { "\"sub\":\"ann\",\"scope\":\"read\"", "id.example:8443:ann", 1 },
        { "\"sub\":\"a:b/c@d\",\"scope\":\"openid  write profile\"", "id.example:8443:a:b/c@d", 3 },
        { "\"sub\":\"a\",\"scope\":[\"admin\",1,\"x y\",\"\"]", "id.example:8443:a", 7 },
        { "\"sub\":\"a\",\"scope\":[\"read admin\"]", "id.example:8443:a", 5 },
        { "\"sub\":\"a\",\"scope\":\"READ reader adminx\"", "id.example:8443:a", 0 },
        { "\"sub\":\"a\",\"scope\":{\"read\":1}", "id.example:8443:a", 0 },
        { "\"sub\":\"a\",\"nbf\":1800000000,\"iat\":1700000000", "id.example:8443:a", 0 },
    };
    evdb_principal who;
    char claims[512];
    (void)state;
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    for (size_t n = 0; n < sizeof good / sizeof *good; n++) {
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":[\"x\",\"evdb\"]," TIMES ",%s}", good[n].claims);
        ok(identify(i, key, HEADER, claims, &who));
        assert_string_equal(who.client, good[n].name);
        assert_int_equal(who.scopes, good[n].scopes);
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
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    for (size_t length = 111; length <= 114; length++) { /* one that fits, then some that do not */
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"%0*d\"}", (int)length, 1);
        ok(identify(i, key, HEADER, claims, &who));
        assert_int_equal(strncmp(who.client, "id.example:8443::", 17) == 0, length > EVDB_CLIENT_ID_MAX - 16);
        memcpy(seen[count++], who.client, sizeof who.client);
    }
    for (size_t n = 0; n < sizeof subs / sizeof *subs; n++) {
        snprintf(sub, sizeof sub, "%s", subs[n]);
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"%s\"}", sub);
        ok(identify(i, key, HEADER, claims, &who));
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
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    options.scope_claim = "roles", options.scope_prefix = "evdb:", options.name_claim = "azp";
    issuer *i = opened(&options);
    ok(identify(i, key, HEADER, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"s\",\"azp\":\"app\",\"scope\":\"evdb:admin\","
                                "\"roles\":[\"evdb:read\",\"write\",\"evdb:\",\"evdb:evdb:write\"]}", &who));
    assert_string_equal(who.client, "id.example:8443:app");
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
    assert_int_equal(identify(i, key, HEADER, "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"s\"}", &who), EVDB_DENIED);
    expect_says("azp");
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
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        snprintf(claims, sizeof claims, "{\"iss\":\"" URL "\",%s}", bad[n].claims);
        assert_int_equal(identify(i, key, bad[n].header, claims, &who), EVDB_DENIED);
    }
    const char *good = "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"}";
    assert_int_equal(identify(i, other, HEADER, good, &who), EVDB_DENIED);
    ok(identify(i, key, "{\"alg\":\"EdDSA\",\"kid\":\"1\",\"typ\":\"at+JWT\"}", good, &who));
    ok(identify(i, key, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", good, &who));
    issuer_close(i);
}

static void other_peoples_tokens_are_nothing_to_it(void **state)
{
    static const char *const claims[] = { "{}", "{\"iss\":1}", "{\"iss\":\"\"}", "{\"iss\":\"" URL "/\"}", "{\"iss\":\"https://id.example:8443/REALM\"}" };
    evdb_principal who;
    (void)state;
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    for (size_t n = 0; n < sizeof claims / sizeof *claims; n++) assert_int_equal(identify(i, key, HEADER, claims[n], &who), EVDB_NOT_FOUND);
    refused(EVDB_NOT_FOUND, issuer_identify(i, "", &who, &why));
    refused(EVDB_NOT_FOUND, issuer_identify(i, "evdb_at_xyz", &who, &why));
    issuer_close(i);
}

/* ---- keys ---- */

static const char good_claims[] = "{\"iss\":\"" URL "\",\"aud\":\"evdb\"," TIMES ",\"sub\":\"a\"}";
#define HEADER_2 "{\"alg\":\"EdDSA\",\"kid\":\"2\"}"

static void nobody_waits_for_an_issuer_that_hangs(void **state)
{
    evdb_principal who;
    issuer *i;
    (void)state;
    publish(signer_jwk(key, "1", NULL));
    set_gate(true);
    issuer_options options = options_of();
    ok(issuer_open(&options, &i, &why));
    wait_until_it_is_asked();
    assert_int_equal(identify(i, key, HEADER, good_claims, &who), EVDB_BUSY);
    expect_says(URL);
    set_gate(false);
    while (identify(i, key, HEADER, good_claims, &who) == EVDB_BUSY) sched_yield();
    ok(identify(i, key, HEADER, good_claims, &who));
    set_gate(true);
    assert_int_equal(identify(i, other, HEADER_2, good_claims, &who), EVDB_DENIED);
    wait_until_it_is_asked();
    ok(identify(i, key, HEADER, good_claims, &who)); /* by the keys that there are */
    set_gate(false);
    issuer_close(i);
}

static void a_key_that_is_not_known_is_asked_for(void **state)
{
    evdb_principal who;
    (void)state;
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    publish(signer_jwk(other, "2", NULL));
    assert_int_equal(identify(i, other, HEADER_2, good_claims, &who), EVDB_DENIED);
    while (identify(i, other, HEADER_2, good_claims, &who) != EVDB_OK) sched_yield();
    assert_int_equal(identify(i, key, HEADER, good_claims, &who), EVDB_DENIED); /* it is gone */
    issuer_close(i);
}

static void tokens_with_made_up_keys_make_no_burden(void **state)
{
    char header[64];
    evdb_principal who;
    (void)state;
    publish(signer_jwk(key, "1", NULL));
    issuer_options options = options_of();
    issuer *i = opened(&options);
    for (unsigned n = 0; n < 2000; n++) {
        snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"x%u\"}", n);
        assert_int_equal(identify(i, other, header, good_claims, &who), EVDB_DENIED);
    }
    ok(identify(i, key, HEADER, good_claims, &who));
    issuer_close(i);
    /* The first, and those that fit between: a second, two, four. A machine would have to be held up for minutes to make it more. */
    assert_in_range(world.asked, 1, 8);
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
    publish(signer_jwk(key, "1", NULL));
    pthread_mutex_lock(&world.lock);
    *world.jwks = 0;
    pthread_mutex_unlock(&world.lock);
    issuer_options options = options_of();
    ok(issuer_open(&options, &i, &why));
    pthread_mutex_lock(&world.lock);
    while (!*world.said) pthread_cond_wait(&world.changed, &world.lock);
    assert_non_null(strstr(world.said, "nothing is there"));
    pthread_mutex_unlock(&world.lock);
    publish(signer_jwk(key, "1", NULL));
    while (identify(i, key, HEADER, good_claims, &who) == EVDB_BUSY) sched_yield();
    pthread_mutex_lock(&world.lock);
    while (!*world.said) pthread_cond_wait(&world.changed, &world.lock);
    assert_non_null(strstr(world.said, "again"));
    pthread_mutex_unlock(&world.lock);
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
        cmocka_unit_test(what_is_not_for_us_is_refused),
        cmocka_unit_test(other_peoples_tokens_are_nothing_to_it),
        cmocka_unit_test(nobody_waits_for_an_issuer_that_hangs),
        cmocka_unit_test(a_key_that_is_not_known_is_asked_for),
        cmocka_unit_test(tokens_with_made_up_keys_make_no_burden),
        cmocka_unit_test(a_document_of_somebody_else_is_refused),
        cmocka_unit_test(the_log_is_told_once_that_it_fails_and_that_it_works_again),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
