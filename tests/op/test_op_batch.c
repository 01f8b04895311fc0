/* test_op_batch.c - many records at once: write_batch, load_vectors, search_batch, scroll_records. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_batch_is_written_in_order(void **state)
{
    call_expect(*state, "write_batch",
                "{\"store\":\"docs\",\"records\":[{\"id\":\"a\",\"vector\":[1,2],\"metadata\":{\"n\":0.10}},"
                "{\"id\":\"b\",\"vector\":\"AACAPwAAIMA=\"}]}",
                "{\"written\":2,\"failed\":0,\"items\":[{\"index\":0,\"id\":\"a\",\"status\":\"OK\",\"version\":1},"
                "{\"index\":1,\"id\":\"b\",\"status\":\"OK\",\"version\":2}]}");
    call_expect(*state, "get_records", "{\"store\":\"docs\",\"ids\":[\"a\",\"b\"]}",
                "{\"records\":[{\"id\":\"a\",\"version\":1,\"vector\":[1,2],\"metadata\":{\"n\":0.1}},"
                "{\"id\":\"b\",\"version\":2,\"vector\":[1,-2.5],\"metadata\":{}}],\"missing\":[]}");
    call_expect(*state, "write_batch",
                "{\"store\":\"docs\",\"mode\":\"update\",\"records\":[{\"id\":\"a\",\"metadata\":{\"n\":2},\"if_version\":1}]}",
                "{\"written\":1,\"failed\":0,\"items\":[{\"index\":0,\"id\":\"a\",\"status\":\"OK\",\"version\":3}]}");
    call_expect(*state, "write_batch", "{\"store\":\"docs\",\"mode\":\"upsert\",\"records\":[{\"id\":\"c\",\"vector\":[0,1]}]}", NULL);
    call_expect(*state, "write_batch", "{\"store\":\"docs\",\"mode\":\"delete\",\"records\":[{\"id\":\"c\"},{\"id\":\"b\"}]}", NULL);
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":1}");
}

static void a_bad_record_fails_the_batch_and_is_named(void **state)
{
    static const char *const bad[][2] = {
        { "{\"id\":2}", "'records[1]': 'vector' is required" },
        { "{\"id\":2,\"vector\":[1,2,3]}", "'records[1]': the vector has 3 elements, but should have 2" },
        { "{\"id\":2,\"vector\":[1,\"x\"]}", "'records[1]': 'vector[1]' must be a number" },
        { "{\"id\":2,\"vector\":[1,2],\"vektor\":1}", "'records[1]': a record has no argument 'vektor'" },
        { "{\"vector\":[1,2]}", "'records[1]': 'id' is required" },
        { "7", "'records[1]': the arguments of a record must be a JSON object" },
        { "{\"id\":1,\"vector\":[1,2]}", "record 1 already exists" },
    };
    char text[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *reply = NULL;
        evdb_error err;
        op_call how = { .db = *state };
        snprintf(text, sizeof text, "{\"store\":\"docs\",\"records\":[{\"id\":1,\"vector\":[1,2]},%s]}", bad[i][0]);
        evdb_status rc = call_op(&how, "write_batch", text, &reply, &err);
        if (rc == EVDB_OK || strcmp(err.message, bad[i][1]) != 0) fail_msg("%s: \"%s\"", bad[i][0], rc ? err.message : "");
        assert_int_equal(err.item, 1);
        call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":0}");
    }
    call_fails(*state, "write_batch", "{\"store\":\"docs\",\"records\":[]}", EVDB_INVALID, "'records' needs at least 1 item");
    call_fails(*state, "write_batch", "{\"store\":\"docs\",\"records\":{}}", EVDB_INVALID, "'records' must be an array");
    call_fails(*state, "write_batch", "{\"store\":\"docs\",\"records\":[1234567890,1234567890]}", EVDB_INVALID, "'records' must be");
    call_fails(*state, "write_batch", "{\"store\":\"docs\",\"mode\":\"put\",\"records\":[{\"id\":1}]}", EVDB_INVALID, "'put'");
}

/* Vectors of differing lengths, so that they are no block. */
static void a_partial_batch_writes_the_good_records(void **state)
{
    call_expect(*state, "write_batch",
                "{\"store\":\"docs\",\"partial\":true,\"records\":[{\"id\":1,\"vector\":[1,2,3]},{\"id\":2,\"vector\":[4,5]},"
                "{\"id\":2,\"vector\":[6,7]},{\"id\":\"x\",\"vector\":[8,9]},{\"id\":3},{\"id\":4,\"vector\":[1,1]}]}",
                "{\"written\":2,\"failed\":4,\"items\":["
                "{\"index\":0,\"id\":1,\"status\":\"INVALID\",\"message\":\"the vector has 3 elements, but should have 2\"},"
                "{\"index\":1,\"id\":2,\"status\":\"OK\",\"version\":1},"
                "{\"index\":2,\"id\":2,\"status\":\"EXISTS\",\"message\":\"record 2 already exists\"},"
                "{\"index\":3,\"id\":\"x\",\"status\":\"INVALID\",\"message\":"
                "\"id 'x' is a string, but this store's ids are integers\"},"
                "{\"index\":4,\"id\":3,\"status\":\"INVALID\",\"message\":\"'vector' is required\"},"
                "{\"index\":5,\"id\":4,\"status\":\"OK\",\"version\":2}]}");
    call_expect(*state, "get_records", "{\"store\":\"docs\",\"ids\":[2,4]}",
                "{\"records\":[{\"id\":2,\"version\":1,\"vector\":[4,5],\"metadata\":{}},"
                "{\"id\":4,\"version\":2,\"vector\":[1,1],\"metadata\":{}}],\"missing\":[]}");
    call_expect(*state, "write_batch",
                "{\"store\":\"docs\",\"partial\":true,\"mode\":\"delete\",\"records\":[{\"id\":9},{\"id\":2,\"vector\":[1,2]},"
                "{\"id\":4,\"if_version\":9},{\"id\":2}]}",
                "{\"written\":1,\"failed\":3,\"items\":["
                "{\"index\":0,\"id\":9,\"status\":\"NOT_FOUND\",\"message\":\"there is no record 9\"},"
                "{\"index\":1,\"id\":2,\"status\":\"INVALID\",\"message\":\"a delete takes an 'id' and nothing to keep\"},"
                "{\"index\":2,\"id\":4,\"status\":\"CONFLICT\",\"message\":\"record 4 has version 2, not 9\"},"
                "{\"index\":3,\"id\":2,\"status\":\"OK\",\"version\":3}]}");
    call_expect(*state, "write_batch",
                "{\"store\":\"docs\",\"partial\":true,\"mode\":\"update\",\"records\":[{\"id\":4,\"metadata\":{}},{\"id\":4},"
                "{\"id\":4,\"vector\":[2,2]}]}",
                "{\"written\":1,\"failed\":2,\"items\":["
                "{\"index\":0,\"id\":4,\"status\":\"INVALID\",\"message\":"
                "\"in one batch of updates every record has a 'vector', or none has\"},"
                "{\"index\":1,\"id\":4,\"status\":\"INVALID\",\"message\":\"nothing to update: give 'vector', 'metadata' or 'ttl'\"},"
                "{\"index\":2,\"id\":4,\"status\":\"OK\",\"version\":4}]}");
}

