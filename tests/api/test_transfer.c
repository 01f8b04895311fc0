/* test_transfer.c - evdb/transfer.h: whole stores out and in again, formats and options. */
#include "transfer_store.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_same_stores(evdb_store *a, evdb_store *b)
{
    evdb_cursor *ca, *cb;
    const evdb_record *ra, *rb;
    assert_int_equal(evdb_cursor_open(a, NULL, &ca, NULL), EVDB_OK);
    assert_int_equal(evdb_cursor_open(b, NULL, &cb, NULL), EVDB_OK);
    for (;;) {
        assert_int_equal(evdb_cursor_next(ca, &ra, NULL), EVDB_OK);
        assert_int_equal(evdb_cursor_next(cb, &rb, NULL), EVDB_OK);
        assert_int_equal(ra == NULL, rb == NULL);
        if (!ra) break;
        assert_int_equal(ra->id.text == NULL, rb->id.text == NULL);
        if (ra->id.text) assert_string_equal(ra->id.text, rb->id.text);
        else assert_true(ra->id.number == rb->id.number);
        assert_int_equal(ra->dim, rb->dim);
        assert_memory_equal(ra->vector, rb->vector, ra->dim * sizeof(float));
        assert_string_equal(ra->metadata, rb->metadata);
    }
    evdb_cursor_close(ca);
    evdb_cursor_close(cb);
}

/* A store of random records: any finite bits, ids of one kind, metadata on some. */
static evdb_store *random_store(uint64_t *seed, size_t count, uint32_t dim, bool texts)
{
    static const char *const metadata[] = { NULL, "{\"a\":1.10}", "{ \"b\" : [ \"x\\n\" , null ] }" };
    evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
    float *vector = malloc(dim * sizeof(float));
    assert_non_null(vector);
    for (size_t i = 0; i < count; i++) {
        char text[64];
        for (uint32_t d = 0; d < dim; d++) do {
                uint32_t bits = (uint32_t)seed_next(seed);
                memcpy(&vector[d], &bits, sizeof(bits));
            } while (!isfinite(vector[d]));
        snprintf(text, sizeof(text), "id \"%llx\"\n\xe2\x82\xac", (unsigned long long)seed_next(seed));
        evdb_id id = { .number = (int64_t)seed_next(seed) };
        if (texts) id = (evdb_id){ .text = text };
        transfer_put(store, id, vector, dim, metadata[seed_next(seed) % 3]);
    }
    free(vector);
    return store;
}

static void every_format_brings_a_store_back_bit_for_bit(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (int round = 0; round < 4; round++) {
        evdb_store *from = random_store(&seed, round == 3 ? 0 : 100, (uint32_t)(1 + seed_next(&seed) % 200), round % 2);
        for (evdb_format format = EVDB_FORMAT_JSON; format <= EVDB_FORMAT_FVECS; format++) {
            bool paired = format >= EVDB_FORMAT_NPY;
            memory_sink names, file = transfer_export(from, format, paired ? &names : NULL);
            memory_source memory = memory_from(file.bytes, file.size), memory_names = { 0 };
            evdb_source source = memory_reading(&memory), companion = memory_reading(&memory_names);
            evdb_import_options options = transfer_options(format);
            evdb_import_report report;
            evdb_error err;
            evdb_store *to = transfer_store(EVDB_EUCLIDEAN);
            memory.most = round == 1 ? 777 : 0;
            options.batch = 7;
            if (paired) {
                memory_names = memory_from(names.bytes, names.size);
                options.companion = &companion;
            }
            if (evdb_import(to, &source, &options, &report, &err) != EVDB_OK) fail_msg("%s", err.message);
            assert_int_equal(report.written, transfer_count(from));
            assert_int_equal(report.skipped, 0);
            assert_int_equal(memory.rewinds, 1);
            check_same_stores(from, to);
            evdb_store_close(to);
            memory_sink_free(&file);
            if (paired) memory_sink_free(&names);
        }
        evdb_store_close(from);
    }
}

