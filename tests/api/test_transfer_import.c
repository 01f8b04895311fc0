/* test_transfer_import.c - evdb/transfer.h: what an import refuses, skips, reports and leaves behind. */
#include "transfer_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What an import said. */
typedef struct heard {
    uint64_t bad_lines[64];
    char messages[64][200];
    size_t bad;
    uint64_t ticks[3], last[3];
    int cancel_phase;
} heard;

static void hear_bad(void *context, uint64_t line, const evdb_error *why)
{
    heard *h = context;
    assert_true(h->bad < 64);
    assert_true(why->status != EVDB_OK);
    h->bad_lines[h->bad] = line;
    snprintf(h->messages[h->bad++], sizeof(h->messages[0]), "%.199s", why->message);
}

static int hear_progress(void *context, evdb_transfer_phase phase, uint64_t records)
{
    heard *h = context;
    h->ticks[phase]++;
    assert_true(records >= h->last[phase]);
    h->last[phase] = records;
    return (int)phase == h->cancel_phase;
}

static evdb_import_options listening(evdb_format format, heard *h)
{
    evdb_import_options options = transfer_options(format);
    options.progress = hear_progress;
    options.bad = hear_bad;
    options.context = h;
    return options;
}

static void a_bad_line_is_reported_by_number_and_nothing_is_written(void **state)
{
    (void)state;
    static const struct {
        evdb_metric metric;
        const char *line;
        evdb_status status;
        const char *why;
    } cases[] = {
        { EVDB_COSINE, "{\"id\":9,\"vector\":[1,2", EVDB_INVALID, "line 4: not a JSON record" },
        { EVDB_COSINE, "{\"id\":9,\"vector\":[1,2,3]}", EVDB_INVALID, "has 3 elements" },
        { EVDB_COSINE, "{\"id\":9,\"vector\":[0,-0.0]}", EVDB_INVALID, "line 4: the vector is all zeros" },
        { EVDB_COSINE, "{\"id\":9,\"vector\":[1,1e39]}", EVDB_INVALID, "too large for float32" },
        { EVDB_COSINE, "{\"id\":1,\"vector\":[1,2]}", EVDB_EXISTS, "line 4: id 1 appears a second time" },
        { EVDB_COSINE, "{\"id\":\"1\",\"vector\":[1,2]}", EVDB_EXISTS, "id 1 appears a second time" },
        { EVDB_COSINE, "{\"id\":\"x\",\"vector\":[1,2]}", EVDB_INVALID, "'x'" },
        { EVDB_COSINE, "{\"id\":\"01\",\"vector\":[1,2]}", EVDB_INVALID, "'01'" },
        { EVDB_IP, "{\"id\":9,\"vector\":[1,2],\"metadata\":{\"a\":1,\"a\":1}}", EVDB_INVALID, "duplicate" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_store *store = transfer_store(cases[i].metric);
        evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
        evdb_error err;
        char text[512];
        snprintf(text, sizeof(text),
                 "{\"id\":1,\"vector\":[1,2]}\n{\"id\":2,\"vector\":[1,2]}\n\n%s\n{\"id\":3,\"vector\":[1,2]}\n",
                 cases[i].line);
        assert_int_equal(transfer_text(store, text, &options, NULL, &err), cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_int_equal(err.item, 4);
        if (!strstr(err.message, cases[i].why)) fail_msg("%s", err.message);
        assert_int_equal(transfer_count(store), 0);
        evdb_store_close(store);
    }
}

static void a_bad_line_far_down_is_found_before_anything_is_written(void **state)
{
    (void)state;
    enum { LINES = 40000 };
    evdb_store *store = transfer_store(EVDB_COSINE);
    evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
    evdb_import_report report = { .written = 77 };
    evdb_error err;
    char *text = malloc(LINES * 48), *to = text;
    assert_non_null(text);
    for (int i = 1; i < LINES; i++) to += snprintf(to, 48, "{\"id\":%d,\"vector\":[1,%d]}\n", i, i);
    snprintf(to, 48, "{\"id\":12345,\"vector\":[1,1]}\n");
    assert_int_equal(transfer_text(store, text, &options, &report, &err), EVDB_EXISTS);
    assert_int_equal(err.item, LINES);
    assert_int_equal(transfer_count(store), 0);
    assert_int_equal(report.written, 77); /* untouched: nothing was committed */
    free(text);
    evdb_store_close(store);
}

static void insert_refuses_and_upsert_replaces_what_the_store_has(void **state)
{
    (void)state;
    static const char text[] = "{\"id\":1,\"vector\":[5,5]}\n{\"id\":2,\"vector\":[6,6]}\n";
    static const float old[] = { 1, 2 };
    evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
    evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
    evdb_import_report report;
    evdb_error err;
    evdb_record *record;
    transfer_put(store, (evdb_id){ .number = 2 }, old, 2, NULL);
    assert_int_equal(transfer_text(store, text, &options, NULL, &err), EVDB_EXISTS);
    assert_int_equal(err.item, 2);
    assert_string_equal(err.message, "line 2: id 2 is already in the store");
    assert_int_equal(transfer_count(store), 1);

    options.kind = EVDB_UPSERT;
    assert_int_equal(transfer_text(store, text, &options, &report, &err), EVDB_OK);
    assert_int_equal(report.written, 2);
    assert_int_equal(evdb_record_get(store, (evdb_id){ .number = 2 }, &record, NULL), EVDB_OK);
    assert_true(record->vector[0] == 6);
    evdb_record_free(record);
    evdb_store_close(store);
}

static void keep_going_skips_bad_records_and_names_each_once(void **state)
{
    (void)state;
    static const char text[] = "nonsense\n"
                               "{\"id\":\"a\",\"vector\":[1,2]}\n"
                               "{\"id\":\"b\",\"vector\":[0,0]}\n"
                               "{\"id\":7,\"vector\":[3,4]}\n" /* a string store: "7" */
                               "{\"id\":\"7\",\"vector\":[3,4]}\n"
                               "{\"id\":\"old\",\"vector\":[3,4]}\n"
                               "{\"id\":\"c\",\"vector\":[1]}\n"
                               "{\"id\":\"d\",\"vector\":[5,6],\"metadata\":{\"k\":1}}\n";
    static const uint64_t lines[] = { 1, 3, 5, 6, 7 };
    static const float old[] = { 9, 9 };
    evdb_store *store = transfer_store(EVDB_COSINE);
    heard h = { 0 };
    evdb_import_options options = listening(EVDB_FORMAT_JSONL, &h);
    evdb_import_report report;
    evdb_error err;
    evdb_record *record;
    transfer_put(store, (evdb_id){ .text = "old" }, old, 2, NULL);
    options.keep_going = 1;
    options.batch = 1;
    if (transfer_text(store, text, &options, &report, &err) != EVDB_OK) fail_msg("%s", err.message);
    assert_int_equal(h.bad, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(h.bad_lines[i], lines[i]);
    assert_non_null(strstr(h.messages[2], "id '7' appears a second time"));
    assert_int_equal(report.written, 3);
    assert_int_equal(report.skipped, 5);
    assert_int_equal(transfer_count(store), 4);
    assert_int_equal(evdb_record_get(store, (evdb_id){ .text = "d" }, &record, NULL), EVDB_OK);
    assert_string_equal(record->metadata, "{\"k\":1}");
    evdb_record_free(record);
    evdb_store_close(store);
}

/* In a new store the first good record decides, not the first. */
static void the_first_good_record_decides_dimension_and_id_type(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_COSINE);
    heard h = { 0 };
    evdb_import_options options = listening(EVDB_FORMAT_JSONL, &h);
    evdb_store_info *info;
    options.keep_going = 1;
    assert_int_equal(transfer_text(store,
                                   "{\"id\":\"x\",\"vector\":[0,0,0]}\n"
                                   "{\"id\":5,\"vector\":[1,2]}\n"
                                   "{\"id\":\"y\",\"vector\":[1,2]}\n"
                                   "{\"id\":6,\"vector\":[1,2,3]}\n",
                                   &options, NULL, NULL),
                     EVDB_OK);
    assert_int_equal(h.bad, 3);
    assert_int_equal(transfer_count(store), 1);
    assert_int_equal(evdb_store_describe(store, &info, NULL), EVDB_OK);
    assert_int_equal(info->dim, 2);
    assert_int_equal(info->id_type, EVDB_ID_INTEGER);
    evdb_store_info_free(info);
    evdb_store_close(store);
}

static void a_broken_file_ends_an_import_that_keeps_going(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_COSINE);
    heard h = { 0 };
    evdb_import_options options = listening(EVDB_FORMAT_JSON, &h);
    evdb_error err;
    options.keep_going = 1;
    assert_int_equal(transfer_text(store, "[7,\n{\"id\":1,\"vector\":[1]},\n{\"id\":2", &options, NULL, &err),
                     EVDB_INVALID);
    assert_int_equal(err.item, 3);
    assert_int_equal(h.bad, 1);
    assert_int_equal(transfer_count(store), 0);
    evdb_store_close(store);
}

static void progress_is_told_in_both_passes_and_may_cancel(void **state)
{
    (void)state;
    enum { LINES = 2500 };
    char *text = malloc(LINES * 48), *to = text;
    assert_non_null(text);
    for (int i = 0; i < LINES; i++) to += snprintf(to, 48, "{\"id\":%d,\"vector\":[1,%d]}\n", i, i);
    for (int phase = 0; phase <= EVDB_PHASE_WRITE; phase++) {
        evdb_store *store = transfer_store(EVDB_COSINE);
        heard h = { .cancel_phase = phase };
        evdb_import_options options = listening(EVDB_FORMAT_JSONL, &h);
        evdb_import_report report = { 0 };
        evdb_error err;
        options.batch = 100;
        evdb_status rc = transfer_text(store, text, &options, &report, &err);
        if (phase == 0) {
            assert_int_equal(rc, EVDB_OK);
            assert_true(h.last[EVDB_PHASE_CHECK] == LINES && h.last[EVDB_PHASE_WRITE] == LINES);
            assert_true(h.ticks[EVDB_PHASE_CHECK] > 1 && h.ticks[EVDB_PHASE_WRITE] > 1);
        } else {
            assert_int_equal(rc, EVDB_CANCELLED);
        }
        assert_int_equal(report.written,
                         transfer_count(store)); /* whole batches of a cancelled import stay, and are reported */
        assert_int_equal(transfer_count(store) != 0, phase != EVDB_PHASE_CHECK);
        evdb_store_close(store);
    }
    free(text);
}

static void a_file_that_changes_between_the_passes_is_noticed(void **state)
{
    (void)state;
    static const char before[] = "{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[1]}\n";
    static const struct {
        const char *after;
        evdb_status status;
        uint64_t written;
    } cases[] = {
        { "{\"id\":1,\"vector\":[1]}\n", EVDB_BUSY, 1 },
        { "{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[1]}\n{\"id\":3,\"vector\":[1]}\n", EVDB_BUSY, 3 },
        { "{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vec", EVDB_INVALID, 1 },
        { "{\"id\":1,\"vector\":[1]}\n{\"id\":1,\"vector\":[1]}\n", EVDB_EXISTS, 1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_store *store = transfer_store(EVDB_COSINE);
        memory_source memory = memory_from_text(before);
        evdb_source source = memory_reading(&memory);
        evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
        evdb_import_report report = { 0 };
        evdb_error err;
        memory.second = cases[i].after;
        memory.second_size = strlen(cases[i].after);
        options.batch = 1;
        assert_int_equal(evdb_import(store, &source, &options, &report, &err), cases[i].status);
        if (cases[i].status != EVDB_BUSY) assert_int_equal(err.item, 2);
        assert_int_equal(report.written, cases[i].written);
        assert_int_equal(transfer_count(store), cases[i].written);
        evdb_store_close(store);
    }
}

static void a_source_that_fails_ends_the_import_with_its_own_error(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_COSINE);
    memory_source memory = memory_from_text("{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[1]}\n");
    evdb_source source = memory_reading(&memory);
    evdb_import_options options = transfer_options(EVDB_FORMAT_JSONL);
    evdb_error err;
    memory.fail_at = 30;
    memory.most = 10;
    options.keep_going = 1;
    assert_int_equal(evdb_import(store, &source, &options, NULL, &err), EVDB_IO);
    assert_string_equal(err.message, "the disk under the source broke");
    assert_int_equal(evdb_import(store, &source, &options, NULL, NULL), EVDB_IO);
    assert_int_equal(transfer_count(store), 0);
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_line_is_reported_by_number_and_nothing_is_written),
        cmocka_unit_test(a_bad_line_far_down_is_found_before_anything_is_written),
        cmocka_unit_test(insert_refuses_and_upsert_replaces_what_the_store_has),
        cmocka_unit_test(keep_going_skips_bad_records_and_names_each_once),
        cmocka_unit_test(the_first_good_record_decides_dimension_and_id_type),
        cmocka_unit_test(a_broken_file_ends_an_import_that_keeps_going),
        cmocka_unit_test(progress_is_told_in_both_passes_and_may_cancel),
        cmocka_unit_test(a_file_that_changes_between_the_passes_is_noticed),
        cmocka_unit_test(a_source_that_fails_ends_the_import_with_its_own_error),
    };
    return cmocka_run_group_tests(tests, transfer_open, transfer_close);
}
