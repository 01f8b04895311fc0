/* fuzz_index.c - a saved index with anything changed in it, checksums passed: refused, or an index that answers and goes on. What it
 * finds may be wrong then; nothing may be touched that is not its own.
 *
 * Input: a byte that chooses the metric and whether ids are texts, then changes: a byte whose lower bits choose the part and whose highest one cuts it, two bytes
 * of place, a byte of length, and as many bytes to put there. */
#include "index/indexed.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIM = 8, ROWS = 150, WAITING = 20, PARTS = 24, K = 10, CUT = 128, METRICS = 4, KINDS = 2 * METRICS, ALLOCATION_MAX = 16 << 20 };

typedef struct part {
    char name[16];
    char *at;
    size_t size;
} part;

typedef struct kept {
    part parts[PARTS];
    size_t count;
} kept;

static void check(bool sound)
{
    if (!sound) abort();
}

static evdb_status keep_begin(void *context, const char *name, evdb_error *err)
{
    kept *k = context;
    (void)err;
    check(k->count < PARTS && strlen(name) < sizeof(k->parts->name));
    memcpy(k->parts[k->count++].name, name, strlen(name) + 1);
    return EVDB_OK;
}

static evdb_status keep_write(void *context, const void *bytes, size_t size, evdb_error *err)
{
    kept *k = context;
    part *p = &k->parts[k->count - 1];
    (void)err;
    check((p->at = realloc(p->at, p->size + size + 1)));
    if (size) memcpy(p->at + p->size, bytes, size);
    p->size += size;
    return EVDB_OK;
}

static evdb_status keep_find(void *context, const char *name, size_t size, const void **out, size_t *found, evdb_error *err)
{
    const kept *k = context;
    (void)err;
    for (size_t i = 0; i < k->count; i++) {
        if (strcmp(k->parts[i].name, name) != 0 || (size != SIZE_MAX && k->parts[i].size != size)) continue;
        *out = k->parts[i].at;
        if (found) *found = k->parts[i].size;
        return EVDB_OK;
    }
    return EVDB_CORRUPT;
}

/* Aligned as pages of a map are. */
static void copy(kept *to, const kept *from)
{
    *to = *from;
    for (size_t i = 0; i < to->count; i++) {
        check(posix_memalign((void **)&to->parts[i].at, 64, to->parts[i].size + 1) == 0);
        if (to->parts[i].size) memcpy(to->parts[i].at, from->parts[i].at, to->parts[i].size);
    }
}

static void drop(void *owner)
{
    kept *k = owner;
    for (size_t i = 0; i < k->count; i++) free(k->parts[i].at);
    k->count = 0;
}

/* Slots may be any number below 2^32, and there is a table of them: a forged one asks for gigabytes, which are refused here. */
static void *refuse_much(void *context, void *block, size_t bytes)
{
    (void)context;
    return bytes > ALLOCATION_MAX ? NULL : realloc(block, bytes);
}

static void *allocate(void *context, size_t bytes) { return refuse_much(context, NULL, bytes); }

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

static const evdb_allocator memory = { NULL, allocate, refuse_much, release };

static void vector_of(uint64_t i, float out[DIM])
{
    for (size_t j = 0; j < DIM; j++) out[j] = (float)((i * 7919 + j * 104729 + i * j) % 211) / 105 - 1;
}

static indexed_options options_of(evdb_metric metric, bool texts)
{
    return (indexed_options){ .flat = { .mem = &memory, .kernel = kernel_best(), .dim = DIM, .metric = metric, .string_ids = texts },
                              .m = 4, .ef_construction = 20, .seed = 7 };
}

static void put(indexed *x, bool texts, uint64_t slot, uint64_t sequence)
{
    float v[DIM];
    char text[24];
    evdb_id id = { .number = (int64_t)slot };
    vector_of(sequence, v);
    if (texts) id = (evdb_id){ .text = text, .length = (size_t)snprintf(text, sizeof(text), "id-%llu", (unsigned long long)slot) };
    evdb_status rc = indexed_put(x, slot, sequence, &id, v, NULL);
    check(rc == EVDB_OK);
}