static void nothing_good_in_a_partial_batch_is_no_failure(void **state)
{
    call_expect(*state, "write_batch", "{\"store\":\"docs\",\"partial\":true,\"records\":[{\"id\":1}]}",
                "{\"written\":0,\"failed\":1,\"items\":[{\"index\":0,\"id\":1,\"status\":\"INVALID\",\"message\":"
                "\"'vector' is required\"}]}");
}

static void vectors_are_loaded_under_ids_that_count_up(void **state)
{
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4],\"AACAPwAAIMA=\"],\"first_id\":5}",
                "{\"written\":3}");
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":\"AACAPwAAIMA=\",\"ids\":[9],\"dim\":2}", "{\"written\":1}");
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[7,8]],\"first_id\":5,\"mode\":\"upsert\"}", NULL);
    call_expect(*state, "scroll_records", "{\"store\":\"docs\"}",
                "{\"records\":[{\"id\":5,\"version\":5,\"vector\":[7,8],\"metadata\":{}},"
                "{\"id\":6,\"version\":2,\"vector\":[3,4],\"metadata\":{}},{\"id\":7,\"version\":3,\"vector\":[1,-2.5],\"metadata\":{}},"
                "{\"id\":9,\"version\":4,\"vector\":[1,-2.5],\"metadata\":{}}]}");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"first_id\":5}", EVDB_EXISTS, "record 5");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"mode\":\"update\"}", EVDB_INVALID, "insert or upsert");
}

