/* test_xml.c - the XML that S3 answers with: what is read, and what is refused. */
#include "remote/xml.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* "PATH=TEXT;" of each element, in the order in which they end. */
typedef struct heard { char text[1024]; size_t size; } heard;

static bool hear(void *context, const char *path, const char *text)
{
    heard *h = context;
    h->size += (size_t)snprintf(h->text + h->size, sizeof h->text - h->size, "%s=%s;", path, text);
    return h->size < sizeof h->text;
}

/* In memory of exactly its size, so that a sanitizer sees a read behind it. */
static bool read_text(const char *text, size_t size, heard *h)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    *h = (heard){ .size = 0 };
    bool read = xml_read(copy, size, hear, h);
    free(copy);
    return read;
}

static void expect(const char *text, const char *wanted)
{
    heard h;
    if (!read_text(text, strlen(text), &h)) fail_msg("refused: %s", text);
    assert_string_equal(h.text, wanted);
}

static void elements_are_told_with_their_paths_and_texts(void **state)
{
    (void)state;
    expect("<a/>", "a=;");
    expect("<a></a>", "a=;");
    expect("\xef\xbb\xbf<?xml version=\"1.0\" encoding='UTF-8'?>\n<a xmlns=\"http://s3/\" b='>' ><b>x y</b>\n <c/></a>\n", "a/b=x y;a/c=;a=;");
    expect("<a><b><c>1</c></b><b><c>2</c></b></a>", "a/b/c=1;a/b=;a/b/c=2;a/b=;a=;");
    expect("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#xe4;&#x20AC;&#x1F600;</a>", "a=<&>\"'AB\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80;");
    expect("<a>  kept </a >", "a=  kept ;");
    expect("<a><ab>1</ab></a>", "a/ab=1;a=;");
}

static void what_is_no_such_document_is_refused(void **state)
{
    static const char *const texts[] = {
        "", " ", "a", "<", "<a", "<a>", "<a/", "<a><", "</a>", "<a></b>", "<ab></b>", "<a><b></a></b>", "<a/><b/>", "<a/>x", "<>", "< a/>",
        "<a b/>", "<a b=c/>", "<a b=\"c/>", "<a b=\"<\"/>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#xd800;</a>", "<a>&#x110000;</a>",
        "<a>&#99999999999;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#g;</a>", "<a>&lt</a>", "<a>&</a>", "<a>x<b/></a>", "<a><b/>x</a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><!-- x --></a>", "<a><![CDATA[x]]></a>", "<a><?x?></a>", "<?xml", "<?xml ?>",
        "<a><b><c><d><e><f><g><h><i/></h></g></f></e></d></c></b></a>",
    };
    heard h;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (read_text(texts[i], strlen(texts[i]), &h)) fail_msg("read: %s as %s", texts[i], h.text);
    assert_false(read_text("<a>\0</a>", 8, &h));
}

static void a_document_that_is_cut_anywhere_is_refused(void **state)
{
    static const char whole[] = "<?xml version=\"1.0\"?><L><C><Key>a&amp;b</Key><Size>12</Size></C><T>true</T></L>";
    heard h;
    (void)state;
    for (size_t size = 0; size < sizeof whole - 1; size++) assert_false(read_text(whole, size, &h));
    assert_true(read_text(whole, sizeof whole - 1, &h));
}

static void names_without_end_are_refused(void **state)
{
    char text[2 * XML_PATH_MAX + 16];
    heard h;
    (void)state;
    for (int fits = 0; fits < 2; fits++) {
        int length = fits ? XML_PATH_MAX - 1 : XML_PATH_MAX;
        memset(text + 1, 'n', (size_t)length);
        text[0] = '<';
        memcpy(text + 1 + length, "/>", 3);
        assert_int_equal(read_text(text, strlen(text), &h), fits);
    }
}

static void random_changes_do_no_harm(void **state)
{
    static const char letters[] = "<>/&;#x=\"' a1";
    static const char whole[] = "<L a='b'><C><Key>a&amp;b</Key><Size>12</Size></C>\n<T>&#x41;</T></L>";
    uint64_t seed = seed_print();
    size_t read = 0;
    heard h;
    (void)state;
    for (size_t i = 0, tries = seed_tries(20000); i < tries; i++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (uint64_t n = seed_below(&seed, 3); n < 3; n++)
            text[seed_below(&seed, sizeof whole - 1)] = letters[seed_below(&seed, sizeof letters - 1)];
        read += read_text(text, sizeof whole - 1, &h);
        assert_true(h.size < sizeof h.text);
    }
    print_message("%zu of them were documents\n", read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_told_with_their_paths_and_texts),
        cmocka_unit_test(what_is_no_such_document_is_refused),
        cmocka_unit_test(a_document_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(names_without_end_are_refused),
        cmocka_unit_test(random_changes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
