/* test_s3_list.c - pages of lists of objects. */
#include "remote/s3_list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct heard {
    op_object objects[8];
    size_t count;
    evdb_status answer;
} heard;

static evdb_status note(void *to, const op_object *object, evdb_error *err)
{
    heard *h = to;
    (void)err;
    assert_true(h->count < 8);
    h->objects[h->count++] = *object;
    return h->answer;
}

static evdb_status read_page(s3_page *page, heard *h, const char *prefix, const char *text)
{
    evdb_error err;
    size_t size = strlen(text);
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, text, size);
    *page = (s3_page){ .prefix = prefix, .each = note, .to = h };
    evdb_status rc = s3_page_read(page, copy, size, &err);
    free(copy);
    return rc;
}

#define OBJECT(key, size) "<Contents><Key>" key "</Key><ETag>&quot;t-" key "&quot;</ETag><Size>" size "</Size></Contents>"

static void objects_are_told_without_the_prefix(void **state)
{
    heard h = { .count = 0 };
    s3_page page;
    (void)state;
    assert_int_equal(read_page(&page, &h, "evdb/", "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>"
                               OBJECT("evdb/one.backup", "12") OBJECT("evdb/t%77o", "0") OBJECT("evdb%2Fthree", "999999999999999999")
                               "</ListBucketResult>"), EVDB_OK);
    assert_false(page.more);
    assert_int_equal(h.count, 3);
    assert_string_equal(h.objects[0].name, "one.backup");
    assert_string_equal(h.objects[0].tag, "\"t-evdb/one.backup\"");
    assert_int_equal(h.objects[0].size, 12);
    assert_string_equal(h.objects[1].name, "two");
    assert_string_equal(h.objects[2].name, "three");
    assert_int_equal(h.objects[2].size, 999999999999999999);
}

static void names_that_are_none_of_ours_are_passed_over(void **state)
{
    char text[2048], name[OP_OBJECT_NAME_MAX + 2];
    heard h = { .count = 0 };
    s3_page page;
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    snprintf(text, sizeof text, "<ListBucketResult>%s" OBJECT("p/%s", "1") OBJECT("p/%s", "1") "</ListBucketResult>",
             OBJECT("p/", "1") OBJECT("p/a/b", "1") OBJECT("q/a", "1") OBJECT("p", "1") OBJECT("p/a%00b", "1") OBJECT("p/a%2", "1"),
             name, name, name + 1, name + 1);
    assert_int_equal(read_page(&page, &h, "p/", text), EVDB_OK);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.objects[0].name, name + 1);
}

static void the_next_page_has_a_token(void **state)
{
    heard h = { .count = 0 };
    s3_page page;
    (void)state;
    assert_int_equal(read_page(&page, &h, "", "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a b&amp;c"
                               "</NextContinuationToken></ListBucketResult>"), EVDB_OK);
    assert_true(page.more);
    assert_string_equal(page.token, "a b&c");
    assert_int_equal(read_page(&page, &h, "", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), EVDB_REMOTE);
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const texts[] = {
        "<Error><Code>x</Code></Error>", "<html></html>", "<ListBucketResult>", "<ListBucketResult/>x",
        "<ListBucketResult>" OBJECT("a", "-1") "</ListBucketResult>", "<ListBucketResult>" OBJECT("a", "") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("a", "1234567890123456789") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("a", "1x") "</ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
    };
    heard h = { .count = 0 };
    s3_page page;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (read_page(&page, &h, "", texts[i]) != EVDB_REMOTE) fail_msg("read: %s", texts[i]);
    h.answer = EVDB_NO_MEMORY;
    assert_int_equal(read_page(&page, &h, "", "<ListBucketResult>" OBJECT("a", "1") OBJECT("b", "1") "</ListBucketResult>"), EVDB_NO_MEMORY);
    assert_int_equal(h.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_told_without_the_prefix),
        cmocka_unit_test(names_that_are_none_of_ours_are_passed_over),
        cmocka_unit_test(the_next_page_has_a_token),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
