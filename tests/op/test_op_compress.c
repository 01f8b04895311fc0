/* test_op_compress.c - operations on vectors as codes, and those that measure codecs. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *reply_of(evdb *db, const char *name, const char *text)
{
    json_t *reply = NULL;
    evdb_error why = { .message = "" };
    if (call_op(&(op_call){ .db = db }, name, text, &reply, &why) != EVDB_OK) fail_msg("%s: %s", name, why.message);
    return reply;
}

static const char *text_of(const json_t *o, const char *name) { return json_string_value(json_object_get(o, name)); }
static double number_of(const json_t *o, const char *name) { return json_number_value(json_object_get(o, name)); }

static void a_vector_goes_through_a_codec_and_back(void **state)
{
    static const struct { const char *codec, *whole; int bytes; } cases[] = { { "f32", "f32", 16 }, { "f16", "f16", 8 }, { "bf16", "bf16", 8 } };
    evdb *db = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "{\"%s\":\"%s\",\"vector\":[1,-0.5,0,2]}", i ? "codec" : "algorithm", cases[i].codec);
        call_expect(db, "compress_vector", text, NULL);
        json_t *packed = reply_of(db, "compress_vector", text);
        assert_string_equal(text_of(packed, "algorithm"), cases[i].whole);
        assert_int_equal(number_of(packed, "dim"), 4);
        assert_int_equal(number_of(packed, "bytes"), cases[i].bytes);
        assert_int_equal(number_of(packed, "compression_ratio"), 16 / cases[i].bytes);
        snprintf(text, sizeof text, "{\"compressed\":\"%s\"}", text_of(packed, "compressed"));
        char wanted[128];
        snprintf(wanted, sizeof wanted, "{\"algorithm\":\"%s\",\"dim\":4,\"vector\":[1,-0.5,0,2]}", cases[i].whole);
        call_expect(db, "decompress_vector", text, wanted);
        json_decref(packed);
    }
}

static void what_cannot_be_compressed_is_named(void **state)
{
    evdb *db = *state;
    call_fails(db, "compress_vector", "{\"algorithm\":\"lzma\",\"vector\":[1]}", EVDB_INVALID, "there is no codec 'lzma'");
    call_fails(db, "compress_vector", "{\"algorithm\":\"\",\"vector\":[1]}", EVDB_INVALID, "a codec is missing");
    call_fails(db, "compress_vector", "{\"vector\":[1]}", EVDB_INVALID, "'algorithm' is required");
    call_fails(db, "compress_vector", "{\"algorithm\":\"f16\",\"vector\":[]}", EVDB_INVALID, "'vector'");
    call_fails(db, "decompress_vector", "{}", EVDB_INVALID, "'compressed' is required");
    call_fails(db, "decompress_vector", "{\"compressed\":7}", EVDB_INVALID, "'compressed' must be a string of base64");
    call_fails(db, "decompress_vector", "{\"compressed\":\"=?\"}", EVDB_INVALID, "'compressed' must be base64");
    call_fails(db, "decompress_vector", "{\"compressed\":\"\"}", EVDB_INVALID, "cut short");
    call_fails(db, "decompress_vector", "{\"compressed\":\"AAAA\"}", EVDB_INVALID, "cut short");
}

static void a_codec_that_takes_minutes_to_make_is_not_made_for_one_vector(void **state)
{
    enum { DIM = 4096, ROOM = DIM * 2 + 100 };
    static const struct { const char *codec; bool good; } cases[] = {
        { "rp:4096", false }, { "rp:1000+rp:1000+i8", false }, { "rp:64+rabitq", true }, { "rotate+rp:9+rp:3", true },
    };
    char text[ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int used = snprintf(text, ROOM, "{\"codec\":\"%s\",\"vector\":[0", cases[i].codec);
        for (int j = 1; j < DIM; j++) used += snprintf(text + used, (size_t)(ROOM - used), ",%d", j % 10);
        snprintf(text + used, (size_t)(ROOM - used), "]}");
        if (cases[i].good) json_decref(reply_of(*state, "compress_vector", text));
        else call_fails(*state, "compress_vector", text, EVDB_LIMIT, cases[i].codec);
    }
}

static void a_damaged_code_is_the_callers_fault(void **state)
{
    evdb *db = *state;
    json_t *packed = reply_of(db, "compress_vector", "{\"algorithm\":\"f32\",\"vector\":[1,2]}");
    char text[256];
    snprintf(text, sizeof text, "{\"compressed\":\"%s\"}", text_of(packed, "compressed"));
    for (char *at = strchr(text, ':') + 2; *at != '=' && *at != '"'; at++) {
        char was = *at;
        *at = was == 'A' ? 'Z' : 'A';
        json_t *reply = NULL;
        evdb_error why;
        assert_int_equal(call_op(&(op_call){ .db = db }, "decompress_vector", text, &reply, &why), EVDB_INVALID);
        assert_int_equal(why.status, EVDB_INVALID);
        *at = was;
    }
    json_decref(packed);
}

static void codecs_are_listed(void **state)
{
    size_t i;
    json_t *codec, *reply = reply_of(*state, "list_codecs", "{}"), *codecs = json_object_get(reply, "codecs");
    call_expect(*state, "list_codecs", "{}", NULL);
    json_array_foreach(codecs, i, codec) {
        const evdb_codec_kind *kind = evdb_codec_kind_at((uint32_t)i);
        assert_string_equal(text_of(codec, "name"), kind->name);
        assert_string_equal(text_of(codec, "doc"), kind->doc);
        assert_int_equal(json_is_true(json_object_get(codec, "trained")), !!(kind->flags & EVDB_CODEC_TRAINED));
        assert_int_equal(json_array_size(json_object_get(codec, "aliases")) != 0, *kind->aliases != 0);
    }
    assert_null(evdb_codec_kind_at((uint32_t)i));
    json_decref(reply);
}

static void one_vector_is_measured_but_for_its_neighbours(void **state)
{
    json_t *reply = reply_of(*state, "benchmark_compression", "{\"vector\":[1,2,3,4],\"algorithms\":[\"f16\",\"f32\"]}");
    json_t *f = json_array_get(json_object_get(reply, "results"), 0);
    assert_int_equal(number_of(reply, "vectors"), 1);
    assert_string_equal(text_of(reply, "metric"), "cosine");
    assert_string_equal(text_of(f, "algorithm"), "f16");
    assert_int_equal(number_of(f, "compression_ratio"), 2);
    assert_true(number_of(f, "compression_time") > 0 && number_of(f, "accuracy_loss") == 0);
    assert_null(json_object_get(f, "recall_at_10"));
    json_decref(reply);
    call_expect(*state, "benchmark_compression", "{\"vector\":[1,2,3,4]}", NULL); /* every kind, trained ones with an error */
}

