/* flat_select.c - from slots, by which the outside knows records, to the rows that a snapshot sees. */
#include "base/error.h"
#include "base/mem.h"
#include "index/flat_private.h"

static bool chosen(const uint64_t *slots, size_t count, uint32_t slot) { return slot < count && slots[slot / 64] >> slot % 64 & 1; }

static void select_chunk(const flat_snapshot *s, const chunk *c, uint32_t first, uint32_t count, const uint64_t *slots,
                         size_t slot_count, row_set *out)
{
    for (uint32_t at = 0; at < count; at++) {
        uint32_t row = first + at;
        /* in this order: a row that is not seen may be filled anew meanwhile */
        if (!row_visible(c, at, s->sequence) || !chosen(slots, slot_count, c->slots[at])) continue;
        out->bits[row / 64] |= UINT64_C(1) << row % 64;
        out->count++;
    }
}

evdb_status flat_select(const flat_snapshot *s, const uint64_t *slots, size_t count, row_set *out, evdb_error *err)
{
    const flat *f = s->of;
    uint32_t used = atomic_load(&f->used), base = f->base.count;
    size_t bytes = ((size_t)base + used + 63) / 64 * sizeof(uint64_t);
    *out = (row_set){ .rows = base + used, .bits = mem_zero(f->o.mem, bytes + sizeof(uint64_t)) };
    if (!out->bits) return error_no_memory(err, bytes, "a set of rows");
    select_chunk(s, &f->chunks[CHUNKS], 0, base, slots, count, out);
    for (uint32_t c = 0; c < CHUNKS && chunk_start(c) < used; c++) {
        uint32_t start = chunk_start(c), rows = used - start < chunk_rows(c) ? used - start : chunk_rows(c);
        select_chunk(s, &f->chunks[c], base + start, rows, slots, count, out);
    }
    return EVDB_OK;
}
