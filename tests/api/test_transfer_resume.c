/* test_transfer_resume.c - evdb/transfer.h: an import that was broken off is finished by one with `resume`. */
#include "transfer_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int cancel_writing(void *context, evdb_transfer_phase phase, uint64_t records)
{
    return phase == EVDB_PHASE_WRITE && records >= *(uint64_t *)context;
}

/* Lines of records in an order of their own, with metadata on some. */
static char *make_lines(uint64_t *seed, size_t count)
{
    char *text = malloc(count * 96 + 1), *to = text;
    assert_non_null(text);
    *to = 0;
    for (size_t i = 0; i < count; i++) {
        int id = (int)((i * 7919) % count); /* 7919 is a prime beyond count */
        double x = (double)(seed_next(seed) % 2000) / 1000.0 - 1;
        to += snprintf(to, 96, "{\"id\":%d,\"vector\":[%.4g,0.3,-0.25],\"metadata\":{%s}}\n", id, x, i % 3 ? " \"n\" : 1.50 " : "");
    }
    return text;
}

static evdb_store *store_of(evdb_dtype dtype, const char *codec)
{
    static unsigned made;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    char name[32];
    snprintf(name, sizeof(name), "resumed%u", made++);
    options.metric = EVDB_EUCLIDEAN;
    options.dtype = dtype;
    options.codec = codec;
    return transfer_store_with(name, &options);
}

static void check_same(evdb_store *a, evdb_store *b)
{
    memory_sink ta = transfer_export(a, EVDB_FORMAT_JSONL, NULL), tb = transfer_export(b, EVDB_FORMAT_JSONL, NULL);
    assert_int_equal(ta.size, tb.size);
    if (ta.size) assert_memory_equal(ta.bytes, tb.bytes, ta.size);
    memory_sink_free(&ta);
    memory_sink_free(&tb);
}

static void what_was_broken_off_is_finished_as_if_it_had_not_been(void **state)
{
    (void)state;
    static const struct {
        evdb_dtype dtype;
        const char *codec;
    } kinds[] = { { EVDB_F32, NULL }, { EVDB_F16, NULL }, { EVDB_F32, "bf16+zlib" }, { EVDB_F32, "quantization_8bit" } };
    enum { LINES = 5000 };
    uint64_t seed = seed_print();
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        uint64_t stop_at = 1 + seed_next(&seed) % (LINES - 1000); /* told by the thousand */
        char *text = make_lines(&seed, LINES);
        evdb_store *broken = store_of(kinds[k].dtype, kinds[k].codec), *whole = store_of(kinds[k].dtype, kinds[k].codec);
        evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
        evdb_import_report report = { 0 };
        evdb_error err;
        options.batch = (uint32_t)(1 + seed_next(&seed) % 900);
        if (transfer_text(whole, text, &options, &report, &err) != EVDB_OK) fail_msg("%s", err.message);
        options.progress = cancel_writing;
        options.context = &stop_at;
        assert_int_equal(transfer_text(broken, text, &options, &report, &err), EVDB_CANCELLED);
        uint64_t there = transfer_count(broken);
        assert_true(there < LINES);
        options.progress = NULL;
        if (there) assert_int_equal(transfer_text(broken, text, &options, &report, &err), EVDB_EXISTS);
        options.resume = 1;
        if (transfer_text(broken, text, &options, &report, &err) != EVDB_OK) fail_msg("%s", err.message);
        assert_int_equal(report.present, there);
        assert_int_equal(report.written, LINES - there);
        check_same(broken, whole);
        assert_int_equal(transfer_text(broken, text, &options, &report, &err), EVDB_OK);
        assert_true(report.written == 0 && report.present == LINES);
        evdb_store_close(broken);
        evdb_store_close(whole);
        free(text);
    }
}