static void rows_of_an_array_are_numbered_from_first_id(void **state)
{
    (void)state;
    static const float vectors[3][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    evdb_store *from = transfer_store(EVDB_IP), *to = transfer_store(EVDB_IP);
    evdb_import_options options = transfer_options(EVDB_FORMAT_NPY);
    evdb_record *record;
    evdb_error err;
    for (int i = 0; i < 3; i++) transfer_put(from, (evdb_id){ .number = i }, vectors[i], 2, NULL);
    memory_sink file = transfer_export(from, EVDB_FORMAT_NPY, NULL);
    memory_source memory = memory_from(file.bytes, file.size);
    evdb_source source = memory_reading(&memory);
    options.first_id = -1;
    assert_int_equal(evdb_import(to, &source, &options, NULL, &err), EVDB_OK);
    assert_int_equal(evdb_record_get(to, (evdb_id){ .number = 1 }, &record, NULL), EVDB_OK);
    assert_memory_equal(record->vector, vectors[2], sizeof(vectors[2]));
    evdb_record_free(record);

    memory.at = 0;
    options.first_id = 1; /* is there now: row 1 */
    assert_int_equal(evdb_import(to, &source, &options, NULL, &err), EVDB_EXISTS);
    assert_int_equal(err.item, 1);
    assert_non_null(strstr(err.message, "row 1: id 1 is already in the store"));
    memory_sink_free(&file);
    evdb_store_close(from);
    evdb_store_close(to);
}

static void a_sink_that_fails_ends_the_export_with_its_own_error(void **state)
{
    (void)state;
    static const float vector[] = { 1 };
    evdb_store *store = transfer_store(EVDB_COSINE);
    memory_sink memory = memory_to();
    evdb_sink sink = memory_writing(&memory);
    evdb_export_options options = EVDB_EXPORT_OPTIONS;
    evdb_error err;
    transfer_put(store, (evdb_id){ .number = 1 }, vector, 1, NULL);
    memory.fail_at = 10;
    options.format = EVDB_FORMAT_JSON;
    assert_int_equal(evdb_export(store, &sink, &options, NULL, &err), EVDB_FULL);
    assert_string_equal(err.message, "the disk under the sink is full");
    memory_sink_free(&memory);
    evdb_store_close(store);
}

static int cancel(void *context, evdb_transfer_phase phase, uint64_t records)
{
    (void)context;
    (void)records;
    return phase == EVDB_PHASE_WRITE;
}

static void an_export_can_be_cancelled(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    evdb_store *store = random_store(&seed, 1000, 2, false);
    memory_sink memory = memory_to();
    evdb_sink sink = memory_writing(&memory);
    evdb_export_options options = EVDB_EXPORT_OPTIONS;
    uint64_t count = 77;
    options.format = EVDB_FORMAT_JSONL;
    options.progress = cancel;
    assert_int_equal(evdb_export(store, &sink, &options, &count, NULL), EVDB_CANCELLED);
    assert_int_equal(count, 77);
    memory_sink_free(&memory);
    evdb_store_close(store);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_COSINE);
    memory_source memory = memory_from_text("");
    evdb_source source = memory_reading(&memory);
    memory_sink memory_out = memory_to();
    evdb_sink sink = memory_writing(&memory_out);
    evdb_import_options in = EVDB_IMPORT_OPTIONS;
    evdb_export_options out = EVDB_EXPORT_OPTIONS;
    assert_int_equal(evdb_import(store, &source, &in, NULL, NULL), EVDB_INVALID);
    assert_int_equal(evdb_import(store, &source, NULL, NULL, NULL), EVDB_INVALID);
    in = transfer_options((evdb_format)9);
    assert_int_equal(evdb_import(store, &source, &in, NULL, NULL), EVDB_INVALID);
    in = transfer_options(EVDB_FORMAT_JSONL);
    in.kind = EVDB_DELETE;
    assert_int_equal(evdb_import(store, &source, &in, NULL, NULL), EVDB_INVALID);
    in = transfer_options(EVDB_FORMAT_JSONL);
    in.batch = EVDB_BATCH_MAX + 1;
    assert_int_equal(evdb_import(store, &source, &in, NULL, NULL), EVDB_INVALID);
    in = transfer_options(EVDB_FORMAT_JSONL);
    in.companion = &source;
    assert_int_equal(evdb_import(store, &source, &in, NULL, NULL), EVDB_INVALID);
    assert_int_equal(evdb_export(store, &sink, &out, NULL, NULL), EVDB_INVALID);
    out.format = EVDB_FORMAT_JSON;
    out.companion = &sink;
    assert_int_equal(evdb_export(store, &sink, &out, NULL, NULL), EVDB_INVALID);
    assert_int_equal(memory_out.size, 0);
    evdb_store_close(store);
}

static void formats_have_names(void **state)
{
    (void)state;
    static const char *const names[] = { NULL, "json", "jsonl", "npy", "fvecs", "bvecs", NULL };
    evdb_format format;
    evdb_error err;
    for (int f = 0; f < 7; f++) {
        const char *name = evdb_format_name((evdb_format)f);
        assert_int_equal(name == NULL, names[f] == NULL);
        if (!name) continue;
        assert_string_equal(name, names[f]);
        assert_int_equal(evdb_format_parse(name, &format, NULL), EVDB_OK);
        assert_int_equal((int)format, f);
    }
    assert_int_equal(evdb_format_parse("ndjson", &format, NULL), EVDB_OK);
    assert_int_equal(format, EVDB_FORMAT_JSONL);
    assert_int_equal(evdb_format_parse("csv", &format, &err), EVDB_INVALID);
    assert_non_null(strstr(err.message, "'csv' is not json, jsonl (or ndjson), npy, fvecs or bvecs"));
    assert_int_equal(evdb_format_parse(NULL, &format, &err), EVDB_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_brings_a_store_back_bit_for_bit),
        cmocka_unit_test(rows_of_an_array_are_numbered_from_first_id),
        cmocka_unit_test(a_sink_that_fails_ends_the_export_with_its_own_error),
        cmocka_unit_test(an_export_can_be_cancelled),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, transfer_open, transfer_close);
}
