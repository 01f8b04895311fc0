/* format_rows.c - implements format_rows.h. */
#include "format_rows.h"
#include "base/mem.h"
#include "platform/platform.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const evdb_allocator *rows_memory(void) { return &platform_real.mem; }

static void keep(rows_read *r, const reader_row *row)
{
    const evdb_allocator *mem = rows_memory();
    assert_true(r->count < ROWS_MAX);
    reader_row *copy = &r->row[r->count++];
    *copy = *row;
    if (row->vector) {
        float *vector = mem_array(mem, row->dim, sizeof(float));
        assert_non_null(vector);
        memcpy(vector, row->vector, row->dim * sizeof(float));
        copy->vector = vector;
    }
    if (row->id.text) copy->id.text = mem_text(mem, row->id.text, row->id.length);
    if (row->metadata) {
        assert_int_equal(strlen(row->metadata), row->metadata_length);
        copy->metadata = mem_text(mem, row->metadata, row->metadata_length);
    }
}

static void fail_row(rows_read *r, evdb_status rc, const evdb_error *err)
{
    assert_int_equal(err->status, rc);
    if (r->status != EVDB_OK) return;
    r->status = rc;
    r->error = *err;
    r->bad_line = err->item;
}

rows_read *rows_from(const reader_type *type, const void *bytes, size_t size, size_t most)
{
    rows_read *result = calloc(1, sizeof(*result));
    memory_source memory = memory_from(bytes, size);
    evdb_source source = memory_reading(&memory);
    evdb_error err;
    reader *r = NULL;
    assert_non_null(result);
    memory.most = most;
    evdb_status rc = reader_open(type, rows_memory(), &source, &r, &err);
    result->opened = rc == EVDB_OK;
    if (rc != EVDB_OK) {
        fail_row(result, rc, &err);
        return result;
    }
    for (;;) {
        const reader_row *row;
        rc = reader_next(r, &row, &err);
        if (rc == EVDB_OK && !row) break;
        if (rc == EVDB_OK) {
            keep(result, row);
            continue;
        }
        fail_row(result, rc, &err);
        assert_int_equal(r->row.line, err.item);
        result->broken = r->broken;
        if (r->broken) break;
        result->bad++;
    }
    reader_close(r);
    return result;
}

void rows_free(rows_read *r)
{
    for (size_t i = 0; i < r->count; i++) {
        mem_free(rows_memory(), (void *)(uintptr_t)r->row[i].vector);
        mem_free(rows_memory(), (void *)(uintptr_t)r->row[i].id.text);
        mem_free(rows_memory(), (void *)(uintptr_t)r->row[i].metadata);
    }
    free(r);
}

memory_sink rows_written(const writer_type *type, const evdb_store_info *store, const evdb_record *records,
                         size_t count)
{
    memory_sink memory = memory_to();
    evdb_sink sink = memory_writing(&memory);
    evdb_error err;
    writer w;
    evdb_status rc = writer_open(&w, type, rows_memory(), &sink, store, count, &err);
    for (size_t i = 0; rc == EVDB_OK && i < count; i++) rc = writer_row(&w, &records[i], &err);
    if (rc == EVDB_OK) rc = writer_finish(&w, &err);
    writer_close(&w);
    if (rc != EVDB_OK) fail_msg("%s", err.message);
    return memory;
}