static void many_vectors_are_measured_as_arrays_packed_or_of_a_store(void **state)
{
    evdb *db = *state;
    float rows[12 * 2];
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"metric\":\"manhattan\",\"codecs\":[\"f32\"],\"vectors\":[");
    for (int i = 0; i < 12; i++) {
        rows[2 * i] = (float)i;
        rows[2 * i + 1] = (float)(i * i);
        char one[128];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s[%d,%d]", i ? "," : "", i, i * i);
        snprintf(one, sizeof one, "{\"store\":\"docs\",\"id\":%d,\"vector\":[%d,%d]}", i, i, i * i);
        call_expect(db, "insert_vector", one, NULL);
    }
    snprintf(text + used, sizeof text - used, "]}");
    call_expect(db, "benchmark_compression", text, NULL);
    json_t *replies[3] = { reply_of(db, "benchmark_compression", text), NULL,
                           reply_of(db, "benchmark_compression", "{\"store\":\"docs\",\"metric\":\"l1\",\"algorithms\":[\"f32\"]}") };
    evdb_error why;
    assert_int_equal(call_body(&(op_call){ .db = db }, "benchmark_compression", "{\"dim\":2,\"algorithms\":[\"f32\"],\"metric\":\"manhattan\"}", rows,
                               sizeof rows, &replies[1], &why), EVDB_OK);
    for (int i = 0; i < 3; i++) {
        json_t *f = json_array_get(json_object_get(replies[i], "results"), 0);
        assert_true(number_of(f, "recall_at_10") == 1 && number_of(f, "bytes") == 8);
        assert_true(number_of(replies[i], "vectors") == 12 && number_of(replies[i], "queries") == 12 && number_of(replies[i], "dim") == 2);
        assert_string_equal(text_of(replies[i], "metric"), "manhattan");
        json_decref(replies[i]);
    }
    json_t *reply = reply_of(db, "benchmark_compression", "{\"store\":\"docs\",\"algorithms\":[\"f32\"],\"sample\":5}");
    assert_int_equal(number_of(reply, "vectors"), 5);
    assert_string_equal(text_of(reply, "metric"), "euclidean"); /* the store's own */
    json_decref(reply);
}

