/* test_jws.c - auth/jws.h, auth/base64url.h: signatures are those of RFC 8037, and a text is signed or is not. */
#include "auth/base64url.h"
#include "auth/jws.h"
#include "expect.h"
#include "seed.h"
#include <sodium.h>
#include <string.h>

/* RFC 8037, appendix A: the seed of RFC 8032's first test, its public key, thumbprint, and a signed text. */
static const char seed_text[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", public_text[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
static const char thumbprint[] = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
static const char header[] = "{\"alg\":\"EdDSA\"}", payload[] = "Example of Ed25519 signing";
static const char signed_text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5"
                                  "BhVsPt9g7sVvpAr_MuM0KAg";

static unsigned char seed[JWS_SEED_BYTES], public_key[JWS_PUBLIC_BYTES], secret_key[JWS_SECRET_BYTES];

static int make_key(void **state)
{
    size_t size;
    (void)state;
    if (sodium_init() < 0 || !base64url_read(seed_text, strlen(seed_text), seed, sizeof(seed), &size) || size != sizeof(seed)) return -1;
    jws_key(seed, public_key, secret_key);
    return 0;
}

static bool good(const char *text)
{
    jws_parts parts;
    return jws_split(text, strlen(text), &parts) && jws_signed_by(&parts, public_key);
}

static void keys_and_signatures_are_those_of_rfc_8037(void **state)
{
    char text[300], kid[JWS_KID_BYTES];
    (void)state;
    base64url_write(public_key, sizeof(public_key), text);
    assert_string_equal(text, public_text);
    jws_kid(public_key, kid);
    assert_string_equal(kid, thumbprint);
    assert_true(jws_sign(secret_key, header, strlen(header), payload, strlen(payload), text, sizeof(text)));
    assert_string_equal(text, signed_text);
    assert_true(good(text));
}

static void every_changed_letter_and_every_cut_is_refused(void **state)
{
    char text[sizeof(signed_text)];
    (void)state;
    for (size_t at = 0; at < strlen(signed_text); at++) {
        memcpy(text, signed_text, sizeof(text));
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(signed_text[at] ^ 1 << bit);
            assert_false(text[at] && good(text));
        }
        text[at] = 0;
        assert_false(good(text));
    }
}

static void a_text_has_three_parts(void **state)
{
    static const char *const others[] = { "", ".", "..", "a..b", ".a.b", "a.b.", "a.b", "a", "a.b.c.d", "a.b.c.", "...." };
    jws_parts parts;
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) assert_false(jws_split(others[i], strlen(others[i]), &parts));
    assert_true(jws_split("a.bc.def", 8, &parts));
    assert_true(parts.header_length == 1 && parts.payload_length == 2 && parts.signature_length == 3 && *parts.signature == 'd');
    assert_false(jws_split("a.b.c", 4, &parts)); /* as long as it is said to be */
}

static void another_key_has_not_signed_it(void **state)
{
    unsigned char other[JWS_PUBLIC_BYTES], unused[JWS_SECRET_BYTES];
    jws_parts parts;
    (void)state;
    assert_true(jws_split(signed_text, strlen(signed_text), &parts));
    seed[0] ^= 1;
    jws_key(seed, other, unused);
    seed[0] ^= 1;
    assert_false(jws_signed_by(&parts, other));
    memset(other, 0, sizeof(other)); /* a point of small order, which would have signed much */
    assert_false(jws_signed_by(&parts, other));
}

static void what_does_not_fit_is_not_signed(void **state)
{
    char text[300] = "untouched";
    (void)state;
    assert_false(jws_sign(secret_key, header, strlen(header), payload, strlen(payload), text, strlen(signed_text)));
    assert_string_equal(text, "untouched");
    assert_true(jws_sign(secret_key, header, strlen(header), payload, strlen(payload), text, sizeof(signed_text)));
}

static void bytes_come_back_and_have_one_text(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t s = seed_print();
    unsigned char bytes[40], read[40], again[40];
    char text[BASE64URL_LENGTH(40) + 1];
    size_t size;
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        size_t count = (size_t)seed_below(&s, sizeof(bytes) + 1);
        for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)seed_next(&s);
        base64url_write(bytes, count, text);
        assert_int_equal(strlen(text), BASE64URL_LENGTH(count));
        assert_true(base64url_read(text, strlen(text), read, sizeof(read), &size));
        assert_int_equal(size, count);
        assert_memory_equal(read, bytes, count);
        if (!count) continue;
        assert_false(base64url_read(text, strlen(text), read, count - 1, &size));
        size_t at = (size_t)seed_below(&s, strlen(text));
        char was = text[at];
        for (int c = 1; c < 256; c++) {
            text[at] = (char)c;
            bool taken = base64url_read(text, strlen(text), again, sizeof(again), &size);
            assert_false(taken && (c >= 0x80 || !strchr(letters, c)));
            assert_false(taken && text[at] != was && size == count && memcmp(again, bytes, count) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_signatures_are_those_of_rfc_8037),
        cmocka_unit_test(every_changed_letter_and_every_cut_is_refused),
        cmocka_unit_test(a_text_has_three_parts),
        cmocka_unit_test(another_key_has_not_signed_it),
        cmocka_unit_test(what_does_not_fit_is_not_signed),
        cmocka_unit_test(bytes_come_back_and_have_one_text),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
