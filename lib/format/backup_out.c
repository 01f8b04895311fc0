/* backup_out.c - implements format/backup_out.h. */
#include "format/backup_out.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "format/backup_chunk.h"
#include "format/backup_seal.h"
#include <zstd.h>

/* Vectors of random floats lose a fourteenth, for which unpacking takes two fifths of a restore: that does not pay. After a chunk that did
 * not pay the next SKIPPED are not tried. */
enum { LEVEL = 1, PAYS = 8, SKIPPED = 7 };

struct backup_out {
    const platform *platform;
    const evdb_sink *sink;
    buf raw;    /* entries of the chunk under way */
    buf stored; /* a chunk with what stands before it, as it is handed over */
    ZSTD_CCtx *zstd;
    unsigned skip;
    backup_seal seal;
    bool sealed;
    uint64_t seed;
    backup_foot foot;
};

static evdb_status hand_over(backup_out *o, const void *bytes, size_t size, evdb_error *err)
{
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the backup cannot be written" };
    evdb_status rc = o->sink->write(o->sink->context, bytes, size, &why);
    why.status = rc;
    if (rc != EVDB_OK && err) *err = why;
    o->foot.body_bytes += size;
    return rc;
}

void backup_out_close(backup_out *o)
{
    if (!o) return;
    backup_seal_end(&o->seal);
    ZSTD_freeCCtx(o->zstd);
    buf_free(&o->raw);
    buf_free(&o->stored);
    mem_free(&o->platform->mem, o);
}

evdb_status backup_out_open(const platform *p, const evdb_sink *sink, backup_head *h, const unsigned char *key, backup_out **out,
                            evdb_error *err)
{
    backup_out *o = mem_zero(&p->mem, sizeof(*o));
    evdb_status rc;
    if (!o) return error_no_memory(err, sizeof(*o), "a backup");
    o->platform = p;
    o->sink = sink;
    buf_init(&o->raw, &p->mem);
    buf_init(&o->stored, &p->mem);
    p->random(p->random_context, h->id, sizeof(h->id));
    h->encrypted = o->sealed = key != NULL;
    if (key) p->random(p->random_context, h->salt, sizeof(h->salt));
    rc = EVDB_NO_MEMORY;
    if (!(o->zstd = ZSTD_createCCtx())) TRY(error_no_memory(err, sizeof(*o), "zstd"));
    TRY(backup_head_write(h, &o->stored, err));
    if (key) backup_seal_begin(&o->seal, h->salt, key, o->stored.at, o->stored.size);
    o->seed = backup_chunk_seed(h->id, sizeof(h->id));
    o->foot.head_sum = h->sum;
    TRY(hand_over(o, o->stored.at, o->stored.size, err));
    *out = o;
    o = NULL;
out:
    backup_out_close(o);
    return rc;
}

bool backup_out_full(const backup_out *o) { return o->raw.size >= BACKUP_CHUNK; }

evdb_status backup_out_add(backup_out *o, const backup_entry *e, evdb_error *err)
{
    if (!backup_entry_add(&o->raw, e)) return error_no_memory(err, e->size + e->length, "a backup");
    return EVDB_OK;
}

/* The chunk's bytes behind its head in o->stored, compressed if that pays. */
static evdb_status pack(backup_out *o, size_t *size, evdb_error *err)
{
    size_t room = ZSTD_compressBound(o->raw.size);
    o->stored.size = 0;
    if (!buf_reserve(&o->stored, sizeof(backup_chunk) + room)) return error_no_memory(err, room, "a backup");
    char *to = o->stored.at + sizeof(backup_chunk);
    *size = o->skip ? o->raw.size : ZSTD_compressCCtx(o->zstd, to, room, o->raw.at, o->raw.size, LEVEL);
    if (ZSTD_isError(*size)) return error_no_memory(err, room, "zstd"); /* there is room: nothing else can fail */
    if (*size < o->raw.size - o->raw.size / PAYS) return EVDB_OK;
    o->skip = o->skip ? o->skip - 1 : SKIPPED;
    *size = o->raw.size;
    memcpy(to, o->raw.at, o->raw.size);
    return EVDB_OK;
}

/* In place: a message begins with one byte of its own, so it moves. */
static evdb_status encrypt(backup_out *o, const backup_chunk *c, size_t size, evdb_error *err)
{
    if (!buf_reserve(&o->raw, size + BACKUP_SEAL_BYTES)) return error_no_memory(err, size, "a backup");
    char *to = o->stored.at + sizeof(*c);
    backup_seal_push(&o->seal, to, size, c, offsetof(backup_chunk, sum), false, o->raw.at);
    if (size + BACKUP_SEAL_BYTES > o->stored.capacity - sizeof(*c)) {
        o->stored.size = sizeof(*c);
        if (!buf_reserve(&o->stored, size + BACKUP_SEAL_BYTES)) return error_no_memory(err, size, "a backup");
        to = o->stored.at + sizeof(*c);
    }
    memcpy(to, o->raw.at, size + BACKUP_SEAL_BYTES);
    return EVDB_OK;
}

static void count(backup_out *o, backup_chunk *c, const void *stored)
{
    c->sum = backup_chunk_sum(c, stored, o->seed);
    o->foot.chunks_sum = checksum(&c->sum, sizeof(c->sum), o->foot.chunks_sum);
    o->foot.raw_bytes += c->raw;
    o->foot.chunks++;
}

static evdb_status flush(backup_out *o, evdb_error *err)
{
    backup_chunk c = { .raw = (uint32_t)o->raw.size, .number = o->foot.chunks };
    size_t size = 0;
    evdb_status rc;
    if (!o->raw.size) return EVDB_OK;
    TRY(pack(o, &size, err));
    c.stored = (uint32_t)(size + (o->sealed ? BACKUP_SEAL_BYTES : 0));
    if (o->sealed) TRY(encrypt(o, &c, size, err));
    count(o, &c, o->stored.at + sizeof(c));
    memcpy(o->stored.at, &c, sizeof(c));
    TRY(hand_over(o, o->stored.at, sizeof(c) + c.stored, err));
    o->raw.size = 0;
out:
    return rc;
}

evdb_status backup_out_step(backup_out *o, evdb_error *err) { return backup_out_full(o) ? flush(o, err) : EVDB_OK; }

evdb_status backup_out_finish(backup_out *o, backup_foot *foot, evdb_error *err)
{
    unsigned char stored[BACKUP_SEAL_BYTES];
    evdb_status rc;
    TRY(flush(o, err));
    backup_chunk c = { .stored = o->sealed ? BACKUP_SEAL_BYTES : 0, .number = o->foot.chunks };
    o->foot.sequence = foot->sequence;
    o->foot.records = foot->records;
    o->foot.entries = foot->entries;
    o->foot.finished_ms = o->platform->clock_ms(o->platform->clock_context);
    *foot = o->foot;
    foot->body_bytes += sizeof(c) + c.stored;
    backup_foot_seal(foot);
    if (o->sealed) backup_seal_push(&o->seal, "", 0, foot, sizeof(*foot), true, stored);
    c.sum = backup_chunk_sum(&c, stored, o->seed);
    TRY(hand_over(o, &c, sizeof(c), err));
    if (c.stored) TRY(hand_over(o, stored, c.stored, err));
    TRY(hand_over(o, foot, sizeof(*foot), err));
out:
    return rc;
}