static void link_all(indexed *x)
{
    bool more = true;
    atomic_bool stop = false;
    while (more) {
        if (indexed_begin(x, &more, NULL) == EVDB_OK) check(indexed_work(x, 1, &stop, NULL) == EVDB_OK);
        indexed_end(x);
    }
}

static uint64_t make(evdb_metric metric, bool texts, kept *out)
{
    indexed_options o = options_of(metric, texts);
    indexed *x;
    flat_snapshot s;
    uint64_t sequence = 0;
    check(indexed_create(&o, &x, NULL) == EVDB_OK);
    for (uint64_t i = 0; i < ROWS; i++) put(x, texts, i, ++sequence);
    flat_publish(indexed_flat(x), sequence);
    link_all(x);
    for (uint64_t i = 0; i < ROWS; i += 9) flat_remove(indexed_flat(x), i, ++sequence);
    for (uint64_t i = ROWS; i < ROWS + WAITING; i++) put(x, texts, i, ++sequence);
    flat_publish(indexed_flat(x), sequence);
    flat_begin(indexed_flat(x), &s);
    check(indexed_save(x, &s, &(saver){ out, keep_begin, keep_write }, NULL) == EVDB_OK);
    flat_end(&s);
    indexed_free(x);
    return sequence;
}

static void change(kept *k, const uint8_t *data, size_t size)
{
    while (size >= 4) {
        part *p = &k->parts[data[0] % CUT % k->count];
        size_t at = (size_t)(data[1] | data[2] << 8) % (p->size + 1), length = data[3];
        bool cuts = data[0] >= CUT && length == 0; /* few, or none would come any further */
        if (cuts) p->size = at;
        data += 4, size -= 4;
        if (length > size) length = size;
        if (!cuts) memcpy(p->at + at, data, length < p->size - at ? length : p->size - at);
        data += length, size -= length;
    }
}

static void search(indexed *x)
{
    flat_snapshot s;
    float v[DIM];
    hit hits[K];
    size_t found;
    flat_begin(indexed_flat(x), &s);
    for (uint64_t i = 0; i < 3; i++) {
        vector_of(i * 50, v);
        flat_query q = { .queries = v, .count = 1, .stride = DIM, .k = K, .radius = INFINITY, .threads = 1 };
        check(indexed_search(x, &s, &q, 20, hits, &found, NULL) == EVDB_OK);
        for (size_t j = 0; j < found; j++) check(hits[j].row < flat_used(indexed_flat(x)));
    }
    flat_end(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const evdb_metric metrics[METRICS] = { EVDB_EUCLIDEAN, EVDB_COSINE, EVDB_IP, EVDB_MANHATTAN };
    static kept whole[KINDS];
    static uint64_t sequences[KINDS];
    kept k;
    indexed *x;
    char text[160];
    evdb_error why = { .status = EVDB_OK };
    if (!size) return 0;
    size_t m = data[0] % KINDS;
    bool texts = m >= METRICS;
    if (!whole[m].count) sequences[m] = make(metrics[m % METRICS], texts, &whole[m]);
    indexed_options o = options_of(metrics[m % METRICS], texts);
    copy(&k, &whole[m]);
    change(&k, data + 1, size - 1);
    evdb_status rc = indexed_load(&o, sequences[m], &(loader){ &k, keep_find }, &k, drop, &x, &why);
    if (rc != EVDB_OK) {
        check(rc == EVDB_CORRUPT || rc == EVDB_NOT_FOUND || rc == EVDB_NO_MEMORY);
        drop(&k);
        return 0;
    }
    (void)indexed_problem(x, text, sizeof(text));
    search(x);
    for (uint64_t i = 0; i < 30; i++) put(x, texts, i * 5, sequences[m] + 1 + i);
    flat_publish(indexed_flat(x), sequences[m] + 31);
    link_all(x);
    search(x);
    indexed_free(x);
    return 0;
}