static void a_record_that_went_missing_is_written_wherever_it_stands(void **state)
{
    (void)state;
    enum { LINES = 60 };
    uint64_t seed = seed_print();
    char *text = make_lines(&seed, LINES);
    evdb_store *store = store_of(EVDB_F32, NULL), *whole = store_of(EVDB_F32, NULL);
    evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
    evdb_import_report report;
    evdb_error err;
    assert_int_equal(transfer_text(whole, text, &options, NULL, &err), EVDB_OK);
    assert_int_equal(transfer_text(store, text, &options, NULL, &err), EVDB_OK);
    for (int64_t id = 3; id < LINES; id += 17) assert_int_equal(evdb_record_delete(store, (evdb_id){ .number = id }, 0, NULL), EVDB_OK);
    options.resume = 1;
    assert_int_equal(transfer_text(store, text, &options, &report, &err), EVDB_OK);
    assert_true(report.written == 4 && report.present == LINES - 4);
    check_same(store, whole);
    evdb_store_close(store);
    evdb_store_close(whole);
    free(text);
}

static const char pair[] = "{\"id\":1,\"vector\":[1,2]}\n{\"id\":2,\"vector\":[3,4],\"metadata\":{\"a\":1}}\n{\"id\":3,\"vector\":[5,6]}\n";

static void other_content_under_the_same_id_is_refused_or_replaced(void **state)
{
    (void)state;
    static const float same[] = { 3, 4 }, other[] = { 3, 5 };
    static const struct {
        const float *vector;
        const char *metadata, *why;
    } cases[] = { { other, "{\"a\":1}", "line 2: id 2 is in the store with another vector" },
                  { same, "{\"a\":2}", "line 2: id 2 is in the store with other metadata" },
                  { same, NULL, "line 2: id 2 is in the store with other metadata" } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
        evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
        evdb_import_report report = { 0 };
        evdb_record *record;
        evdb_error err;
        transfer_put(store, (evdb_id){ .number = 2 }, cases[i].vector, 2, cases[i].metadata);
        options.resume = 1;
        assert_int_equal(transfer_text(store, pair, &options, &report, &err), EVDB_EXISTS);
        assert_int_equal(err.item, 2);
        assert_string_equal(err.message, cases[i].why);
        assert_int_equal(transfer_count(store), 1);
        options.kind = EVDB_UPSERT;
        assert_int_equal(transfer_text(store, pair, &options, &report, &err), EVDB_OK);
        assert_true(report.written == 3 && report.present == 0);
        assert_int_equal(evdb_record_get(store, (evdb_id){ .number = 2 }, &record, NULL), EVDB_OK);
        assert_true(record->vector[1] == 4);
        assert_string_equal(record->metadata, "{\"a\":1}");
        evdb_record_free(record);
        assert_int_equal(transfer_text(store, pair, &options, &report, &err), EVDB_OK);
        assert_true(report.written == 0 && report.present == 3);
        evdb_store_close(store);
    }
}

static void bad_records_stay_bad_and_are_left_out_again(void **state)
{
    (void)state;
    static const char lines[] = "{\"id\":1,\"vector\":[1,2]}\nnonsense\n{\"id\":2,\"vector\":[3,4]}\n{\"id\":1,\"vector\":[1,2]}\n"
                                "{\"id\":9,\"vector\":[9,9]}\n{\"id\":3,\"vector\":[5,6]}\n";
    static const float one[] = { 1, 2 }, nine[] = { 0, 9 };
    evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
    evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
    evdb_import_report report = { 0 };
    evdb_error err;
    transfer_put(store, (evdb_id){ .number = 1 }, one, 2, NULL);
    transfer_put(store, (evdb_id){ .number = 9 }, nine, 2, NULL);
    options.resume = 1;
    assert_int_equal(transfer_text(store, lines, &options, &report, &err), EVDB_INVALID);
    options.keep_going = 1;
    if (transfer_text(store, lines, &options, &report, &err) != EVDB_OK) fail_msg("%s", err.message);
    assert_true(report.written == 2 && report.present == 1 && report.skipped == 3);
    assert_int_equal(transfer_count(store), 4);
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_broken_off_is_finished_as_if_it_had_not_been),
        cmocka_unit_test(a_record_that_went_missing_is_written_wherever_it_stands),
        cmocka_unit_test(other_content_under_the_same_id_is_refused_or_replaced),
        cmocka_unit_test(bad_records_stay_bad_and_are_left_out_again),
    };
    return cmocka_run_group_tests(tests, transfer_open, transfer_close);
}
