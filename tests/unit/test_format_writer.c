/* test_format_writer.c - what is written, in every format, and that it reads back bit for bit. */
#include "format_rows.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Random records: some with text ids, floats of any finite bits, metadata with awkward strings. */
static void make_records(uint64_t *seed, evdb_record *records, size_t count, uint32_t dim, bool texts)
{
    static const char *const metadata[] = {
        "{}",
        "{\"a\":1.10,\"b\":[true,null]}",
        "{\"q\":\"\\\"}],{\\u0001 \xe2\x82\xac\"}",
        "{\"n\":-0.0e-7}",
    };
    for (size_t i = 0; i < count; i++) {
        float *vector = malloc(dim * sizeof(float));
        char *id = malloc(64);
        assert_true(vector && id);
        for (uint32_t d = 0; d < dim; d++) do {
                uint32_t bits = (uint32_t)seed_next(seed);
                memcpy(&vector[d], &bits, sizeof(bits));
            } while (!isfinite(vector[d]));
        snprintf(id, 64, "%llx\n\t\"\\\x01\xc3\xa9%zu", (unsigned long long)seed_next(seed), i);
        const char *meta = metadata[seed_next(seed) % 4];
        records[i] = (evdb_record){ .dtype = EVDB_F32, .dim = dim, .vector = vector, .metadata = meta };
        records[i].metadata_length = strlen(meta);
        records[i].id = (evdb_id){ .number = (int64_t)seed_next(seed) };
        if (texts) records[i].id = (evdb_id){ .text = id, .length = strlen(id) };
        if (!texts) free(id);
    }
}

static void free_records(evdb_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)records[i].vector);
        free((void *)(uintptr_t)records[i].id.text);
    }
}

static void check_same(const rows_read *r, const evdb_record *records, size_t count, bool vectors)
{
    if (r->status != EVDB_OK) fail_msg("%s", r->error.message);
    assert_int_equal(r->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(r->row[i].id.text != NULL, records[i].id.text != NULL);
        if (records[i].id.text) assert_string_equal(r->row[i].id.text, records[i].id.text);
        assert_true(r->row[i].id.number == records[i].id.number);
        assert_string_equal(r->row[i].metadata, records[i].metadata);
        if (!vectors) continue;
        assert_int_equal(r->row[i].dim, records[i].dim);
        assert_memory_equal(r->row[i].vector, records[i].vector, records[i].dim * sizeof(float));
    }
}

static void json_that_is_written_reads_back_bit_for_bit(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    enum { COUNT = 60 };
    static const struct {
        const writer_type *out;
        const reader_type *in;
        bool vectors;
    } ways[] = {
        { &writer_json, &reader_json, true },
        { &writer_jsonl, &reader_jsonl, true },
        { &writer_companion, &reader_companion, false },
    };
    for (int round = 0; round < 6; round++) {
        evdb_record records[COUNT];
        size_t count = round == 0 ? 0 : COUNT;
        uint32_t dim = (uint32_t)(1 + seed_next(&seed) % 300);
        evdb_store_info info = { .name = "docs", .dim = dim, .metric = EVDB_COSINE, .dtype = EVDB_F32 };
        make_records(&seed, records, count, dim, round % 2 == 0);
        for (size_t w = 0; w < sizeof(ways) / sizeof(*ways); w++) {
            memory_sink text = rows_written(ways[w].out, &info, records, count);
            rows_read *r = rows_from(ways[w].in, text.bytes, text.size, (size_t)round * 17);
            check_same(r, records, count, ways[w].vectors);
            rows_free(r);
            memory_sink_free(&text);
        }
        free_records(records, count);
    }
}

static void an_export_says_what_the_store_is_one_record_a_line(void **state)
{
    (void)state;
    float vector[] = { 0.5f, -0.0f };
    evdb_store_info info = {
        .name = "docs", .dim = 2, .metric = EVDB_EUCLIDEAN, .dtype = EVDB_F32, .id_type = EVDB_ID_STRING
    };
    evdb_record record = {
        .id = { .text = "a/1", .length = 3 }, .dim = 2, .vector = vector, .metadata = "{}", .metadata_length = 2
    };
    memory_sink text = rows_written(&writer_json, &info, &record, 1);
    assert_string_equal(
        text.bytes,
        "{\"store\":{\"name\":\"docs\",\"dim\":2,\"metric\":\"euclidean\",\"dtype\":\"f32\",\"id_type\":\"string\"},"
        "\"vectors\":[\n{\"id\":\"a/1\",\"vector\":[0.5,-0.0],\"metadata\":{}}\n]}\n");
    memory_sink_free(&text);
}

typedef struct made {
    evdb_record records[200];
    float *floats;
} made;

