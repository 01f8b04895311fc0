/* completion_ids.c - implements mcp/completion_ids.h.
 *
 * Records are kept in order of id. Strings that begin alike stand together there. Integers that do are as many ranges as the number can
 * have further digits: 4; 40 to 49; 400 to 499; ... */
#include "mcp/completion_ids.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 19, NUMBER_BYTES = 24 };

typedef struct finding {
    evdb_store *store;
    op_out *out;
    size_t most, *count;
} finding;

/* One that was found; false when there are enough. */
static bool take(finding *f, const char *text)
{
    if (*f->count == f->most) {
        ++*f->count;
        return false;
    }
    ++*f->count;
    op_out_text(f->out, NULL, text);
    return true;
}

static evdb_status open_cursor(finding *f, const evdb_id *after, evdb_cursor **out, evdb_error *err)
{
    evdb_cursor_options options = EVDB_CURSOR_OPTIONS;
    options.flags = EVDB_CURSOR_NO_VECTORS;
    options.has_after = after != NULL;
    if (after) options.after = *after;
    return evdb_cursor_open(f->store, &options, out, err);
}

/* A cursor begins behind an id, so the one that is the prefix itself is asked for. */
static evdb_status find_itself(finding *f, const char *prefix, bool *more, evdb_error *err)
{
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_get(f->store, (evdb_id){ .text = prefix }, &record, err);
    evdb_record_free(record);
    if (rc == EVDB_OK) *more = take(f, prefix);
    return rc == EVDB_NOT_FOUND ? EVDB_OK : rc;
}

static evdb_status find_strings(finding *f, const char *prefix, evdb_error *err)
{
    const evdb_record *record = NULL;
    evdb_cursor *cursor = NULL;
    size_t length = strlen(prefix);
    bool more = true;
    if (length > EVDB_ID_BYTES_MAX) return EVDB_OK;
    evdb_status rc = length ? find_itself(f, prefix, &more, err) : EVDB_OK;
    if (rc == EVDB_OK) rc = open_cursor(f, length ? &(evdb_id){ .text = prefix } : NULL, &cursor, err);
    while (rc == EVDB_OK && more) {
        rc = evdb_cursor_next(cursor, &record, err);
        more = rc == EVDB_OK && record && strncmp(record->id.text, prefix, length) == 0 && take(f, record->id.text);
    }
    evdb_cursor_close(cursor);
    return rc;
}

/* Those of a range. *beyond: the first that lies above it, when there is one. */
static evdb_status find_range(finding *f, int64_t low, int64_t high, bool *more, int64_t *beyond, evdb_error *err)
{
    const evdb_record *record = NULL;
    evdb_cursor *cursor = NULL;
    evdb_status rc = open_cursor(f, low == INT64_MIN ? NULL : &(evdb_id){ .number = low - 1 }, &cursor, err);
    *beyond = INT64_MAX;
    for (bool inside = true; rc == EVDB_OK && *more && inside;) {
        char text[NUMBER_BYTES];
        rc = evdb_cursor_next(cursor, &record, err);
        inside = rc == EVDB_OK && record && record->id.number <= high;
        if (rc == EVDB_OK && record) snprintf(text, sizeof text, "%" PRId64, record->id.number);
        if (inside) *more = take(f, text);
        else if (rc == EVDB_OK && record) *beyond = record->id.number;
    }
    evdb_cursor_close(cursor);
    return rc;
}

/* Is it how an integer is written? */
static bool is_integer(const char *text, int64_t *out)
{
    char canonical[NUMBER_BYTES];
    *out = strtoll(text, NULL, 10);
    snprintf(canonical, sizeof canonical, "%" PRId64, *out);
    return strcmp(canonical, text) == 0;
}

static evdb_status find_integers(finding *f, const char *prefix, evdb_error *err)
{
    int64_t n, beyond = INT64_MIN, low, high, power = 1;
    bool more = true;
    if (!*prefix || strcmp(prefix, "-") == 0) return find_range(f, INT64_MIN, *prefix ? -1 : INT64_MAX, &more, &beyond, err);
    if (!is_integer(prefix, &n)) return EVDB_OK;
    for (int digits = 0; digits < DIGITS_MAX && more; digits++) {
        if (digits && (n == 0 || n > INT64_MAX / 10 / power || n < INT64_MIN / 10 / power)) break;
        if (digits) power *= 10;
        low = n * power, high = n * power;
        if (n > 0) high = low > INT64_MAX - (power - 1) ? INT64_MAX : low + (power - 1);
        else low = high < INT64_MIN + (power - 1) ? INT64_MIN : high - (power - 1);
        if (n > 0 && high < beyond) continue; /* what follows the range before lies behind this one */
        evdb_status rc = find_range(f, low, high, &more, &beyond, err);
        if (rc != EVDB_OK) return rc;
    }
    return EVDB_OK;
}

evdb_status completion_ids(evdb_store *store, const char *prefix, size_t most, op_out *out, size_t *count, evdb_error *err)
{
    finding f = { .store = store, .out = out, .most = most, .count = count };
    evdb_store_info *info = NULL;
    *count = 0;
    evdb_status rc = evdb_store_describe(store, &info, err);
    evdb_id_type type = rc == EVDB_OK ? info->id_type : EVDB_ID_UNDECIDED;
    evdb_store_info_free(info);
    if (type == EVDB_ID_STRING) return find_strings(&f, prefix, err);
    return type == EVDB_ID_INTEGER ? find_integers(&f, prefix, err) : rc;
}
