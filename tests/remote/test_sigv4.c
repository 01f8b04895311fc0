/* test_sigv4.c - Signature Version 4: the examples of Amazon S3's reference, and names in URLs. */
#include "remote/sigv4.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Published with the examples: no key of anybody. */
static const char access_key[] = "AKIAIOSFODNN7EXAMPLE", secret_key[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                  host[] = "examplebucket.s3.amazonaws.com";
enum { EXAMPLES_TIME = 1369353600 };

static void expect_signature(const char *method, const char *path, const char *query, sigv4_header more, sigv4_header even_more,
                             const char *body, const char *signature)
{
    char date[SIGV4_DATE], hash[SIGV4_HASH], out[SIGV4_AUTHORIZATION];
    sigv4_date(EXAMPLES_TIME, date);
    assert_string_equal(date, "20130524T000000Z");
    sigv4_hash(body, strlen(body), hash);
    const sigv4_header headers[] = { { "x-amz-date", date }, { "x-amz-content-sha256", hash }, { "host", host }, more, even_more };
    sigv4_request r = { .method = method, .path = path, .query = query, .headers = headers, .date = date, .hash = hash, .region = "us-east-1" };
    r.header_count = 3 + (more.name != NULL) + (even_more.name != NULL);
    assert_true(sigv4_authorization(&r, access_key, secret_key, out));
    if (!strstr(out, signature)) fail_msg("%s %s?%s: %s", method, path, query, out);
}

static void the_examples_of_the_reference_have_their_signatures(void **state)
{
    const sigv4_header none = { NULL, NULL };
    (void)state;
    expect_signature("GET", "/test.txt", "", (sigv4_header){ "range", "bytes=0-9" }, none, "",
                     "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    expect_signature("PUT", "/test%24file.text", "", (sigv4_header){ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
                     (sigv4_header){ "date", "Fri, 24 May 2013 00:00:00 GMT" }, "Welcome to Amazon S3.",
                     "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    expect_signature("GET", "/", "lifecycle=", none, none, "",
                     "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    expect_signature("GET", "/", "max-keys=2&prefix=J", none, none, "",
                     "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void what_is_too_long_is_refused_and_not_cut(void **state)
{
    char date[SIGV4_DATE], secret[SIGV4_SECRET_MAX + 2], name[600], out[SIGV4_AUTHORIZATION];
    sigv4_header headers[SIGV4_HEADERS_MAX + 1] = { { "host", host } };
    (void)state;
    sigv4_date(EXAMPLES_TIME, date);
    memset(secret, 'k', sizeof secret - 1);
    secret[sizeof secret - 1] = 0;
    sigv4_request r = { .method = "GET", .path = "/", .query = "", .headers = headers, .header_count = 1, .date = date, .hash = "",
                        .region = "us-east-1" };
    assert_false(sigv4_authorization(&r, access_key, secret, out));
    secret[SIGV4_SECRET_MAX] = 0;
    assert_true(sigv4_authorization(&r, access_key, secret, out));
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    headers[0].name = name;
    assert_false(sigv4_authorization(&r, access_key, secret, out));
    headers[0].name = "host";
    r.region = name;
    assert_false(sigv4_authorization(&r, access_key, secret, out));
    r.region = "us-east-1";
    r.header_count = SIGV4_HEADERS_MAX + 1;
    assert_false(sigv4_authorization(&r, access_key, secret, out));
}

static void names_are_encoded_once_and_slashes_where_they_are_values(void **state)
{
    char out[64];
    (void)state;
    assert_true(sigv4_encode("a/b c+~_.-\xc3\xa4%", true, out, sizeof out));
    assert_string_equal(out, "a/b%20c%2B~_.-%C3%A4%25");
    assert_true(sigv4_encode("a/b", false, out, sizeof out));
    assert_string_equal(out, "a%2Fb");
    assert_true(sigv4_encode("%", false, out, 4));
    assert_false(sigv4_encode("%", false, out, 3));
    assert_true(sigv4_encode("abc", false, out, 4));
    assert_false(sigv4_encode("abc", false, out, 3));
    assert_false(sigv4_encode("", false, out, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_reference_have_their_signatures),
        cmocka_unit_test(what_is_too_long_is_refused_and_not_cut),
        cmocka_unit_test(names_are_encoded_once_and_slashes_where_they_are_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
