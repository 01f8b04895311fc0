/* zstd.c - the byte codec zstd (RFC 8878).
 *
 * A frame's header is the same for all codes of one length, so it is not kept: unpack() puts one in front that says no more than
 * that length. What is kept are the frame's blocks.
 *
 * `dict` is a dictionary in zstd's own format: what sampled codes have in common, and above all the statistics of their bytes,
 * which would otherwise have to come with every vector.
 *
 * Contexts and dictionaries at work are libzstd's own memory, from malloc: taking an allocator is not part of its stable interface. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/bytes.h"
#include <string.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { USUAL = 1, LEVEL_MAX = 22 };

/* A dictionary pays from about this many samples on; more bytes of them than the most only take time. */
enum { SAMPLES_LEAST = 256, SAMPLE_BYTES_MAX = 4 << 20, DICT_BYTES_LEAST = 256, DICT_BYTES_MAX = 16 << 10 };
enum { DICT_SHARE = 16 }; /* bytes of samples for one of a dictionary */

enum { MAGIC_BYTES = 4, HEADER_MAX = 9 };

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    evdb_status rc = bytes_configure(s, parameters, LEVEL_MAX, USUAL, true, err);
    if (bytes_dict(s)) s->sample = SAMPLES_LEAST;
    return rc;
}

static evdb_status failed(const codec_stage *s, size_t rc, evdb_error *err)
{
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation) return error_no_memory(err, s->code_bytes, "zstd");
    return error_set(err, EVDB_INTERNAL, "zstd: %s", ZSTD_getErrorName(rc));
}

/* ---- dictionaries ---- */

/* Samples, as the coder will see codes, evenly from all there are. */
typedef struct samples {
    uint8_t *rows;
    size_t *sizes, count;
} samples;

static evdb_status gather(const codec_stage *s, const codec_training *t, samples *out, evdb_error *err)
{
    const uint8_t *codes = (const void *)t->sample;
    size_t bytes = s->code_bytes, most = SAMPLE_BYTES_MAX / bytes;
    if (most < SAMPLES_LEAST) most = SAMPLES_LEAST;
    out->count = t->count < most ? t->count : most;
    out->rows = mem_array(s->mem, out->count, bytes);
    out->sizes = mem_array(s->mem, out->count, sizeof(size_t));
    if (!out->rows || !out->sizes) return error_no_memory(err, out->count * bytes, "a sample to train on");
    for (size_t i = 0; i < out->count; i++) {
        const uint8_t *code = codes + (uint64_t)i * t->count / out->count * bytes;
        uint8_t *row = out->rows + i * bytes;
        out->sizes[i] = bytes;
        if (bytes_shuffle(s, code, row) == code) memcpy(row, code, bytes);
    }
    return EVDB_OK;
}

/* Where nothing can be learned (all samples are alike, say) a few of them are the dictionary, as they are. The first byte is none of
 * them: what begins as a dictionary with statistics would be taken for one. */
static size_t plain_dictionary(const samples *from, uint8_t *out, size_t most)
{
    size_t bytes = from->count * from->sizes[0] < most - 1 ? from->count * from->sizes[0] : most - 1;
    out[0] = 0;
    memcpy(out + 1, from->rows, bytes);
    return bytes + 1;
}

static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    samples from = { 0 };
    uint8_t *dict = NULL;
    evdb_status rc = EVDB_OK;
    if (!bytes_dict(s)) return EVDB_OK;
    TRY(gather(s, t, &from, err));
    size_t most = from.count * s->code_bytes / DICT_SHARE;
    most = most < DICT_BYTES_LEAST ? DICT_BYTES_LEAST : most > DICT_BYTES_MAX ? DICT_BYTES_MAX : most;
    if (!(dict = mem_alloc(s->mem, most))) TRY(error_no_memory(err, most, "a dictionary"));
    size_t size = ZDICT_trainFromBuffer(dict, most, from.rows, from.sizes, (unsigned)from.count);
    if (ZDICT_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
        TRY(error_no_memory(err, from.count * s->code_bytes, "training a dictionary"));
    if (ZDICT_isError(size)) size = plain_dictionary(&from, dict, most);
    TRY(stage_trained(s, size, err));
    memcpy(s->trained, dict, size);
out:
    mem_free(s->mem, dict);
    mem_free(s->mem, from.rows);
    mem_free(s->mem, from.sizes);
    return rc;
}

