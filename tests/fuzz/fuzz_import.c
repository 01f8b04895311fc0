/* fuzz_import.c - any bytes as a file to import: readers must refuse or understand them, and what they understand must
 * survive being written and read again.
 *
 * Input: a byte whose lowest three bits choose the format and whether a companion follows (`ways`), and the upper five how many
 * bytes a read gives (0 = all); the companion's length in two bytes and its text, if there is one; the file. */
#include "base/id.h"
#include "base/json_text.h"
#include "format/feed.h"
#include "format/writer.h"
#include "platform/platform.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    const char *at;
    size_t size, used, most;
} bytes;

static void check(bool sound)
{
    if (!sound) abort();
}

static evdb_status read_bytes(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    bytes *b = context;
    (void)err;
    size_t count = b->size - b->used;
    if (count > capacity) count = capacity;
    if (b->most && count > b->most) count = b->most;
    if (count) memcpy(buffer, b->at + b->used, count);
    b->used += count;
    *got = count;
    return EVDB_OK;
}

static evdb_source source_of(bytes *b) { return (evdb_source){ .context = b, .read = read_bytes }; }

static evdb_status gather(void *context, const void *written, size_t count, evdb_error *err)
{
    (void)err;
    check(buf_add(context, written, count));
    return EVDB_OK;
}

static bool finite_row(const reader_row *row)
{
    for (uint32_t i = 0; i < row->dim; i++)
        if (!isfinite(row->vector[i])) return false;
    return true;
}

static void check_row(const reader_row *row)
{
    const evdb_allocator *mem = &platform_real.mem;
    evdb_id id = row->id;
    buf compact;
    check(row->dim >= 1 && row->dim <= EVDB_DIM_MAX && (uintptr_t)row->vector % sizeof(float) == 0);
    check(id_check(&id, NULL) == EVDB_OK);
    if (!row->metadata) return;
    buf_init(&compact, mem);
    check(strlen(row->metadata) == row->metadata_length);
    check(json_text_object(row->metadata, row->metadata_length, &compact, NULL) == EVDB_OK);
    buf_free(&compact);
}

/* Through JSONL and back: the same bits. */
static void check_round_trip(const reader_row *row)
{
    const evdb_allocator *mem = &platform_real.mem;
    evdb_record record = {
        .id = row->id, .dim = row->dim, .vector = row->vector, .metadata = "{}", .metadata_length = 2
    };
    evdb_store_info info = { .dim = row->dim };
    const reader_row *back;
    reader *r;
    writer w;
    buf text;
    if (row->metadata) record.metadata = row->metadata, record.metadata_length = row->metadata_length;
    buf_init(&text, mem);
    evdb_sink sink = { .context = &text, .write = gather };
    check(writer_open(&w, &writer_jsonl, mem, &sink, &info, 1, NULL) == EVDB_OK);
    check(writer_row(&w, &record, NULL) == EVDB_OK && writer_finish(&w, NULL) == EVDB_OK);
    bytes again = { .at = text.at, .size = text.size };
    evdb_source source = source_of(&again);
    check(reader_open(&reader_jsonl, mem, &source, &r, NULL) == EVDB_OK);
    check(reader_next(r, &back, NULL) == EVDB_OK && back);
    check(id_equal(&back->id, &record.id) && back->dim == row->dim);
    check(memcmp(back->vector, row->vector, row->dim * sizeof(float)) == 0);
    check(strcmp(back->metadata, record.metadata) == 0);
    check(reader_next(r, &back, NULL) == EVDB_OK && !back);
    reader_close(r);
    writer_close(&w);
    buf_free(&text);
}

static const struct way {
    evdb_format format;
    bool companion;
} ways[8] = {
    { EVDB_FORMAT_JSON, false },  { EVDB_FORMAT_JSONL, false }, { EVDB_FORMAT_NPY, false }, { EVDB_FORMAT_FVECS, false },
    { EVDB_FORMAT_BVECS, false }, { EVDB_FORMAT_BVECS, true },  { EVDB_FORMAT_NPY, true },  { EVDB_FORMAT_FVECS, true },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    evdb_format format = ways[data[0] & 7].format;
    bytes file = { .at = (const char *)data + 1, .size = size - 1, .most = data[0] >> 3 }, names = { 0 };
    bool companion = ways[data[0] & 7].companion;
    if (companion) {
        names = (bytes){ .at = file.at + 2, .size = data[1] | (size_t)data[2] << 8, .most = file.most };
        if (names.size > size - 3) names.size = size - 3;
        file.at = names.at + names.size;
        file.size = size - 3 - names.size;
    }
    evdb_source source = source_of(&file), from_names = source_of(&names);
    evdb_error err;
    feed f;
    evdb_status rc = feed_open(&f, &platform_real.mem, format, &source, companion ? &from_names : NULL, 0, &err);
    if (rc != EVDB_OK) return 0;
    do {
        const reader_row *row = NULL;
        rc = feed_next(&f, &row, &err);
        if (rc == EVDB_OK && !row) break;
        if (rc != EVDB_OK) check(err.status == rc && memchr(err.message, 0, sizeof(err.message)) != NULL);
        if (rc != EVDB_OK) continue;
        check_row(row);
        if (finite_row(row)) check_round_trip(row);
    } while (!feed_broken(&f));
    feed_close(&f);
    return 0;
}
