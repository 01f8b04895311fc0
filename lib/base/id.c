/* id.c - implements base/id.h. */
#include "base/id.h"
#include "base/error.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

evdb_status id_check(evdb_id *id, evdb_error *err)
{
    if (!id->text) return EVDB_OK;
    if (id->length == 0) id->length = strlen(id->text);
    if (id->length == 0) return error_set(err, EVDB_INVALID, "the id is empty");
    if (id->length > EVDB_ID_BYTES_MAX)
        return error_set(err, EVDB_INVALID, "the id has %zu bytes, more than %u", id->length, EVDB_ID_BYTES_MAX);
    if (!utf8_valid(id->text, id->length)) return error_set(err, EVDB_INVALID, "the id is not valid UTF-8");
    return EVDB_OK;
}

evdb_status id_check_all(const evdb_id *ids, size_t count, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    if (count > EVDB_BATCH_MAX) return error_set(err, EVDB_LIMIT, "%zu records at once are more than %u", count, EVDB_BATCH_MAX);
    if (count && !ids) return error_set(err, EVDB_INVALID, "there are no ids");
    for (size_t i = 0; rc == EVDB_OK && i < count; i++) {
        evdb_id id = ids[i];
        rc = id_check(&id, err);
        if (rc != EVDB_OK && err) err->item = i;
    }
    return rc;
}

/* Canonical decimals only: "7", "-7", not "07", "+7" or "-0", so that an id has one spelling. */
static bool canonical(const evdb_id *id, int64_t *out)
{
    char text[ID_TEXT_MAX], back[ID_TEXT_MAX];
    if (id->length >= sizeof(text)) return false;
    memcpy(text, id->text, id->length);
    text[id->length] = 0;
    errno = 0;
    char *end;
    long long n = strtoll(text, &end, 10);
    if (errno || *end) return false;
    snprintf(back, sizeof(back), "%lld", n);
    *out = n;
    return strcmp(text, back) == 0;
}

evdb_status id_resolve(evdb_id_type type, const evdb_id *id, char text[ID_TEXT_MAX], evdb_id *out, evdb_error *err)
{
    char shown[64];
    *out = *id;
    if (type == EVDB_ID_STRING && !id->text) {
        int n = snprintf(text, ID_TEXT_MAX, "%lld", (long long)id->number);
        *out = (evdb_id){ .text = text, .length = (size_t)n };
    } else if (type == EVDB_ID_INTEGER && id->text) {
        int64_t number;
        if (!canonical(id, &number))
            return error_set(err, EVDB_INVALID, "id %s is a string, but this store's ids are integers",
                             id_show(id, shown, sizeof(shown)));
        *out = (evdb_id){ .number = number };
    }
    return EVDB_OK;
}

bool id_equal(const evdb_id *a, const evdb_id *b)
{
    if (!a->text || !b->text) return !a->text && !b->text && a->number == b->number;
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

const char *id_show(const evdb_id *id, char *space, size_t size)
{
    if (!id->text) {
        snprintf(space, size, "%lld", (long long)id->number);
        return space;
    }
    size_t length = id->length, most = size - 6; /* quotes, dots, NUL */
    bool cut = length > most;
    if (cut) {
        length = most;
        while (length && ((unsigned char)id->text[length] & 0xc0) == 0x80) length--; /* not inside a character */
    }
    snprintf(space, size, "'%.*s%s'", (int)length, id->text, cut ? "..." : "");
    return space;
}
