/* fuzz_filter.c - any bytes as a filter and as metadata: refused with a message, or answered, and then alike however it is asked.
 *
 * Input: a filter, a NUL, metadata. */
#include "base/json_text.h"
#include "filter/filter.h"
#include "platform/platform.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const evdb_allocator *const mem = &platform_real.mem;

static void check(bool sound)
{
    if (!sound) abort();
}

static bool by_columns(const filter *f, const char *metadata, size_t length)
{
    column columns[EVDB_FILTER_FIELDS_MAX];
    const column *pointers[EVDB_FILTER_FIELDS_MAX];
    uint64_t bits = 0;
    for (uint32_t i = 0; i < filter_fields(f); i++) {
        column_init(&columns[i], mem, filter_field(f, i));
        pointers[i] = &columns[i];
        check(column_put(&columns[i], 7, metadata, length, NULL) == EVDB_OK);
        check(column_put(&columns[i], 9, "{}", 2, NULL) == EVDB_OK);
    }
    check(filter_select(f, mem, pointers, 64, &bits, NULL) == EVDB_OK);
    check((bits >> 9 & 1) == filter_matches(f, "{}", 2));
    for (uint32_t i = 0; i < filter_fields(f); i++) column_free(&columns[i]);
    return bits >> 7 & 1;
}

/* What is refused is told, what is not has a canonical text that means the same. */
static filter *parse(const char *text)
{
    filter *f = NULL, *again = NULL;
    evdb_error err;
    evdb_status rc = filter_parse(mem, text, &f, &err);
    check(rc == EVDB_OK || (rc == EVDB_INVALID && err.status == rc && memchr(err.message, 0, sizeof(err.message))));
    if (rc != EVDB_OK) return NULL;
    if (strlen(filter_canonical(f)) <= EVDB_FILTER_BYTES_MAX) {
        check(filter_parse(mem, filter_canonical(f), &again, &err) == EVDB_OK);
        check(strcmp(filter_canonical(again), filter_canonical(f)) == 0);
        filter_free(again);
    }
    return f;
}

static void check_answers(const filter *f, const char *metadata, size_t length)
{
    buf compact;
    bool raw = filter_matches(f, metadata, length);
    buf_init(&compact, mem);
    if (json_text_object(metadata, length, &compact, NULL) == EVDB_OK && buf_terminate(&compact)) {
        check(filter_matches(f, compact.at, compact.size) == raw);
        check(by_columns(f, compact.at, compact.size) == raw);
    } else (void)by_columns(f, metadata, length);
    buf_free(&compact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul) return 0;
    size_t text = (size_t)(nul - data), length = size - text - 1;
    char *copy = malloc(text + 1), *metadata = malloc(length + 1);
    check(copy && metadata);
    memcpy(copy, data, text + 1);
    memcpy(metadata, nul + 1, length);
    metadata[length] = 0;
    filter *f = parse(copy);
    if (f) check_answers(f, metadata, length);
    filter_free(f);
    free(copy);
    free(metadata);
    return 0;
}
