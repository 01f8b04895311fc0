/* flat.h - a store's vectors in memory, scanned exactly: the oracle of every recall test, and the
 * tail of the graph index later.
 *
 * One writer at a time (the caller serialises flat_put, flat_remove, flat_publish), any number of readers
 * that never wait for it. A reader takes a snapshot: it sees exactly the rows written up to the
 * sequence published last, for as long as it holds it. How: each row carries the sequence it was born
 * at and the one it died at (0 = alive); a dead row's memory is reused only when no snapshot old enough to
 * see it is left. A row may also die, or be born, at the very sequence that was published last: snapshots of it that are open lose or
 * gain it on the way. Rows lie in chunks that double in size and never move. */
#ifndef EVDB_INDEX_FLAT_H
#define EVDB_INDEX_FLAT_H
#include "base/topk.h"
#include "codec/codec.h"
#include "index/row_set.h"
#include "kernel/custom.h"
#include "kernel/kernel.h"
#include <evdb/record.h>

typedef struct flat flat;

typedef struct flat_options {
    const evdb_allocator *mem; /* borrowed */
    const kernel *kernel;
    uint32_t dim;
    evdb_metric metric;
    evdb_dtype dtype;   /* of which vectors lie in memory, as base/element.h has them; 0 = EVDB_F32 */
    const codec *codec; /* whose codes lie there instead; borrowed. NULL = none. Not with CUSTOM */
    bool string_ids;
    custom_metric *custom; /* with CUSTOM; registered before the first distance is asked for */
} flat_options;

evdb_status flat_create(const flat_options *options, flat **out, evdb_error *err);

/* Rows that lie ready in memory of somebody else, a mapped file say: they are the first ones, never change, and are kept by
 * `owner` until release(owner), which flat_free() calls. */
typedef struct flat_base {
    uint32_t count;
    uint64_t sequence;       /* that they are the state of */
    const char *vectors;     /* flat_stride() bytes a row, zeros behind the last element */
    const float *inverses;   /* COSINE: flat_inverse() of each */
    const int64_t *numbers;  /* integer ids, or ... */
    const uint64_t *offsets; /* ... where each text begins in `texts`, count + 1 of them; a NUL ends each */
    const char *texts;
    const uint32_t *slots;
    void *owner;
    void (*release)(void *owner);
} flat_base;
/* Takes the owner over on success. */
evdb_status flat_create_on(const flat_options *options, const flat_base *base, flat **out, evdb_error *err);
/* How the owner is released, where that was left open. */
void flat_own_base(flat *f, void (*release)(void *owner));
size_t flat_stride(const flat_options *o); /* bytes from one row to the next */
void flat_free(flat *f);

/* A row is a number below flat_used(); it is what hits name, and stays the record's until it is replaced or removed. */
enum { FLAT_NO_ROW = UINT32_MAX };

/* Writer. `slot` is the record's stable slot number on disk (below 2^32 - 1); putting into a taken slot replaces it.
 * vector (dim elements as they are stored, any alignment) and id are copied. sequence is not below the one published last, nor that of
 * an earlier call for the same slot. On failure nothing has changed. */
evdb_status flat_put(flat *f, uint64_t slot, uint64_t sequence, const evdb_id *id, const void *vector,
                     evdb_error *err);
uint32_t flat_row(const flat *f, uint64_t slot); /* of the record that is there now, or FLAT_NO_ROW */
void flat_remove(flat *f, uint64_t slot, uint64_t sequence); /* unknown slot: nothing happens */
/* Somebody else refers to the row: its memory is not used again before flat_release(). False when it is dead, or held already. */
bool flat_hold(flat *f, uint32_t row);
void flat_release(flat *f, uint32_t row);
/* Snapshots begun from now on see everything up to sequence. */
void flat_publish(flat *f, uint64_t sequence);

/* Any thread. */
uint64_t flat_sequence(const flat *f);  /* last published */
uint64_t flat_count(const flat *f);     /* rows alive at that sequence */
uint64_t flat_memory(const flat *f);    /* bytes held; rows yet to be filled, which nothing has touched, do not count */