static void packed_vectors_are_checked_to_the_byte(void **state)
{
    static const float rows[4] = { 1, 2, 3, 4 };
    unsigned char body[2 * sizeof(int64_t) + sizeof rows];
    const int64_t ids[2] = { -7, 0x4000000040000000 }; /* whose bytes are two floats as well */
    op_call how = { .db = *state };
    json_t *reply = NULL;
    evdb_error err;
    memcpy(body, ids, sizeof ids);
    memcpy(body + sizeof ids, rows, sizeof rows);
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"docs\",\"packed_ids\":true}", body, sizeof body, &reply, &err), EVDB_OK);
    json_decref(reply);
    call_expect(*state, "scroll_records", "{\"store\":\"docs\"}",
                "{\"records\":[{\"id\":-7,\"version\":1,\"vector\":[1,2],\"metadata\":{}},"
                "{\"id\":4611686019501129728,\"version\":2,\"vector\":[3,4],\"metadata\":{}}]}");
    for (size_t size = 0; size < sizeof body; size++) { /* every shorter body is no whole number of records, but for one */
        evdb_status rc = call_body(&how, "load_vectors", "{\"store\":\"docs\",\"packed_ids\":true,\"mode\":\"upsert\"}", body, size, &reply, &err);
        assert_int_equal(rc, size == sizeof body / 2 ? EVDB_OK : EVDB_INVALID);
        if (rc == EVDB_OK) json_decref(reply);
        else assert_non_null(strstr(err.message, "an int64 id and 2 float32"));
    }
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"docs\",\"dim\":4}", rows, sizeof rows, &reply, &err), EVDB_INVALID);
    assert_string_equal(err.message, "'dim' is 4, but this store's vectors have 2 elements");
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"docs\",\"packed_ids\":true,\"first_id\":4}", body, sizeof body, &reply, &err),
                     EVDB_INVALID);
    assert_non_null(strstr(err.message, "exclude each other"));
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"packed_ids\":true}", EVDB_INVALID, "only packed");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"ids\":[1,2]}", EVDB_INVALID, "2 'ids' but 1 'vectors'");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3]]}", EVDB_INVALID,
               "'vectors[1]': the vector has 1 elements, the first has 2");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,\"x\"]]}", EVDB_INVALID, "'vectors[1]': 'vector[1]' must");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2,3]]}", EVDB_INVALID, "3 elements each, this store's vectors 2");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[1234567,1234567]}", EVDB_INVALID, "'vectors' must be an array of vectors");
    call_fails(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"first_id\":9223372036854775807}", EVDB_INVALID, "largest");
}

static void a_new_store_learns_its_dimension_from_packed_vectors(void **state)
{
    static const float rows[6] = { 1, 2, 3, 4, 5, 6 };
    op_call how = { .db = *state };
    json_t *reply = NULL;
    evdb_error err;
    call_expect(*state, "create_store", "{\"name\":\"new\",\"metric\":\"l2\"}", NULL);
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"new\"}", rows, sizeof rows, &reply, &err), EVDB_INVALID);
    assert_non_null(strstr(err.message, "'dim'"));
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"new\",\"dim\":3}", rows, sizeof rows, &reply, &err), EVDB_OK);
    json_decref(reply);
    call_expect(*state, "search_batch", "{\"store\":\"new\",\"vectors\":[[1,2,3],[4,5,6]],\"k\":1,\"metadata\":false}",
                "{\"results\":[[{\"id\":0,\"distance\":0,\"score\":1}],[{\"id\":1,\"distance\":0,\"score\":1}]],\"complete\":true}");
}

