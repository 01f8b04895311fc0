/* leaf.c - implements disk/leaf.h. */
#include "disk/leaf.h"
#include "base/error.h"
#include "base/mem.h"
#include <string.h>

enum {
    TABLE_LEAF = 0x0d, INDEX_LEAF = 0x0a, INDEX_INNER = 0x02, /* inner pages of an index have rows too */
    FILE_HEADER = 100, LINK = 4,
    LOCAL_MIN = (IMAGE_USABLE - 12) * 32 / 255 - 23,
    LOCAL_MAX_TABLE = IMAGE_USABLE - 35,
    LOCAL_MAX_INDEX = (IMAGE_USABLE - 12) * 64 / 255 - 23
};

static uint32_t big(const unsigned char *p, size_t bytes)
{
    uint32_t n = 0;
    for (size_t i = 0; i < bytes; i++) n = n << 8 | p[i];
    return n;
}

/* Bytes it took, 0 = it is not whole. */
static size_t varint(const unsigned char *p, size_t room, uint64_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 9 && i < room; i++) {
        if (i == 8) {
            *out = n << 8 | p[i];
            return 9;
        }
        n = n << 7 | (p[i] & 0x7f);
        if (p[i] < 0x80) {
            *out = n;
            return i + 1;
        }
    }
    return 0;
}

static const unsigned char *header_of(const unsigned char *page, uint32_t number) { return page + (number == 1 ? FILE_HEADER : 0); }
static size_t header_bytes(int type) { return type == INDEX_INNER ? 12 : 8; }

uint32_t leaf_rows(const unsigned char page[SQL_PAGE_SIZE], uint32_t number)
{
    const unsigned char *h = header_of(page, number);
    if (*h != TABLE_LEAF && *h != INDEX_LEAF && *h != INDEX_INNER) return 0;
    uint32_t count = big(h + 3, 2);
    size_t room = IMAGE_USABLE - (size_t)(h - page) - header_bytes(*h);
    return count * 2 <= room ? count : 0;
}

/* Of a payload, what lies in the page itself. */
static size_t local_bytes(uint64_t size, size_t most)
{
    if (size <= most) return (size_t)size;
    size_t some = LOCAL_MIN + (size_t)((size - LOCAL_MIN) % (IMAGE_USABLE - LINK));
    return some <= most ? some : LOCAL_MIN;
}

static evdb_status follow(const image *i, uint32_t page, size_t left, buf *payload, bool *found, evdb_error *err)
{
    unsigned char *bytes = mem_alloc(&i->platform->mem, SQL_PAGE_SIZE);
    evdb_status rc = bytes ? EVDB_OK : error_no_memory(err, SQL_PAGE_SIZE, "a page");
    bool sound = rc == EVDB_OK;
    while (rc == EVDB_OK && sound && left) {
        size_t some = left < IMAGE_USABLE - LINK ? left : IMAGE_USABLE - LINK;
        rc = image_page(i, page, bytes, &sound, err);
        if (rc != EVDB_OK || !sound) break;
        if (!buf_add(payload, bytes + LINK, some)) rc = error_no_memory(err, some, "a row");
        left -= some;
        page = big(bytes, LINK);
    }
    *found = sound && !left;
    mem_free(&i->platform->mem, bytes);
    return rc;
}

static bool number_of(const unsigned char *p, size_t bytes, leaf_value *out)
{
    uint64_t n = bytes && *p & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++) n = n << 8 | p[i];
    out->kind = LEAF_INTEGER;
    out->number = (int64_t)n;
    return true;
}

/* The value of a serial type; bytes it takes are in *bytes. */
static bool value_of(uint64_t type, const unsigned char *p, size_t room, leaf_value *out, size_t *bytes)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
    *out = (leaf_value){ .kind = LEAF_NULL };
    if (type == 10 || type == 11 || (type >= 12 && (type - 12) / 2 > room)) return false;
    *bytes = type < 10 ? sizes[type] : (size_t)(type - 12) / 2;
    if (*bytes > room) return false;
    if (type == 0) return true;
    if (type == 8 || type == 9) {
        *out = (leaf_value){ .kind = LEAF_INTEGER, .number = (int64_t)type - 8 };
        return true;
    }
    if (type == 7) {
        leaf_value bits;
        (void)number_of(p, 8, &bits);
        out->kind = LEAF_REAL;
        memcpy(&out->real, &bits.number, sizeof(out->real));
        return true;
    }
    if (type < 7) return number_of(p, *bytes, out);
    *out = (leaf_value){ .kind = type % 2 ? LEAF_TEXT : LEAF_BLOB, .bytes = (const char *)p, .size = *bytes };
    return true;
}

static bool decode(const buf *payload, leaf_row *out)
{
    const unsigned char *p = (const unsigned char *)payload->at;
    uint64_t header, type;
    size_t at = varint(p, payload->size, &header), bytes;
    if (!at || header > payload->size || header < at) return false;
    size_t body = (size_t)header;
    for (out->columns = 0; at < header; out->columns++) {
        size_t used = varint(p + at, (size_t)header - at, &type);
        if (!used || out->columns == LEAF_COLUMNS_MAX) return false;
        if (!value_of(type, p + body, payload->size - body, &out->values[out->columns], &bytes)) return false;
        at += used;
        body += bytes;
    }
    return true;
}

evdb_status leaf_read(const image *i, const unsigned char page[SQL_PAGE_SIZE], uint32_t number, uint32_t at, buf *payload, leaf_row *out,
                      bool *found, evdb_error *err)
{
    const unsigned char *h = header_of(page, number);
    uint64_t size, rowid = 0;
    evdb_status rc = EVDB_OK;
    *found = false;
    *out = (leaf_row){ .keyed = *h == TABLE_LEAF };
    size_t cell = big(h + header_bytes(*h) + 2 * (size_t)at, 2) + (*h == INDEX_INNER ? LINK : 0);
    if (cell >= IMAGE_USABLE) return EVDB_OK;
    size_t used = varint(page + cell, IMAGE_USABLE - cell, &size);
    if (!used || size > (uint64_t)i->pages * IMAGE_USABLE) return EVDB_OK;
    cell += used;
    if (out->keyed && !(used = varint(page + cell, IMAGE_USABLE - cell, &rowid))) return EVDB_OK;
    if (out->keyed) cell += used;
    out->rowid = (int64_t)rowid;
    size_t local = local_bytes(size, out->keyed ? LOCAL_MAX_TABLE : LOCAL_MAX_INDEX);
    if (cell + local + (local < size ? LINK : 0) > IMAGE_USABLE) return EVDB_OK;
    payload->size = 0;
    if (!buf_add(payload, page + cell, local)) return error_no_memory(err, local, "a row");
    *found = true;
    if (local < size) rc = follow(i, big(page + cell + local, LINK), (size_t)size - local, payload, found, err);
    if (rc == EVDB_OK && *found && !buf_terminate(payload)) rc = error_no_memory(err, payload->size, "a row");
    if (rc == EVDB_OK && *found) *found = decode(payload, out);
    return rc;
}