typedef struct flat_snapshot {
    flat *of;
    uint64_t sequence;
    uint32_t reader; /* where the snapshot is registered */
} flat_snapshot;

void flat_begin(flat *f, flat_snapshot *out);
void flat_end(flat_snapshot *s);

/* Which snapshots are open, to tell later when all of those have ended. */
enum { FLAT_READERS = 128 };
typedef struct flat_readers { uint32_t turns[FLAT_READERS]; bool open[FLAT_READERS], others; } flat_readers;
void flat_readers_now(const flat *f, flat_readers *out);
bool flat_readers_gone(const flat *f, const flat_readers *then);

/* Rows by number. */
uint32_t flat_base_count(const flat *f);
uint32_t flat_used(const flat *f);
/* Asks memory for what flat_visible() and flat_distance() will want of a row. */
void flat_ask_for(const flat *f, uint32_t row);
/* A row's floats: where they lie, or made of what lies there in `room`, which has flat_room() floats and may be NULL where that is 0. */
size_t flat_room(const flat *f);
const float *flat_vector(const flat *f, uint32_t row, float *room);
const void *flat_stored(const flat *f, uint32_t row); /* its flat_stride() bytes, ... */
size_t flat_row_bytes(const flat *f);                 /* ... of which these were given */
uint32_t flat_slot(const flat *f, uint32_t row);
float flat_inverse(const flat *f, uint32_t row); /* 1 / norm under cosine, else 1 */
bool flat_dead(const flat *f, uint32_t row);     /* removed or replaced, at whatever sequence */
bool flat_held(const flat *f, uint32_t row);
uint64_t flat_held_dead(const flat *f);          /* how many are both */
bool flat_visible(const flat_snapshot *s, uint32_t row);
/* A query made ready for the rows there are; one thread's. */
typedef struct flat_ready {
    const float *vector;
    float inverse;       /* 1 / norm under cosine, else 1 */
    codec_query *codes;  /* where rows are codes, else NULL */
    float *scaled; /* a copy in the place of the caller's, where that could not be squared; NULL = none */
    const evdb_allocator *mem;
} flat_ready;
evdb_status flat_ready_make(const flat *f, const float *query, flat_ready *out, evdb_error *err); /* EVDB_NO_MEMORY */
void flat_ready_free(flat_ready *q);
/* The very distance that a scan computes. */
float flat_distance(const flat *f, const flat_ready *q, uint32_t row);
/* The same of many rows, which are fetched ahead. */
void flat_distances(const flat *f, const flat_ready *q, const uint32_t *rows, size_t count, float *out);
/* From one row to others, under MANHATTAN, where there is no codec; as precise, but not to the bit: elements are added up in another order. */
void flat_distances_between(const flat *f, uint32_t from, const uint32_t *rows, size_t count, float *out);

/* The rows that a snapshot sees whose slots have their bit set; slots at `count` and beyond have none. out->bits are of the
 * index's allocator, and the caller's. */
evdb_status flat_select(const flat_snapshot *s, const uint64_t *slots, size_t count, row_set *out, evdb_error *err);

/* Queries are dim floats each, checked by the caller (finite; such as a row could be; not zero under cosine). */
typedef struct flat_query {
    const float *queries;
    size_t count, stride; /* stride in floats */
    uint32_t k;
    float radius;         /* only hits with distance <= radius; INFINITY = all */
    uint32_t threads;     /* queries are shared out among this many */
    const row_set *only;  /* rows that may be found, selected with this very snapshot; NULL = all */
} flat_query;

/* hits has count * k entries: query i's lie from i * k on, nearest first, found[i] of them. *cut (may be NULL)
 * is set when a radius held more than k. EVDB_NO_MEMORY. */
evdb_status flat_search(const flat_snapshot *s, const flat_query *q, hit *hits, size_t *found, bool *cut, evdb_error *err);
/* Borrowed until flat_end(); text NUL-terminated. */
evdb_id flat_id(const flat_snapshot *s, uint32_t row);
#endif
