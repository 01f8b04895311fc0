/* test_format_vectors.c - NPY, FVECS and BVECS files, good and bad. */
#include "base/buf.h"
#include "format/npy_header.h"
#include "format_rows.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An .npy file of this version with this dict, padded so that it is `pad` bytes longer, and these rows. */
static buf npy_file(int version, const char *dict, size_t pad, const void *rows, size_t bytes)
{
    buf file;
    char length[4];
    buf_init(&file, rows_memory());
    elements_put_u32((uint32_t)(strlen(dict) + pad), length);
    assert_true(buf_add(&file, "\x93NUMPY", 6) && buf_byte(&file, (char)version) && buf_byte(&file, 0));
    assert_true(buf_add(&file, length, version == 1 ? 2 : 4) && buf_text(&file, dict));
    for (size_t i = 0; i < pad; i++) assert_true(buf_byte(&file, i + 1 == pad ? '\n' : ' '));
    assert_true(buf_add(&file, rows, bytes));
    return file;
}

static rows_read *read_npy(const char *dict, const void *rows, size_t bytes)
{
    buf file = npy_file(1, dict, 3, rows, bytes);
    rows_read *r = rows_from(&reader_npy, file.at, file.size, 0);
    buf_free(&file);
    return r;
}

static void arrays_of_every_version_and_alignment_are_read(void **state)
{
    (void)state;
    static const float rows[3][2] = { { 1.5f, -2 }, { 0, 3e38f }, { -0.0f, 1e-45f } };
    for (int version = 1; version <= 3; version++)
        for (size_t pad = 0; pad < 9; pad++) {
            buf file = npy_file(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", pad, rows,
                                sizeof(rows));
            rows_read *r = rows_from(&reader_npy, file.at, file.size, pad % 3 * 5);
            assert_int_equal(r->status, EVDB_OK);
            assert_int_equal(r->count, 3);
            for (size_t i = 0; i < 3; i++) {
                assert_int_equal(r->row[i].line, i + 1);
                assert_memory_equal(r->row[i].vector, rows[i], sizeof(rows[i]));
            }
            rows_free(r);
            buf_free(&file);
        }
}

static void headers_are_read_however_python_may_spell_them(void **state)
{
    (void)state;
    static const float row[2] = { 1, 2 };
    static const char *const dicts[] = {
        "{\"shape\":(1,2),\"descr\":\"<f4\",\"fortran_order\":False}",
        "{ 'fortran_order' : False , 'shape' : ( 1 , 2 , ) , 'descr' : '<f4' , }",
    };
    for (size_t i = 0; i < sizeof(dicts) / sizeof(*dicts); i++) {
        rows_read *r = read_npy(dicts[i], row, sizeof(row));
        if (r->status != EVDB_OK) fail_msg("%s: %s", dicts[i], r->error.message);
        assert_int_equal(r->count, 1);
        rows_free(r);
    }
}

static void other_arrays_are_refused_saying_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        evdb_status status;
        const char *why;
    } cases[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (8,), }", EVDB_INVALID, "1 dimensions, not 2" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", EVDB_INVALID, "0 dimensions" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), }", EVDB_INVALID, "3 dimensions" },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 4), }", EVDB_UNSUPPORTED, "Fortran order" },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 4), }", EVDB_UNSUPPORTED, "'>f4' is not one of" },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 4), }", EVDB_UNSUPPORTED, "'<i4' is not one of" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 4), }", EVDB_UNSUPPORTED, "structured" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (2, 4), }", EVDB_UNSUPPORTED, "'|O'" },
        { "{'descr': '\x01\x1b', 'fortran_order': False, 'shape': (2, 4), }", EVDB_INVALID, "not a type" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 4), }", EVDB_INVALID, "neither True nor False" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }", EVDB_INVALID, "0 elements" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 65537), }", EVDB_INVALID, "65537 elements" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -1), }", EVDB_INVALID, "tuple of sizes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2 4), }", EVDB_INVALID, "tuple of sizes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }", EVDB_INVALID,
          "tuple of sizes" },
        { "{'descr': '<f4', 'fortran_order': False, }", EVDB_INVALID, "missing" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", EVDB_INVALID, "appears twice" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), 'x': 1}", EVDB_INVALID, "unknown key" },
        { "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 4)}", EVDB_INVALID, "expected ','" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)} x", EVDB_INVALID, "text behind" },
        { "{'descr': '<f4", EVDB_INVALID, "not a type" },
        { "", EVDB_INVALID, "no dict" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        rows_read *r = read_npy(cases[i].dict, "0123456789abcdef0123456789abcdef", 32);
        assert_false(r->opened);
        assert_int_equal(r->status, cases[i].status);
        assert_true(r->error.item == EVDB_NO_ITEM);
        if (!strstr(r->error.message, cases[i].why)) fail_msg("%s: %s", cases[i].dict, r->error.message);
        rows_free(r);
    }
}

