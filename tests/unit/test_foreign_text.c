/* test_foreign_text.c - what lib/foreign reads as text or tokens: definitions of vec0 tables, a Chroma's pickle, numbers of metadata. */
#include "foreign/chroma_labels.h"
#include "foreign/vec0_definition.h"
#include "format/json_build.h"
#include "format/number.h"
#include "memory_io.h"
#include "platform/platform.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static vec0_definition parsed(const char *sql)
{
    vec0_definition d;
    evdb_error err;
    if (vec0_parse(sql, strlen(sql), &d, &err) != EVDB_OK) fail_msg("%s: %s", sql, err.message);
    return d;
}

static bool named(const vec0_column *c, const char *name) { return strlen(name) == c->length && memcmp(name, c->name, c->length) == 0; }

static void definitions_are_read_as_sqlite_keeps_them(void **state)
{
    (void)state;
    vec0_definition d = parsed("CREATE VIRTUAL TABLE \"a using vec0(b\" USING\n vec0 ( id INTEGER PRIMARY KEY,\n\tv FLOAT[ 3 ] distance_metric = L1 ,"
                               "kind text partition key, w int8[4], +note text, n integer, ok bool, chunk_size = 8, b bit[16])");
    static const struct {
        const char *name;
        vec0_kind kind;
        uint32_t number;
    } wanted[] = { { "v", VEC0_VECTOR, 0 }, { "kind", VEC0_PARTITION, 0 }, { "w", VEC0_VECTOR, 1 }, { "note", VEC0_AUXILIARY, 0 },
                   { "n", VEC0_METADATA, 0 }, { "ok", VEC0_METADATA, 1 }, { "b", VEC0_VECTOR, 2 } };
    assert_int_equal(d.count, sizeof(wanted) / sizeof(*wanted));
    for (size_t i = 0; i < d.count; i++) {
        assert_true(named(&d.columns[i], wanted[i].name));
        assert_int_equal(d.columns[i].kind, wanted[i].kind);
        assert_int_equal(d.columns[i].number, wanted[i].number);
    }
    assert_true(d.columns[0].dim == 3 && d.columns[0].metric == EVDB_MANHATTAN && d.columns[0].element == SOURCE_F32);
    assert_true(d.columns[2].dim == 4 && d.columns[2].metric == EVDB_EUCLIDEAN && d.columns[2].element == SOURCE_I8);
    assert_true(d.columns[6].dim == 16 && d.columns[6].metric == EVDB_HAMMING && d.columns[6].element == SOURCE_BIT);
    assert_false(d.text_key);
    assert_true(parsed("create virtual table if not exists main.[t] using VEC0(k Text Primary Key, v f32[1])").text_key);
    static const char *const others[] = { "CREATE TABLE t(v)", "CREATE VIRTUAL TABLE t USING fts5(v)", "CREATE VIRTUAL TABLE t USING vec0", "", "vec0(" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) assert_false(vec0_is(others[i], strlen(others[i])));
}

typedef struct pairs {
    char text[200];
    int64_t sequence;
} pairs;

static evdb_status note_pair(void *context, const char *id, size_t length, int64_t label, evdb_error *err)
{
    pairs *p = context;
    size_t used = strlen(p->text);
    (void)err;
    snprintf(p->text + used, sizeof(p->text) - used, "%.*s=%lld ", (int)length, id, (long long)label);
    return EVDB_OK;
}

static evdb_status labels_of(const char *bytes, size_t size, size_t most, pairs *out, evdb_error *err)
{
    memory_source memory = memory_from(bytes, size);
    evdb_source source = memory_reading(&memory);
    memory.most = most;
    *out = (pairs){ 0 };
    return chroma_labels(&platform_real.mem, &source, note_pair, out, &out->sequence, err);
}

#define KEY(text, length) "\x8c" length text