/* At work: as packing and unpacking want it. */
typedef struct dictionaries {
    ZSTD_CDict *pack;
    ZSTD_DDict *unpack;
} dictionaries;

static void dictionaries_free(const codec_stage *s, dictionaries *d)
{
    if (!d) return;
    ZSTD_freeCDict(d->pack);
    ZSTD_freeDDict(d->unpack);
    mem_free(s->mem, d);
}

static evdb_status dictionaries_make(const codec_stage *s, dictionaries **out, evdb_error *err)
{
    const uint8_t *dict = s->trained;
    size_t size = s->trained_bytes;
    *out = NULL;
    if (!bytes_dict(s) != !size) return error_set(err, EVDB_CORRUPT, "codec zstd: a dictionary is missing, or there where none belongs");
    if (!size) return EVDB_OK;
    if (dict[0] != 0 && ZDICT_isError(ZDICT_getDictHeaderSize(dict, size)))
        return error_set(err, EVDB_CORRUPT, "codec zstd: what should be a dictionary is none");
    dictionaries *d = mem_zero(s->mem, sizeof(*d));
    if (!d) return error_no_memory(err, sizeof(*d), "a dictionary");
    d->pack = ZSTD_createCDict(dict, size, (int)bytes_level(s));
    d->unpack = ZSTD_createDDict(dict, size);
    if (d->pack && d->unpack) {
        *out = d;
        return EVDB_OK;
    }
    dictionaries_free(s, d);
    return error_no_memory(err, size, "a dictionary");
}

/* ---- packing ---- */

typedef struct packer {
    ZSTD_CCtx *z;
    size_t room;
    uint8_t frame[];
} packer;

static void packer_free(const codec_stage *s, packer *p)
{
    ZSTD_freeCCtx(p->z);
    mem_free(s->mem, p);
}

static evdb_status packer_make(const codec_stage *s, void **out, evdb_error *err)
{
    const dictionaries *d = bytes_own(s);
    size_t room = ZSTD_compressBound(s->code_bytes), rc = 0;
    packer *p = mem_alloc(s->mem, sizeof(*p) + room);
    if (!p) return error_no_memory(err, sizeof(*p) + room, "zstd");
    p->room = room;
    if (!(p->z = ZSTD_createCCtx())) {
        mem_free(s->mem, p);
        return error_no_memory(err, room, "zstd");
    }
    rc = ZSTD_CCtx_setParameter(p->z, ZSTD_c_compressionLevel, (int)bytes_level(s));
    if (!ZSTD_isError(rc)) rc = ZSTD_CCtx_setParameter(p->z, ZSTD_c_dictIDFlag, 0);
    if (!ZSTD_isError(rc) && d) rc = ZSTD_CCtx_refCDict(p->z, d->pack);
    *out = p;
    if (!ZSTD_isError(rc)) return EVDB_OK;
    packer_free(s, p);
    return failed(s, rc, err);
}

/* Bytes of the header of a frame that was made here: RFC 8878, 3.1.1.1. */
static size_t header_bytes(const uint8_t *frame)
{
    static const uint8_t content_size[] = { 0, 2, 4, 8 }, dict_id[] = { 0, 1, 2, 4 };
    uint8_t descriptor = frame[MAGIC_BYTES], size = content_size[descriptor >> 6], single = descriptor >> 5 & 1;
    return MAGIC_BYTES + 1 + !single + dict_id[descriptor & 3] + (single && !size ? 1u : size);
}

static evdb_status pack(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t most, size_t *written,
                        evdb_error *err)
{
    packer *p = context;
    size_t whole = ZSTD_compress2(p->z, p->frame, p->room, in, size);
    if (ZSTD_isError(whole)) return failed(s, whole, err);
    size_t header = header_bytes(p->frame);
    if (whole - header > most) return EVDB_OK;
    *written = whole - header;
    memcpy(out, p->frame + header, *written);
    return EVDB_OK;
}

