/* backup_in.c - implements format/backup_in.h. */
#include "format/backup_in.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "format/backup_chunk.h"
#include "format/backup_seal.h"
#include "format/window.h"
#include <zstd.h>
#include <zstd_errors.h>

struct backup_in {
    const evdb_allocator *mem;
    window in;
    backup_head head;
    backup_foot foot, seen; /* as the file says, and as it came */
    backup_seal seal;
    ZSTD_DCtx *zstd;
    uint64_t seed;
    uint8_t *raw, *opened; /* BACKUP_CHUNK_MAX each: entries, and an encrypted chunk made readable */
    size_t taken; /* bytes of the window that the last chunk is of */
};

static evdb_status damaged(const backup_in *in, const char *what, evdb_error *err)
{
    return error_set(err, EVDB_CORRUPT, "the backup is damaged: %s (at byte %llu)", what, (unsigned long long)in->seen.body_bytes);
}

static void use(backup_in *in, size_t size)
{
    window_skip(&in->in, size);
    in->seen.body_bytes += size;
}

/* size bytes of the file, which must be there. */
static evdb_status need(backup_in *in, size_t size, evdb_error *err)
{
    evdb_status rc = window_need(&in->in, size, err);
    return rc == EVDB_OK && window_size(&in->in) < size ? damaged(in, "it is cut short", err) : rc;
}

void backup_in_close(backup_in *in)
{
    if (!in) return;
    backup_seal_end(&in->seal);
    backup_head_free(&in->head);
    ZSTD_freeDCtx(in->zstd);
    if (in->in.mem) window_close(&in->in);
    mem_free(in->mem, in->raw);
    mem_free(in->mem, in->opened);
    mem_free(in->mem, in);
}

static evdb_status read_head(backup_in *in, const unsigned char *key, evdb_error *err)
{
    size_t size;
    evdb_status rc;
    TRY(window_need(&in->in, BACKUP_FIXED, err));
    if (window_size(&in->in) < BACKUP_FIXED) TRY(error_set(err, EVDB_CORRUPT, "this is no backup"));
    TRY(backup_head_size(window_bytes(&in->in), &size, err));
    TRY(need(in, size, err));
    TRY(backup_head_read(window_bytes(&in->in), size, &in->head, err));
    if (in->head.encrypted && !key) TRY(error_set(err, EVDB_DENIED, "the backup is encrypted: its key is needed"));
    if (!in->head.encrypted && key) TRY(error_set(err, EVDB_DENIED, "the backup is not encrypted, but a key was given: is it the right file?"));
    if (key) backup_seal_begin(&in->seal, in->head.salt, key, window_bytes(&in->in), size);
    use(in, size);
    in->seed = backup_chunk_seed(in->head.id, sizeof(in->head.id));
out:
    return rc;
}

evdb_status backup_in_open(const evdb_allocator *mem, const evdb_source *source, const unsigned char *key, backup_in **out,
                           evdb_error *err)
{
    backup_in *in = mem_zero(mem, sizeof(*in));
    evdb_status rc;
    if (!in) return error_no_memory(err, sizeof(*in), "a backup");
    in->mem = mem;
    TRY(window_open(&in->in, mem, source, err));
    in->raw = mem_alloc(mem, BACKUP_CHUNK_MAX);
    in->opened = mem_alloc(mem, BACKUP_CHUNK_MAX);
    in->zstd = ZSTD_createDCtx();
    rc = EVDB_NO_MEMORY;
    if (!in->raw || !in->opened || !in->zstd) TRY(error_no_memory(err, BACKUP_CHUNK_MAX, "a backup"));
    TRY(read_head(in, key, err));
    *out = in;
    in = NULL;
out:
    backup_in_close(in);
    return rc;
}

const backup_head *backup_in_head(const backup_in *in) { return &in->head; }
void backup_in_give_head(backup_in *in, backup_head *out)
{
    *out = in->head;
    out->store.fields = out->fields;
    in->head.own = NULL;
}

const backup_foot *backup_in_foot(const backup_in *in) { return &in->foot; }