static void other_files_are_not_taken_for_npy(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        evdb_status status;
        const char *why;
    } cases[] = {
        { "", 0, EVDB_INVALID, "not an NPY file" },
        { "{\"id\":1}, and so on", 19, EVDB_INVALID, "not an NPY file" },
        { "\x93NUMPY\x04\x00\x10\x00\x00\x00", 12, EVDB_UNSUPPORTED, "version 4.0" },
        { "\x93NUMPY\x01\x01\x10\x00\x00\x00", 12, EVDB_UNSUPPORTED, "version 1.1" },
        { "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, EVDB_INVALID, "4294967295 bytes" },
        { "\x93NUMPY\x02\x00\x20\x00\x00\x00{", 13, EVDB_INVALID, "ends within the NPY header" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        rows_read *r = rows_from(&reader_npy, cases[i].bytes, cases[i].size, 0);
        assert_int_equal(r->status, cases[i].status);
        if (!strstr(r->error.message, cases[i].why)) fail_msg("%s", r->error.message);
        rows_free(r);
    }
}

static void every_half_is_converted_exactly(void **state)
{
    (void)state;
    enum { HALVES = 1 << 16 };
    static unsigned char halves[HALVES * 2];
    static float out[HALVES];
    for (uint32_t h = 0; h < HALVES; h++) halves[2 * h] = (unsigned char)h, halves[2 * h + 1] = (unsigned char)(h >> 8);
    assert_int_equal(elements_from_f16((const char *)halves, HALVES, out), HALVES);
    for (uint32_t h = 0; h < HALVES; h++) {
        int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
        double value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (exponent == 31) value = fraction ? NAN : INFINITY;
        assert_int_equal(signbit(out[h]) != 0, h >> 15);
        if (isnan(value)) assert_true(isnan(out[h]));
        else assert_true(fabs((double)out[h]) == value);
    }
}

static void doubles_and_bytes_become_floats_and_too_large_ones_are_bad_rows(void **state)
{
    (void)state;
    static const double doubles[3][2] = { { 0.1, -2 }, { 1, -1e39 }, { 1e-300, 3 } };
    static const unsigned char bytes[2][2] = { { 0, 255 }, { 128, 1 } };
    rows_read *r = read_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", doubles, sizeof(doubles));
    assert_int_equal(r->count, 2);
    assert_int_equal(r->bad, 1);
    assert_int_equal(r->bad_line, 2);
    assert_non_null(strstr(r->error.message, "row 2: element 1 is too large"));
    assert_true(r->row[0].vector[0] == 0.1f && r->row[1].vector[0] == 0 && r->row[1].vector[1] == 3);
    rows_free(r);
    r = read_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", bytes, sizeof(bytes));
    assert_true(r->count == 2 && r->row[0].vector[1] == 255 && r->row[1].vector[0] == 128);
    rows_free(r);
    r = read_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2), }", bytes, sizeof(bytes));
    assert_true(r->count == 2 && r->row[0].vector[1] == -1 && r->row[1].vector[0] == -128);
    rows_free(r);
}

static void truncation_at_every_byte_names_the_row(void **state)
{
    (void)state;
    static const float vectors[3][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    evdb_store_info info = { .name = "docs", .dim = 2 };
    evdb_record records[3];
    for (size_t i = 0; i < 3; i++) records[i] = (evdb_record){ .dim = 2, .vector = vectors[i] };
    memory_sink npy = rows_written(&writer_npy, &info, records, 3),
                fvecs = rows_written(&writer_fvecs, &info, records, 3);
    for (size_t cut = 0; cut < npy.size; cut++) {
        char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, npy.bytes, cut);
        rows_read *r = rows_from(&reader_npy, copy, cut, cut % 7);
        assert_int_equal(r->status, EVDB_INVALID);
        assert_int_equal(r->opened, cut >= 128);
        if (r->opened) {
            assert_true(r->broken);
            assert_int_equal(r->bad_line, (cut - 128) / 8 + 1);
            assert_int_equal(r->count, (cut - 128) / 8);
        }
        rows_free(r);
        free(copy);
    }
    for (size_t cut = 0; cut < fvecs.size; cut++) {
        rows_read *r = rows_from(&reader_fvecs, fvecs.bytes, cut, cut % 7);
        assert_int_equal(r->count, cut / 12);
        assert_int_equal(r->broken, cut % 12 != 0); /* between two rows it cannot be known */
        if (r->broken) assert_int_equal(r->bad_line, cut / 12 + 1);
        rows_free(r);
    }
    memory_sink_free(&npy);
    memory_sink_free(&fvecs);
}