static void a_codec_is_proposed_for_a_store(void **state)
{
    evdb *db = *state;
    char text[128];
    call_fails(db, "advise_compression", "{\"store\":\"docs\"}", EVDB_INVALID, "fewer than 11");
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "{\"store\":\"docs\",\"id\":%d,\"vector\":[%d,%d]}", i, i, i * i % 31);
        call_expect(db, "insert_vector", text, NULL);
    }
    call_expect(db, "advise_compression", "{\"store\":\"docs\"}", NULL);
    json_t *reply = reply_of(db, "advise_compression", "{\"name\":\"docs\",\"recall\":0.9,\"algorithms\":[\"f32\",\"f16\"]}");
    assert_string_equal(text_of(reply, "proposed"), "f16"); /* numbers that it holds exactly */
    assert_true(number_of(reply, "compression_ratio") == 2 && number_of(reply, "recall_at_10") == 1);
    assert_int_equal(json_array_size(json_object_get(reply, "results")), 2);
    json_decref(reply);
    call_fails(db, "advise_compression", "{\"store\":\"docs\",\"recall\":0}", EVDB_INVALID, "recall is 0");
    call_fails(db, "advise_compression", "{\"store\":\"docs\",\"recall\":1.5}", EVDB_INVALID, "recall is 1.5");
    call_fails(db, "advise_compression", "{\"store\":\"docs\",\"algorithms\":[\"f99\"]}", EVDB_INVALID, "f99");
    call_fails(db, "advise_compression", "{\"store\":\"none\"}", EVDB_NOT_FOUND, "'none'");
}

static void what_cannot_be_measured_is_named(void **state)
{
    evdb *db = *state;
    call_fails(db, "benchmark_compression", "{}", EVDB_INVALID, "give one of 'store', 'vector' and 'vectors'");
    call_fails(db, "benchmark_compression", "{\"store\":\"docs\",\"vector\":[1]}", EVDB_INVALID, "give one of");
    call_fails(db, "benchmark_compression", "{\"store\":\"docs\"}", EVDB_INVALID, "store 'docs' has no vectors");
    call_fails(db, "benchmark_compression", "{\"store\":\"none\"}", EVDB_NOT_FOUND, "'none'");
    call_fails(db, "benchmark_compression", "{\"vector\":[1],\"algorithms\":[\"f32\",\"zip\"]}", EVDB_INVALID, "there is no codec 'zip'");
    call_fails(db, "benchmark_compression", "{\"vector\":[1],\"metric\":\"custom\"}", EVDB_INVALID, "program's own");
    call_fails(db, "benchmark_compression", "{\"vectors\":\"AACAPwAAAEA=\"}", EVDB_INVALID, "'dim'");
    call_fails(db, "benchmark_compression", "{\"vectors\":[[1,2],[3]]}", EVDB_INVALID, "vectors[1]");
}

static void a_store_gets_a_codec_and_another(void **state)
{
    evdb *db = *state;
    for (int i = 0; i < 3; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"store\":\"docs\",\"id\":%d,\"vector\":[%d,1]}", i, i);
        call_expect(db, "insert_vector", text, NULL);
    }
    call_expect(db, "compression_status", "{\"store\":\"docs\"}", NULL);
    call_expect(db, "set_compression", "{\"store\":\"docs\",\"algorithm\":\"f16\",\"wait\":true}", NULL);
    json_t *reply = reply_of(db, "compression_status", "{\"name\":\"docs\"}");
    assert_string_equal(text_of(reply, "codec"), "f16");
    assert_string_equal(text_of(reply, "state"), "settled");
    assert_int_equal(number_of(reply, "compression_ratio"), 2);
    json_decref(reply);
    call_expect(db, "insert_compressed", "{\"store\":\"docs\",\"id\":9,\"vector\":[1,2],\"compression_algorithm\":\"none\"}", NULL);
    call_expect(db, "create_store", "{\"name\":\"more\",\"codec\":\"i8\"}", NULL);
    call_fails(db, "create_store", "{\"name\":\"most\",\"codec\":\"i8\",\"compression\":\"i8\"}", EVDB_INVALID, "same argument");
    call_fails(db, "create_store", "{\"name\":\"most\",\"algorithm\":\"i8\",\"compression\":\"i8\"}", EVDB_INVALID, "same argument");
    call_fails(db, "set_compression", "{\"store\":\"docs\",\"codec\":\"lzma\"}", EVDB_INVALID, "'lzma'");
    call_expect(db, "store_stats", "{\"store\":\"docs\"}", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_vector_goes_through_a_codec_and_back, call_open, call_close),
        cmocka_unit_test_setup_teardown(what_cannot_be_compressed_is_named, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_codec_that_takes_minutes_to_make_is_not_made_for_one_vector, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_damaged_code_is_the_callers_fault, call_open, call_close),
        cmocka_unit_test_setup_teardown(codecs_are_listed, call_open, call_close),
        cmocka_unit_test_setup_teardown(one_vector_is_measured_but_for_its_neighbours, call_open, call_close),
        cmocka_unit_test_setup_teardown(many_vectors_are_measured_as_arrays_packed_or_of_a_store, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_codec_is_proposed_for_a_store, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_store_gets_a_codec_and_another, call_open, call_close),
        cmocka_unit_test_setup_teardown(what_cannot_be_measured_is_named, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
