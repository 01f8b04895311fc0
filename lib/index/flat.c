/* flat.c - the writing half of index/flat.h, and snapshots. */
#include "base/element.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "index/flat_private.h"
#include "platform/pages.h"
#include <string.h>

enum { SLOTS_FIRST = 1024 };

static size_t stored_bytes(const flat_options *o) { return o->codec ? codec_code_bytes(o->codec) : element_bytes(o->dtype, o->dim); }
size_t flat_row_bytes(const flat *f) { return stored_bytes(&f->o); }

size_t flat_stride(const flat_options *o)
{
    bool floats = !o->codec && (!o->dtype || o->dtype == EVDB_F32);
    size_t unit = floats ? ROW_BYTES_F32 : ROW_BYTES;
    return (stored_bytes(o) + unit - 1) / unit * unit;
}

evdb_status flat_create(const flat_options *options, flat **out, evdb_error *err)
{
    flat *f = mem_zero(options->mem, sizeof(*f));
    if (!f) return error_no_memory(err, sizeof(*f), "an index");
    f->o = *options;
    if (!f->o.dtype) f->o.dtype = EVDB_F32;
    size_t room = flat_room(f);
    if (room && !(f->decoded = mem_array(options->mem, room, sizeof(*f->decoded)))) {
        mem_free(options->mem, f);
        return error_no_memory(err, room * sizeof(*f->decoded), "an index");
    }
    f->stride = flat_stride(&f->o);
    f->free_first = f->free_last = NO_ROW;
    atomic_store(&f->bytes, sizeof(*f));
    *out = f;
    return EVDB_OK;
}

static evdb_status map_slot(flat *f, uint64_t slot, evdb_error *err);

evdb_status flat_create_on(const flat_options *options, const flat_base *base, flat **out, evdb_error *err)
{
    flat *f = NULL;
    evdb_status rc = flat_create(options, &f, err);
    if (rc != EVDB_OK) return rc;
    chunk *c = &f->chunks[CHUNKS];
    c->vectors = base->vectors;
    c->inverses = base->inverses;
    c->numbers = base->numbers;
    c->slots = base->slots;
    c->deaths = mem_zero(f->o.mem, ((size_t)base->count + 1) * sizeof(*c->deaths));
    c->held = mem_zero(f->o.mem, ((size_t)base->count + 1) * sizeof(*c->held));
    if (!c->deaths || !c->held) TRY(error_no_memory(err, base->count * sizeof(*c->deaths), "an index"));
    for (uint32_t i = 0; i < base->count; i++) {
        TRY(map_slot(f, base->slots[i], err));
        f->row_of[base->slots[i]] = i;
    }
    f->base = *base;
    f->living = base->count;
    atomic_fetch_add(&f->bytes, base->count * (sizeof(*c->deaths) + sizeof(*c->held)));
    flat_publish(f, base->sequence);
    *out = f;
    return EVDB_OK;
out:
    flat_free(f);
    return rc;
}

void flat_own_base(flat *f, void (*release)(void *owner)) { f->base.release = release; }

static void chunk_free(flat *f, uint32_t at)
{
    chunk *c = &f->chunks[at];
    uint32_t used = atomic_load(&f->used), start = chunk_start(at);
    for (uint32_t i = 0; c->texts && i < chunk_rows(at) && start + i < used; i++) mem_free(f->o.mem, c->texts[i]);
    bool base = at == CHUNKS;
    void *const blocks[] = { c->block, (void *)c->births, (void *)c->deaths, (void *)c->held, base ? NULL : (void *)(uintptr_t)c->inverses,
                             base ? NULL : (void *)(uintptr_t)c->numbers, base ? NULL : (void *)(uintptr_t)c->slots, c->texts,
                             c->lengths, c->next };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) mem_free(f->o.mem, blocks[i]);
    *c = (chunk){ 0 };
}