static void make(made *m, uint64_t *seed, size_t count, uint32_t dim)
{
    m->floats = malloc((count * dim + 1) * sizeof(float));
    assert_non_null(m->floats);
    for (size_t i = 0; i < count * dim; i++) {
        uint32_t bits = (uint32_t)seed_next(seed);
        memcpy(&m->floats[i], &bits, sizeof(bits));
    }
    for (size_t i = 0; i < count; i++)
        m->records[i] = (evdb_record){ .id = { .number = (int64_t)i }, .dim = dim, .vector = m->floats + i * dim };
}

static void vectors_that_are_written_read_back_bit_for_bit(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    static const struct {
        const writer_type *out;
        const reader_type *in;
    } ways[] = { { &writer_npy, &reader_npy }, { &writer_fvecs, &reader_fvecs } };
    for (int round = 0; round < 10; round++) {
        made m;
        size_t count = round == 0 ? 0 : (size_t)(seed_next(&seed) % 200);
        uint32_t dim = round == 1 ? EVDB_DIM_MAX : (uint32_t)(1 + seed_next(&seed) % 2000);
        if (round == 1) count = 5;
        evdb_store_info info = { .name = "docs", .dim = dim, .metric = EVDB_COSINE, .dtype = EVDB_F32 };
        make(&m, &seed, count, dim);
        for (size_t w = 0; w < 2; w++) {
            memory_sink file = rows_written(ways[w].out, &info, m.records, count);
            rows_read *r = rows_from(ways[w].in, file.bytes, file.size, round % 2 ? 0 : 4099);
            if (r->status != EVDB_OK) fail_msg("%s", r->error.message);
            assert_int_equal(r->count, count);
            for (size_t i = 0; i < count; i++)
                assert_memory_equal(r->row[i].vector, m.floats + i * dim, dim * sizeof(float));
            rows_free(r);
            memory_sink_free(&file);
        }
        free(m.floats);
    }
}

static void a_written_array_begins_as_numpy_begins_it(void **state)
{
    (void)state;
    static const float vector[2] = { 1, 2 };
    evdb_store_info info = { .name = "docs", .dim = 2 };
    evdb_record record = { .dim = 2, .vector = vector };
    memory_sink file = rows_written(&writer_npy, &info, &record, 1);
    assert_int_equal(file.size, 128 + sizeof(vector));
    assert_memory_equal(file.bytes,
                        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }   ", 72);
    assert_int_equal(file.bytes[127], '\n');
    memory_sink_free(&file);
}

static void an_array_whose_rows_change_in_number_is_not_finished(void **state)
{
    (void)state;
    static const float vector[2] = { 1, 2 };
    evdb_store_info info = { .name = "docs", .dim = 2 };
    evdb_record record = { .dim = 2, .vector = vector };
    for (uint64_t expected = 0; expected <= 2; expected += 2) {
        memory_sink memory = memory_to();
        evdb_sink sink = memory_writing(&memory);
        evdb_error err;
        writer w;
        assert_int_equal(writer_open(&w, &writer_npy, rows_memory(), &sink, &info, expected, &err), EVDB_OK);
        evdb_status rc = writer_row(&w, &record, &err);
        if (rc == EVDB_OK) rc = writer_finish(&w, &err);
        assert_int_equal(rc, EVDB_BUSY);
        assert_non_null(strstr(err.message, "store 'docs'"));
        writer_close(&w);
        memory_sink_free(&memory);
    }
}

static void a_failing_sink_fails_the_writer(void **state)
{
    (void)state;
    static const writer_type *const types[] = { &writer_json, &writer_jsonl, &writer_npy, &writer_fvecs, &writer_bvecs };
    evdb_store_info info = { .name = "docs", .dim = 1000, .metric = EVDB_IP, .dtype = EVDB_F32 };
    float vector[1000] = { 1 };
    evdb_record record = { .dim = 1000, .vector = vector, .metadata = "{}", .metadata_length = 2 };
    for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++) {
        memory_sink memory = memory_to();
        evdb_sink sink = memory_writing(&memory);
        evdb_error err;
        writer w;
        memory.fail_at = 300000;
        evdb_status rc = writer_open(&w, types[t], rows_memory(), &sink, &info, 1000, &err);
        for (int i = 0; rc == EVDB_OK && i < 1000; i++) rc = writer_row(&w, &record, &err);
        assert_int_equal(rc, EVDB_FULL);
        assert_string_equal(err.message, "the disk under the sink is full");
        writer_close(&w);
        memory_sink_free(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_that_is_written_reads_back_bit_for_bit),
        cmocka_unit_test(an_export_says_what_the_store_is_one_record_a_line),
        cmocka_unit_test(vectors_that_are_written_read_back_bit_for_bit),
        cmocka_unit_test(a_written_array_begins_as_numpy_begins_it),
        cmocka_unit_test(an_array_whose_rows_change_in_number_is_not_finished),
        cmocka_unit_test(a_failing_sink_fails_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