/* ---- unpacking ---- */

typedef struct unpacker {
    ZSTD_DCtx *z;
    size_t header;
    uint8_t frame[];
} unpacker;

static size_t header_write(uint8_t *out, size_t content)
{
    enum { SINGLE_SEGMENT = 1 << 5 };
    static const uint8_t magic[MAGIC_BYTES] = { 0x28, 0xb5, 0x2f, 0xfd };
    unsigned shift = content < 256 ? 0 : content < 65536 + 256 ? 1 : 2, bytes = 1u << shift;
    size_t value = shift == 1 ? content - 256 : content;
    memcpy(out, magic, MAGIC_BYTES);
    out[MAGIC_BYTES] = (uint8_t)(shift << 6 | SINGLE_SEGMENT);
    for (unsigned i = 0; i < bytes; i++) out[MAGIC_BYTES + 1 + i] = (uint8_t)(value >> (8 * i));
    return MAGIC_BYTES + 1 + bytes;
}

static void unpacker_free(const codec_stage *s, unpacker *u)
{
    ZSTD_freeDCtx(u->z);
    mem_free(s->mem, u);
}

static evdb_status unpacker_make(const codec_stage *s, void **out, evdb_error *err)
{
    const dictionaries *d = bytes_own(s);
    size_t bytes = sizeof(unpacker) + HEADER_MAX + s->code_bytes, rc = 0;
    unpacker *u = mem_alloc(s->mem, bytes);
    if (!u) return error_no_memory(err, bytes, "zstd");
    u->header = header_write(u->frame, s->code_bytes);
    if (!(u->z = ZSTD_createDCtx())) {
        mem_free(s->mem, u);
        return error_no_memory(err, bytes, "zstd");
    }
    if (d) rc = ZSTD_DCtx_refDDict(u->z, d->unpack);
    *out = u;
    if (!ZSTD_isError(rc)) return EVDB_OK;
    unpacker_free(s, u);
    return failed(s, rc, err);
}

/* libzstd would take several frames, one after the other, for one. */
static evdb_status unpack(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t wanted, evdb_error *err)
{
    unpacker *u = context;
    size_t whole = u->header + size;
    memcpy(u->frame + u->header, in, size);
    if (ZSTD_findFrameCompressedSize(u->frame, whole) != whole) return bytes_corrupt(s, err);
    size_t got = ZSTD_decompressDCtx(u->z, out, wanted, u->frame, whole);
    if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) return failed(s, got, err);
    return got == wanted ? EVDB_OK : bytes_corrupt(s, err);
}

/* ---- the stage ---- */

static evdb_status open_context(const codec_stage *s, bytes_way way, void **context, evdb_error *err)
{
    return (way == BYTES_PACK ? packer_make : unpacker_make)(s, context, err);
}

static void close_context(const codec_stage *s, bytes_way way, void *context)
{
    if (way == BYTES_PACK) packer_free(s, context);
    else unpacker_free(s, context);
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    static const bytes_coder coder = { open_context, close_context, pack, unpack };
    dictionaries *d;
    evdb_status rc = dictionaries_make(s, &d, err);
    if (rc == EVDB_OK && (rc = bytes_ready(s, &coder, d, err)) != EVDB_OK) dictionaries_free(s, d);
    return rc;
}

static void dispose(codec_stage *s)
{
    dictionaries *d = bytes_own(s);
    bytes_dispose(s);
    dictionaries_free(s, d);
}

const codec_kind stage_zstd = {
    .of = { "zstd", "lz4_compression", "LEVEL,dict,plain",
            "Zstandard, levels 1 to 22 (1); dict trains a dictionary, which short codes gain by; elements of several bytes are shuffled, "
            "unless plain is asked for", EVDB_STAGE_BYTES, EVDB_CODEC_LOSSLESS },
    .configure = configure, .train = train, .ready = ready, .dispose = dispose, .pack = bytes_pack, .unpack = bytes_unpack,
};