void flat_free(flat *f)
{
    if (!f) return;
    for (uint32_t i = 0; i <= CHUNKS; i++) chunk_free(f, i);
    if (f->base.release) f->base.release(f->base.owner);
    mem_free(f->o.mem, f->row_of);
    mem_free(f->o.mem, f->decoded);
    mem_free(f->o.mem, f);
}

/* ---- room for rows ---- */

static evdb_status chunk_make(flat *f, uint32_t at, evdb_error *err)
{
    const evdb_allocator *mem = f->o.mem;
    size_t rows = chunk_rows(at), bytes;
    chunk *c = &f->chunks[at];
    if (__builtin_mul_overflow(rows, f->stride, &bytes)) return error_no_memory(err, SIZE_MAX, "vectors");
    c->block = mem_alloc(mem, bytes + ALIGNMENT);
    c->births = mem_array(mem, rows, sizeof(*c->births));
    c->deaths = mem_array(mem, rows, sizeof(*c->deaths));
    c->held = mem_zero(mem, rows * sizeof(*c->held));
    c->slots = mem_array(mem, rows, sizeof(*c->slots));
    c->next = mem_array(mem, rows, sizeof(*c->next));
    bool whole = c->block && c->births && c->deaths && c->held && c->slots && c->next;
    if (f->o.metric == EVDB_COSINE) whole &= (c->inverses = mem_array(mem, rows, sizeof(*c->inverses))) != NULL;
    if (f->o.string_ids) {
        c->texts = mem_array(mem, rows, sizeof(*c->texts));
        c->lengths = mem_array(mem, rows, sizeof(*c->lengths));
        whole &= c->texts && c->lengths;
    } else whole &= (c->numbers = mem_array(mem, rows, sizeof(*c->numbers))) != NULL;
    if (!whole) {
        evdb_status rc = error_no_memory(err, bytes, "vectors");
        chunk_free(f, at);
        return rc;
    }
    c->vectors = (const char *)(((uintptr_t)c->block + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    pages_large(c->block, bytes + ALIGNMENT);
    return EVDB_OK;
}

static uint64_t row_bytes(const flat *f)
{
    uint64_t ids = f->o.string_ids ? sizeof(char *) + sizeof(uint32_t) : sizeof(int64_t);
    uint64_t inverse = f->o.metric == EVDB_COSINE ? sizeof(float) : 0;
    return f->stride + 2 * sizeof(uint64_t) + 1 + 2 * sizeof(uint32_t) + ids + inverse;
}

/* The oldest sequence a reader may be looking at. */
static uint64_t oldest_reader(const flat *f)
{
    uint64_t oldest = atomic_load(&f->published);
    if (atomic_load(&f->unregistered)) return 0;
    for (size_t i = 0; i < READERS; i++) {
        uint64_t at = atomic_load(&f->readers[i]);
        if (at && at - 1 < oldest) oldest = at - 1;
    }
    return oldest;
}

/* A row to fill: one that died before every reader's time, or a new one. */
static evdb_status take_row(flat *f, uint32_t *out, bool *reused, evdb_error *err)
{
    uint32_t row = f->free_first, used = atomic_load(&f->used);
    *reused = false;
    if (row != NO_ROW) {
        uint32_t at;
        chunk *c = chunk_at(f, row, &at);
        if (atomic_load(&c->deaths[at]) + f->abrupt <= oldest_reader(f)) {
            f->free_first = c->next[at];
            if (f->free_first == NO_ROW) f->free_last = NO_ROW;
            *out = row;
            *reused = true;
            return EVDB_OK;
        }
    }
    if (used >= chunk_start(CHUNKS) - f->base.count) return error_set(err, EVDB_LIMIT, "the index holds as many vectors as it can");
    if (!f->chunks[chunk_of(used)].block) {
        evdb_status rc = chunk_make(f, chunk_of(used), err);
        if (rc != EVDB_OK) return rc;
    }
    *out = f->base.count + used;
    return EVDB_OK;
}

/* A row of the base is never written again. */
static void give_row(flat *f, uint32_t row)
{
    uint32_t at, last_at;
    if (row < f->base.count) return;
    chunk_at(f, row, &at)->next[at] = NO_ROW;
    if (f->free_last == NO_ROW) f->free_first = row;
    else {
        chunk *last = chunk_at(f, f->free_last, &last_at);
        last->next[last_at] = row;
    }
    f->free_last = row;
}

static evdb_status map_slot(flat *f, uint64_t slot, evdb_error *err)
{
    size_t slots = f->slots ? f->slots : SLOTS_FIRST;
    if (slot >= UINT32_MAX)
        return error_set(err, EVDB_LIMIT, "slot %llu is beyond what an index holds", (unsigned long long)slot);
    if (slot < f->slots) return EVDB_OK;
    while (slots <= slot) slots *= 2;
    uint32_t *rows = mem_resize(f->o.mem, f->row_of, slots, sizeof(*rows));
    if (!rows) return error_no_memory(err, slots * sizeof(*rows), "the map of slots");
    memset(rows + f->slots, 0xff, (slots - f->slots) * sizeof(*rows));
    atomic_fetch_add(&f->bytes, (slots - f->slots) * sizeof(*rows));
    f->row_of = rows;
    f->slots = slots;
    return EVDB_OK;
}

/* ---- writing ---- */

static void fill(flat *f, chunk *c, uint32_t at, const evdb_id *id, char *text, const void *vector)
{
    char *to = (char *)(uintptr_t)c->vectors + at * f->stride; /* not of the base */
    size_t bytes = stored_bytes(&f->o);
    memcpy(to, vector, bytes);
    memset(to + bytes, 0, f->stride - bytes);
    if (c->inverses) ((float *)(uintptr_t)c->inverses)[at] = row_inverse_norm(f, to, f->decoded);
    if (c->texts) {
        c->texts[at] = text;
        c->lengths[at] = (uint32_t)id->length;
    } else ((int64_t *)(uintptr_t)c->numbers)[at] = id->number;
}

evdb_status flat_put(flat *f, uint64_t slot, uint64_t sequence, const evdb_id *id, const void *vector, evdb_error *err)
{
    char *text = NULL;
    uint32_t row = NO_ROW;
    bool reused;
    evdb_status rc;
    TRY(map_slot(f, slot, err));
    if (f->o.string_ids && !(text = mem_text(f->o.mem, id->text, id->length)))
        TRY(error_no_memory(err, id->length, "an id"));
    TRY(take_row(f, &row, &reused, err));
    flat_remove(f, slot, sequence);
    uint32_t at;
    chunk *c = chunk_at(f, row, &at);
    uint64_t old_bytes = reused ? (c->texts ? c->lengths[at] + 1u : 0) : 0;
    /* A reused row is dead to every reader. Its new birth is in their future and comes first, its death goes last, and
     * readers look at the death first: so none of them ever takes it for alive while it is being filled. */
    atomic_store(&c->births[at], sequence);
    if (reused && c->texts) mem_free(f->o.mem, c->texts[at]);
    fill(f, c, at, id, text, vector);
    ((uint32_t *)(uintptr_t)c->slots)[at] = (uint32_t)slot;
    atomic_store(&c->deaths[at], 0);
    if (!reused) atomic_store(&f->used, row - f->base.count + 1);
    atomic_fetch_add(&f->bytes, (reused ? 0 : row_bytes(f)) + (text ? id->length + 1 : 0) - old_bytes);
    f->row_of[slot] = row;
    f->living++;
    return EVDB_OK;
out:
    mem_free(f->o.mem, text);
    return rc;
}

void flat_remove(flat *f, uint64_t slot, uint64_t sequence)
{
    if (slot >= f->slots || f->row_of[slot] == NO_ROW) return;
    uint32_t row = f->row_of[slot], at;
    chunk *c = chunk_at(f, row, &at);
    if (sequence <= atomic_load(&f->published)) f->abrupt = true;
    atomic_store(&c->deaths[at], sequence);
    if (!atomic_load(&c->held[at])) give_row(f, row);
    else atomic_fetch_add(&f->held_dead, 1);
    f->row_of[slot] = NO_ROW;
    f->living--;
}

uint32_t flat_row(const flat *f, uint64_t slot) { return slot < f->slots ? f->row_of[slot] : NO_ROW; }

static _Atomic uint8_t *held_of(const flat *f, uint32_t row)
{
    uint32_t at;
    chunk *c = chunk_at(f, row, &at);
    return &c->held[at];
}

bool flat_held(const flat *f, uint32_t row) { return atomic_load(held_of(f, row)) != 0; }
uint64_t flat_held_dead(const flat *f) { return atomic_load(&f->held_dead); }

bool flat_hold(flat *f, uint32_t row)
{
    if (flat_dead(f, row) || atomic_load(held_of(f, row))) return false;
    atomic_store(held_of(f, row), 1);
    return true;
}

void flat_release(flat *f, uint32_t row)
{
    atomic_store(held_of(f, row), 0);
    if (!flat_dead(f, row)) return;
    atomic_fetch_sub(&f->held_dead, 1);
    give_row(f, row);
}

void flat_publish(flat *f, uint64_t sequence)
{
    atomic_store(&f->alive, f->living);
    atomic_store(&f->published, sequence);
}

uint64_t flat_sequence(const flat *f) { return atomic_load(&f->published); }
uint64_t flat_count(const flat *f) { return atomic_load(&f->alive); }
uint64_t flat_memory(const flat *f) { return atomic_load(&f->bytes); }

/* ---- snapshots ---- */

void flat_begin(flat *f, flat_snapshot *out)
{
    out->of = f;
    for (uint32_t i = 0; i < READERS; i++) {
        uint64_t unused = 0;
        if (atomic_load_explicit(&f->readers[i], memory_order_relaxed) ||
            !atomic_compare_exchange_strong(&f->readers[i], &unused, 1)) continue;
        atomic_fetch_add(&f->turns[i], 1);
        /* the place says "sequence 0" until the real one is known: whoever looks meanwhile reuses nothing */
        out->sequence = atomic_load(&f->published);
        out->reader = i;
        atomic_store(&f->readers[i], out->sequence + 1);
        return;
    }
    atomic_fetch_add(&f->unregistered, 1);
    out->sequence = atomic_load(&f->published);
    out->reader = READERS;
}

void flat_end(flat_snapshot *s)
{
    if (s->reader < READERS) atomic_store(&s->of->readers[s->reader], 0);
    else atomic_fetch_sub(&s->of->unregistered, 1);
}

evdb_id flat_id(const flat_snapshot *s, uint32_t row)
{
    const flat_base *base = &s->of->base;
    uint32_t at;
    const chunk *c = chunk_at(s->of, row, &at);
    if (row < base->count && base->offsets)
        return (evdb_id){ .text = base->texts + base->offsets[at], .length = base->offsets[at + 1] - base->offsets[at] - 1 };
    if (c->texts) return (evdb_id){ .text = c->texts[at], .length = c->lengths[at] };
    return (evdb_id){ .number = c->numbers[at] };
}

void flat_readers_now(const flat *f, flat_readers *out)
{
    out->others = atomic_load(&f->unregistered) != 0;
    for (uint32_t i = 0; i < READERS; i++) {
        out->turns[i] = atomic_load(&f->turns[i]);
        out->open[i] = atomic_load(&f->readers[i]) != 0;
    }
}

bool flat_readers_gone(const flat *f, const flat_readers *then)
{
    if (then->others && atomic_load(&f->unregistered)) return false;
    for (uint32_t i = 0; i < READERS; i++)
        if (then->open[i] && atomic_load(&f->readers[i]) && atomic_load(&f->turns[i]) == then->turns[i]) return false;
    return true;
}
