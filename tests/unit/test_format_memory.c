/* test_format_memory.c - readers and writers when memory runs out, at every allocation in turn. */
#include "format/feed.h"
#include "format_rows.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct meter {
    size_t left; /* allocations until one fails */
    size_t live; /* blocks */
} meter;

static void *meter_resize(void *context, void *block, size_t bytes)
{
    meter *m = context;
    if (m->left == 0) return NULL;
    m->left--;
    void *grown = realloc(block, bytes);
    assert_non_null(grown);
    m->live += block == NULL;
    return grown;
}

static void *meter_allocate(void *context, size_t bytes) { return meter_resize(context, NULL, bytes); }

static void meter_release(void *context, void *block)
{
    ((meter *)context)->live -= block != NULL;
    free(block);
}

static evdb_allocator metered(meter *m) { return (evdb_allocator){ m, meter_allocate, meter_resize, meter_release }; }

typedef struct sample {
    evdb_format format;
    memory_sink file, companion; /* companion empty: none */
} sample;

static sample make_sample(evdb_format format)
{
    enum { DIM = 300 };
    static float vector[DIM] = { 1 };
    evdb_store_info info = { .name = "docs", .dim = DIM, .metric = EVDB_IP, .dtype = EVDB_F32 };
    evdb_record record = { .id = { .text = "doc", .length = 3 },
                           .dim = DIM,
                           .vector = vector,
                           .metadata = "{\"a\":1}",
                           .metadata_length = 7 };
    sample s = { .format = format, .companion = memory_to() };
    s.file = rows_written(writer_type_of(format), &info, &record, 1);
    if (format >= EVDB_FORMAT_NPY)
        s.companion = rows_written(&writer_companion, &info, &record, 1);
    return s;
}

/* Reads the sample and writes what it read. */
static evdb_status pass(const sample *s, const evdb_allocator *mem, evdb_error *err)
{
    memory_source file = memory_from(s->file.bytes, s->file.size),
                  names = memory_from(s->companion.bytes, s->companion.size);
    evdb_source source = memory_reading(&file), companion = memory_reading(&names);
    memory_sink copy = memory_to();
    evdb_sink sink = memory_writing(&copy);
    evdb_store_info info = { .name = "docs", .dim = 300, .metric = EVDB_IP, .dtype = EVDB_F32 };
    const reader_row *row = NULL;
    writer w = { 0 };
    feed f = { 0 };
    evdb_status rc = feed_open(&f, mem, s->format, &source, names.size ? &companion : NULL, 0, err);
    if (rc == EVDB_OK) rc = feed_next(&f, &row, err);
    if (rc != EVDB_OK && f.rows) assert_true(feed_broken(&f));
    if (rc == EVDB_OK) rc = writer_open(&w, writer_type_of(s->format), mem, &sink, &info, 1, err);
    if (rc == EVDB_OK) {
        evdb_record record = { .id = row->id, .dim = row->dim, .vector = row->vector };
        record.metadata = row->metadata;
        record.metadata_length = row->metadata_length;
        rc = writer_row(&w, &record, err);
    }
    if (rc == EVDB_OK) rc = writer_finish(&w, err);
    if (rc == EVDB_OK) assert_memory_equal(copy.bytes, s->file.bytes, s->file.size);
    writer_close(&w);
    feed_close(&f);
    memory_sink_free(&copy);
    return rc;
}

static void every_allocation_may_fail_and_nothing_leaks(void **state)
{
    (void)state;
    for (evdb_format format = EVDB_FORMAT_JSON; format <= EVDB_FORMAT_BVECS; format++) {
        sample s = make_sample(format);
        evdb_status rc = EVDB_NO_MEMORY;
        for (size_t allowed = 0; rc == EVDB_NO_MEMORY; allowed++) {
            meter m = { .left = allowed };
            evdb_allocator mem = metered(&m);
            evdb_error err;
            rc = pass(&s, &mem, &err);
            assert_int_equal(m.live, 0);
            if (rc == EVDB_OK) break;
            assert_int_equal(rc, EVDB_NO_MEMORY);
            assert_int_equal(err.status, EVDB_NO_MEMORY);
            assert_non_null(strstr(err.message, "out of memory"));
            assert_true(allowed < 1000);
        }
        assert_int_equal(rc, EVDB_OK);
        memory_sink_free(&s.file);
        memory_sink_free(&s.companion);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail_and_nothing_leaks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
