/* column.c - implements filter/column.h. */
#include "filter/column.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include <string.h>

enum { SLOTS_FIRST = 1024, VALUES_FIRST = 64, TEXT_BLOCK = 64 << 10, WASTE_MIN = 4096 };

/* Texts of values, many in a block. */
struct column_text {
    struct column_text *next;
    size_t used, room;
    char at[];
};

void column_init(column *c, const evdb_allocator *mem, const char *path) { *c = (column){ .mem = mem, .path = path }; }

void column_free(column *c)
{
    for (struct column_text *t = c->texts, *next; t; t = next) {
        next = t->next;
        mem_free(c->mem, t);
    }
    mem_free(c->mem, c->numbers);
    mem_free(c->mem, c->values);
    mem_free(c->mem, c->table);
    column_init(c, c->mem, c->path);
}

bool column_wasteful(const column *c) { return c->count > 2 * c->slots + WASTE_MIN; }
uint64_t column_bytes(const column *c) { return c->bytes; }

/* An array of at least `needed` elements, the new ones zero; false when out of memory. */
static bool grow(column *c, void **array, size_t *room, size_t first, size_t needed, size_t size)
{
    size_t more = *room ? *room : first;
    while (more < needed) more *= 2;
    if (more == *room) return true;
    char *grown = mem_resize(c->mem, *array, more, size);
    if (!grown) return false;
    memset(grown + *room * size, 0, (more - *room) * size);
    c->bytes += (more - *room) * size;
    *array = grown;
    *room = more;
    return true;
}

/* The bytes by which a value is known: as it is written. Objects are not told apart, since no condition does. */
static void text_of(const filter_value *v, const char **text, size_t *length, char kept[1 + sizeof(uint64_t)])
{
    if (v->kind == VALUE_STRING || v->kind == VALUE_ARRAY) {
        *text = v->text;
        *length = v->length;
        return;
    }
    kept[0] = v->whole;
    memset(kept + 1, 0, sizeof(uint64_t));
    if (v->kind == VALUE_NUMBER) memcpy(kept + 1, &v->integer, sizeof(uint64_t));
    *text = kept;
    *length = 1 + sizeof(uint64_t);
}

static bool same(const filter_value *a, const filter_value *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind == VALUE_NUMBER) return a->whole == b->whole && a->integer == b->integer; /* bit for bit */
    if (a->kind != VALUE_STRING && a->kind != VALUE_ARRAY) return true;
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static size_t place_of(const column *c, const filter_value *v)
{
    const char *text;
    char kept[1 + sizeof(uint64_t)];
    size_t length, at;
    text_of(v, &text, &length, kept);
    at = checksum(text, length, (uint64_t)v->kind) & (c->table_size - 1);
    while (c->table[at] && !same(&c->values[c->table[at]], v)) at = (at + 1) & (c->table_size - 1);
    return at;
}

/* Twice the table, at most half full. */
static bool rehash(column *c)
{
    size_t before = c->table_size, size = before ? before * 2 : 4 * VALUES_FIRST;
    uint32_t *old = c->table, *table = mem_zero(c->mem, size * sizeof(*table));
    if (!table) return false;
    c->table = table;
    c->table_size = size;
    for (uint32_t i = 1; i < c->count; i++) c->table[place_of(c, &c->values[i])] = i;
    mem_free(c->mem, old);
    c->bytes += (size - before) * sizeof(*table);
    return true;
}

/* A copy, with a NUL behind it: numbers within an array are read as far as they go. */
static const char *keep_text(column *c, const char *text, size_t length)
{
    struct column_text *t = c->texts;
    if (!t || t->room - t->used < length + 1) {
        size_t room = length + 1 > TEXT_BLOCK ? length + 1 : TEXT_BLOCK;
        if (!(t = mem_alloc(c->mem, sizeof(*t) + room))) return NULL;
        *t = (struct column_text){ .next = c->texts, .room = room };
        c->texts = t;
        c->bytes += sizeof(*t) + room;
    }
    char *at = t->at + t->used;
    memcpy(at, text, length);
    at[length] = 0;
    t->used += length + 1;
    return at;
}

static evdb_status add_value(column *c, const filter_value *v, uint32_t *out, evdb_error *err)
{
    size_t room = c->value_room;
    filter_value kept = *v;
    if (!grow(c, (void **)&c->values, &room, VALUES_FIRST, c->count + 1, sizeof(*c->values)))
        return error_no_memory(err, room * sizeof(*c->values), "a column of values");
    c->value_room = (uint32_t)room;
    if ((v->kind == VALUE_STRING || v->kind == VALUE_ARRAY) && !(kept.text = keep_text(c, v->text, v->length)))
        return error_no_memory(err, v->length, "a column of values");
    *out = c->count++;
    c->values[*out] = kept;
    return EVDB_OK;
}

static evdb_status number_of(column *c, const filter_value *v, uint32_t *out, evdb_error *err)
{
    filter_value missing = { .kind = VALUE_MISSING };
    evdb_status rc = EVDB_OK;
    if (!c->count) TRY(add_value(c, &missing, out, err));
    *out = 0;
    if (v->kind == VALUE_MISSING) goto out;
    if (2 * (size_t)(c->count + 1) > c->table_size && !rehash(c))
        TRY(error_no_memory(err, c->table_size * sizeof(*c->table), "a column of values"));
    size_t at = place_of(c, v);
    if (!c->table[at]) {
        TRY(add_value(c, v, out, err));
        c->table[at] = *out;
    }
    *out = c->table[at];
out:
    return rc;
}

evdb_status column_put(column *c, uint64_t slot, const char *metadata, size_t length, evdb_error *err)
{
    filter_value v = value_find(metadata, length, c->path);
    uint32_t number;
    evdb_status rc;
    if (v.kind == VALUE_OBJECT) v.text = NULL, v.length = 0;
    TRY(number_of(c, &v, &number, err));
    if (!grow(c, (void **)&c->numbers, &c->room, SLOTS_FIRST, slot + 1, sizeof(*c->numbers)))
        TRY(error_no_memory(err, (slot + 1) * sizeof(*c->numbers), "a column of values"));
    c->numbers[slot] = number;
    if (slot >= c->slots) c->slots = slot + 1;
out:
    return rc;
}