static void bytes_behind_the_last_row_are_refused(void **state)
{
    (void)state;
    rows_read *r = read_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", "abcde", 5);
    assert_int_equal(r->count, 2);
    assert_true(r->broken);
    assert_non_null(strstr(r->error.message, "goes on behind"));
    rows_free(r);
}

static void fvecs_rows_must_agree_in_dimension(void **state)
{
    (void)state;
    static const struct {
        uint32_t words[6];
        size_t count;
        uint64_t line;
        const char *why;
    } cases[] = {
        { { 1, 0x3f800000, 2, 0, 0 }, 5, 2, "dimension 2, but the rows before it have 1" },
        { { 0 }, 1, 1, "dimension 0 is not in" },
        { { 0xffffffff, 0 }, 2, 1, "dimension -1 is not in" },
        { { 65537, 0 }, 2, 1, "dimension 65537 is not in" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char bytes[24];
        for (size_t j = 0; j < cases[i].count; j++) elements_put_u32(cases[i].words[j], bytes + j * 4);
        rows_read *r = rows_from(&reader_fvecs, bytes, cases[i].count * 4, 0);
        assert_true(r->broken);
        assert_int_equal(r->bad_line, cases[i].line);
        if (!strstr(r->error.message, cases[i].why)) fail_msg("%s", r->error.message);
        rows_free(r);
    }
}

static void bytes_of_bvecs_become_floats_and_a_cut_names_the_row(void **state)
{
    (void)state;
    static const char bytes[] = "\2\0\0\0\0\377\2\0\0\0\200\1";
    enum { ROW = 6, SIZE = 2 * ROW };
    for (size_t cut = 0; cut <= SIZE; cut++) {
        rows_read *r = rows_from(&reader_bvecs, bytes, cut, cut % 5);
        assert_int_equal(r->count, cut / ROW);
        assert_int_equal(r->broken, cut % ROW != 0);
        if (r->broken) assert_int_equal(r->bad_line, cut / ROW + 1);
        if (r->count) assert_true(r->row[0].vector[0] == 0 && r->row[0].vector[1] == 255);
        if (r->count == 2) assert_true(r->row[1].vector[0] == 128 && r->row[1].vector[1] == 1);
        rows_free(r);
    }
    rows_read *r = rows_from(&reader_bvecs, "{\"id\":1}", 8, 0);
    assert_non_null(strstr(r->error.message, "not a BVECS file"));
    rows_free(r);
}

static void what_is_no_byte_is_not_written_as_bvecs(void **state)
{
    (void)state;
    static const float good[3] = { 0, 7, 255 }, bad[][3] = { { 0, 0.5f, 1 }, { 0, -1, 1 }, { 0, 256, 1 }, { 0, -0.0f, 1 } };
    evdb_store_info info = { .name = "docs", .dim = 3 };
    evdb_record record = { .id = { .number = 77 }, .dim = 3, .vector = good };
    memory_sink file = rows_written(&writer_bvecs, &info, &record, 1);
    assert_int_equal(file.size, 7);
    assert_memory_equal(file.bytes, "\3\0\0\0\0\7\377", 7);
    memory_sink_free(&file);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memory_sink memory = memory_to();
        evdb_sink sink = memory_writing(&memory);
        evdb_error err;
        writer w;
        record.vector = bad[i];
        assert_int_equal(writer_open(&w, &writer_bvecs, rows_memory(), &sink, &info, 1, &err), EVDB_OK);
        assert_int_equal(writer_row(&w, &record, &err), EVDB_INVALID);
        assert_non_null(strstr(err.message, "element 1 of record 77"));
        writer_close(&w);
        memory_sink_free(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_every_version_and_alignment_are_read),
        cmocka_unit_test(headers_are_read_however_python_may_spell_them),
        cmocka_unit_test(other_arrays_are_refused_saying_what_they_are),
        cmocka_unit_test(other_files_are_not_taken_for_npy),
        cmocka_unit_test(every_half_is_converted_exactly),
        cmocka_unit_test(doubles_and_bytes_become_floats_and_too_large_ones_are_bad_rows),
        cmocka_unit_test(truncation_at_every_byte_names_the_row),
        cmocka_unit_test(bytes_behind_the_last_row_are_refused),
        cmocka_unit_test(fvecs_rows_must_agree_in_dimension),
        cmocka_unit_test(bytes_of_bvecs_become_floats_and_a_cut_names_the_row),
        cmocka_unit_test(what_is_no_byte_is_not_written_as_bvecs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