/* Decrypted where that is needed; *bytes stays where it is otherwise. */
static evdb_status open_chunk(backup_in *in, const backup_chunk *c, const uint8_t **bytes, size_t *size, evdb_error *err)
{
    if (!in->head.encrypted) return EVDB_OK;
    bool right = backup_seal_pull(&in->seal, *bytes, *size, c, offsetof(backup_chunk, sum), false, in->opened);
    if (!right && c->number == 0) /* its checksum holds: it is the key that does not */
        return error_set(err, EVDB_DENIED, "the key is not the one that the backup was encrypted with");
    if (!right) return damaged(in, "a chunk was forged", err);
    *bytes = in->opened;
    *size -= BACKUP_SEAL_BYTES;
    return EVDB_OK;
}

static evdb_status unpack(backup_in *in, const backup_chunk *c, const uint8_t *bytes, size_t size, const uint8_t **out, evdb_error *err)
{
    *out = bytes;
    if (size == c->raw) return EVDB_OK;
    size_t got = ZSTD_decompressDCtx(in->zstd, in->raw, c->raw, bytes, size);
    if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) return error_no_memory(err, c->raw, "zstd");
    *out = in->raw;
    return got == c->raw ? EVDB_OK : damaged(in, "a chunk does not hold what it says", err);
}

/* The end chunk, of which c is the head, and the foot. */
static evdb_status finish(backup_in *in, const backup_chunk *c, evdb_error *err)
{
    unsigned char stored[BACKUP_SEAL_BYTES], nothing[1];
    bool end;
    evdb_status rc;
    memcpy(stored, window_bytes(&in->in) + sizeof(*c), c->stored);
    use(in, sizeof(*c) + c->stored);
    TRY(need(in, sizeof(in->foot), err));
    memcpy(&in->foot, window_bytes(&in->in), sizeof(in->foot));
    TRY(backup_foot_check(&in->foot, &in->head, err));
    if (in->head.encrypted && !backup_seal_pull(&in->seal, stored, c->stored, &in->foot, sizeof(in->foot), true, nothing))
        TRY(c->number ? damaged(in, "its foot was forged", err)
                      : error_set(err, EVDB_DENIED, "the key is not the one that the backup was encrypted with"));
    if (in->foot.chunks != in->seen.chunks || in->foot.chunks_sum != in->seen.chunks_sum || in->foot.raw_bytes != in->seen.raw_bytes ||
        in->foot.body_bytes != in->seen.body_bytes)
        TRY(damaged(in, "it does not hold what its foot says", err));
    window_skip(&in->in, sizeof(in->foot));
    TRY(window_at_end(&in->in, &end, err));
    if (!end) TRY(damaged(in, "something follows its end", err));
out:
    return rc;
}

/* Could this chunk be the next one? */
static bool fits(const backup_in *in, const backup_chunk *c)
{
    uint32_t seal = in->head.encrypted ? BACKUP_SEAL_BYTES : 0;
    if (c->number != in->seen.chunks || c->raw > BACKUP_CHUNK_MAX || c->stored < seal) return false;
    return c->raw ? c->stored > seal && c->stored - seal <= c->raw : c->stored == seal;
}

evdb_status backup_in_next(backup_in *in, const uint8_t **out, size_t *size, evdb_error *err)
{
    backup_chunk c;
    evdb_status rc;
    use(in, in->taken);
    in->taken = 0;
    TRY(need(in, sizeof(c), err));
    memcpy(&c, window_bytes(&in->in), sizeof(c));
    if (!fits(in, &c)) TRY(damaged(in, "a chunk is missing, or not in its place", err));
    TRY(need(in, sizeof(c) + c.stored, err));
    const uint8_t *bytes = (const uint8_t *)window_bytes(&in->in) + sizeof(c);
    size_t stored = c.stored;
    if (c.sum != backup_chunk_sum(&c, bytes, in->seed)) TRY(damaged(in, "the checksum of a chunk does not match", err));
    *out = NULL;
    *size = 0;
    if (!c.raw) return finish(in, &c, err);
    TRY(open_chunk(in, &c, &bytes, &stored, err));
    TRY(unpack(in, &c, bytes, stored, out, err));
    *size = c.raw;
    in->seen.chunks_sum = checksum(&c.sum, sizeof(c.sum), in->seen.chunks_sum);
    in->seen.raw_bytes += c.raw;
    in->seen.chunks++;
    in->taken = sizeof(c) + c.stored;
out:
    return rc;
}