static void more_than_a_batch_is_refused(void **state)
{
    size_t size = (EVDB_BATCH_MAX + 1) * 2 * sizeof(float);
    float *rows = calloc(1, size);
    op_call how = { .db = *state };
    json_t *reply = NULL;
    evdb_error err;
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"docs\"}", rows, size, &reply, &err), EVDB_LIMIT);
    assert_string_equal(err.message, "'vectors' has 10001 vectors; at most 10000 are allowed");
    assert_int_equal(call_body(&how, "load_vectors", "{\"store\":\"docs\"}", rows, size - 8, &reply, &err), EVDB_OK);
    json_decref(reply);
    assert_int_equal(call_body(&how, "search_batch", "{\"store\":\"docs\",\"k\":1000}", rows, size, &reply, &err), EVDB_LIMIT);
    assert_non_null(strstr(err.message, "10001 queries of 1000 hits"));
    free(rows);
}

static void each_query_of_a_batch_has_its_hits(void **state)
{
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[0,0],[0,4]]}", NULL);
    call_expect(*state, "search_batch", "{\"store\":\"docs\",\"vectors\":[[0,4],[0,1]],\"k\":2}",
                "{\"results\":[[{\"id\":1,\"distance\":0,\"score\":1,\"metadata\":{}},{\"id\":0,\"distance\":4,\"score\":0.2,\"metadata\":{}}],"
                "[{\"id\":0,\"distance\":1,\"score\":0.5,\"metadata\":{}},{\"id\":1,\"distance\":3,\"score\":0.25,\"metadata\":{}}]],"
                "\"complete\":true}");
    call_fails(*state, "search_batch", "{\"store\":\"docs\",\"vectors\":[]}", EVDB_INVALID, "'vectors' needs at least 1 item");
}

static void a_scroll_sees_every_record_once(void **state)
{
    call_expect(*state, "scroll_records", "{\"store\":\"docs\"}", "{\"records\":[]}");
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[0,1],[0,2],[0,3],[0,4]],\"first_id\":-1}", NULL);
    call_expect(*state, "scroll_records", "{\"store\":\"docs\",\"limit\":2,\"vectors\":false}",
                "{\"records\":[{\"id\":-1,\"version\":1,\"metadata\":{}},{\"id\":0,\"version\":2,\"metadata\":{}}],\"next\":0}");
    call_expect(*state, "scroll_records", "{\"store\":\"docs\",\"limit\":2,\"vectors\":false,\"after\":0}",
                "{\"records\":[{\"id\":1,\"version\":3,\"metadata\":{}},{\"id\":2,\"version\":4,\"metadata\":{}}]}");
    call_expect(*state, "scroll_records", "{\"store\":\"docs\",\"after\":2}", "{\"records\":[]}");
    call_expect(*state, "scroll_records", "{\"store\":\"docs\",\"limit\":4,\"vectors\":false,\"after\":\"\"}", NULL);
    call_fails(*state, "scroll_records", "{\"store\":\"docs\",\"after\":\"x\"}", EVDB_INVALID, "'x'");
    call_fails(*state, "scroll_records", "{\"store\":\"docs\",\"limit\":0}", EVDB_INVALID, "'limit'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_written_in_order, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_bad_record_fails_the_batch_and_is_named, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_partial_batch_writes_the_good_records, call_open, call_close),
        cmocka_unit_test_setup_teardown(nothing_good_in_a_partial_batch_is_no_failure, call_open, call_close),
        cmocka_unit_test_setup_teardown(vectors_are_loaded_under_ids_that_count_up, call_open, call_close),
        cmocka_unit_test_setup_teardown(packed_vectors_are_checked_to_the_byte, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_new_store_learns_its_dimension_from_packed_vectors, call_open, call_close),
        cmocka_unit_test_setup_teardown(more_than_a_batch_is_refused, call_open, call_close),
        cmocka_unit_test_setup_teardown(each_query_of_a_batch_has_its_hits, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_scroll_sees_every_record_once, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