static void pickles_are_read_however_python_or_rust_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *pairs;
        int64_t sequence;
    } cases[] = {
#define CASE(bytes, pairs, sequence) { bytes, sizeof(bytes) - 1, pairs, sequence }
        CASE("\x80\x03}(" KEY("id_to_label", "\x0b") "}(X\1\0\0\0aK\1X\1\0\0\0bJ\xff\xff\xff\xffuu.", "a=1 b=-1 ", 0),
        CASE("\x80\x04}\x94(" KEY("max_seq_id", "\x0a") "M\xff\xff" KEY("id_to_label", "\x0b") "\x94}\x94" KEY("only", "\4") "\x94K\5s"
             KEY("label_to_id", "\x0b") "}\x94K\5h\3su.", "only=5 ", 65535),
        CASE("\x80\x04}(" KEY("id_to_label", "\x0b") "}" KEY("max_seq_id", "\x0a") "K\7u.", "", 0), /* empty; the number behind it is not looked for */
        CASE("}(" KEY("id_to_label", "\x0b") "}(" KEY("a", "\1") "K\1u(" KEY("b", "\1") "\x8a\2\x2c\1u" KEY("x", "\1") "Nu.", "a=1 b=300 ", 0),
        CASE("cmodule\nName\n)\x81}(" KEY("id_to_label", "\x0b") "}(" KEY("id_to_label", "\x0b") "K\1uub.", "id_to_label=1 ", 0),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t most = 0; most < 4; most++) {
            pairs found;
            evdb_error err;
            if (labels_of(cases[i].bytes, cases[i].size, most, &found, &err) != EVDB_OK) fail_msg("case %zu: %s", i, err.message);
            assert_string_equal(found.text, cases[i].pairs);
            assert_true(found.sequence == cases[i].sequence);
            for (size_t cut = 0; cut < cases[i].size; cut++) {
                assert_int_equal(labels_of(cases[i].bytes, cut, most, &found, &err), EVDB_INVALID);
                assert_non_null(strstr(err.message, "the pickle"));
            }
        }
}

static void pickles_of_other_things_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } cases[] = {
#define BAD(bytes, says) { bytes, sizeof(bytes) - 1, says }
        BAD("}.", "no id_to_label"),
        BAD("\xff", "opcode 0xff"),
        BAD("I5\n.", "opcode 0x49"),
        BAD("}(" KEY("id_to_label", "\x0b") "}(K\1K\2uu.", "not a dictionary from text to integers"),
        BAD("}(" KEY("id_to_label", "\x0b") "}(" KEY("a", "\1") KEY("b", "\1") "uu.", "not a dictionary from text to integers"),
        BAD("}(" KEY("id_to_label", "\x0b") "}((" "uu.", "not a dictionary from text to integers"),
        BAD("}(" KEY("id_to_label", "\x0b") "}(h\1K\1uu.", "not a dictionary from text to integers"),
        BAD("X\xff\xff\xff\xff", "has 4294967295 bytes"),
        BAD("\x8a\x09xxxxxxxxx.", "has 9 bytes"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pairs found;
        evdb_error err;
        assert_int_equal(labels_of(cases[i].bytes, cases[i].size, 0, &found, &err), EVDB_INVALID);
        if (!strstr(err.message, cases[i].says)) fail_msg("case %zu: %s", i, err.message);
    }
}

static void reals_are_written_as_numbers_that_are_read_back(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = { { 0.1, "0.1" }, { 1, "1.0" }, { -0.0, "-0.0" }, { 1e300, "1e+300" }, { 1.0 / 3, "0.3333333333333333" }, { 5e-324, "4.94065645841247e-324" } };
    uint64_t seed = seed_print();
    buf text;
    buf_init(&text, &platform_real.mem);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        text.size = 0;
        assert_true(json_add_real(&text, cases[i].value) && buf_terminate(&text));
        assert_string_equal(text.at, cases[i].text);
    }
    for (int i = 0; i < 10000; i++) {
        uint64_t bits = seed_next(&seed);
        double value, back;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value)) continue;
        text.size = 0;
        assert_true(json_add_real(&text, value) && buf_terminate(&text));
        back = number_to_double(text.at, text.size);
        assert_memory_equal(&back, &value, sizeof(value));
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_are_read_as_sqlite_keeps_them),
        cmocka_unit_test(pickles_are_read_however_python_or_rust_write_them),
        cmocka_unit_test(pickles_of_other_things_are_refused),
        cmocka_unit_test(reals_are_written_as_numbers_that_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
