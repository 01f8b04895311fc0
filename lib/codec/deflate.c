/* deflate.c - the byte codec zlib: DEFLATE (RFC 1951) without header and checksum, which nobody asks for here. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/bytes.h"
#include <zlib.h>

enum { USUAL = 6, WINDOW_LEAST = 9, MEMORY_LEAST = 1, LOOKAHEAD = 262 };

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    return bytes_configure(s, parameters, Z_BEST_COMPRESSION, USUAL, false, err);
}

static void *allocate(void *mem, unsigned count, unsigned size) { return mem_zero(mem, (size_t)count * size); }
static void release(void *mem, void *block) { mem_free(mem, block); }

/* A context costs time to make and to clear in proportion to its tables, so they are no larger than one code needs. */
static evdb_status open_context(const codec_stage *s, bytes_way way, void **context, evdb_error *err)
{
    int window = WINDOW_LEAST, memory = MEMORY_LEAST;
    while (window < MAX_WBITS && (size_t)1 << window < s->code_bytes + LOOKAHEAD) window++;
    while (memory < MAX_MEM_LEVEL && (size_t)1 << (memory + 6) <= s->code_bytes) memory++;
    z_stream *z = mem_zero(s->mem, sizeof(*z));
    if (!z) return error_no_memory(err, sizeof(*z), "zlib");
    *z = (z_stream){ .zalloc = allocate, .zfree = release, .opaque = (void *)(uintptr_t)s->mem };
    int rc = way == BYTES_PACK ? deflateInit2(z, (int)bytes_level(s), Z_DEFLATED, -window, memory, Z_DEFAULT_STRATEGY)
                               : inflateInit2(z, -MAX_WBITS);
    *context = z;
    if (rc == Z_OK) return EVDB_OK;
    mem_free(s->mem, z);
    return rc == Z_MEM_ERROR ? error_no_memory(err, (size_t)1 << window, "zlib") : error_set(err, EVDB_INTERNAL, "zlib answers %d", rc);
}

static void close_context(const codec_stage *s, bytes_way way, void *context)
{
    if (way == BYTES_PACK) deflateEnd(context);
    else inflateEnd(context);
    mem_free(s->mem, context);
}

static void feed(z_stream *z, const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    z->next_in = (Bytef *)(uintptr_t)in;
    z->avail_in = (uInt)size;
    z->next_out = out;
    z->avail_out = (uInt)room;
}

static evdb_status pack(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t most, size_t *written,
                        evdb_error *err)
{
    z_stream *z = context;
    (void)s, (void)err;
    deflateReset(z);
    feed(z, in, size, out, most);
    *written = most && deflate(z, Z_FINISH) == Z_STREAM_END ? most - z->avail_out : 0;
    return EVDB_OK;
}

static evdb_status unpack(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t wanted, evdb_error *err)
{
    z_stream *z = context;
    inflateReset(z);
    feed(z, in, size, out, wanted);
    int rc = inflate(z, Z_FINISH);
    if (rc == Z_MEM_ERROR) return error_no_memory(err, wanted, "zlib");
    return rc == Z_STREAM_END && !z->avail_in && !z->avail_out ? EVDB_OK : bytes_corrupt(s, err);
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    static const bytes_coder coder = { open_context, close_context, pack, unpack };
    return bytes_ready(s, &coder, NULL, err);
}

const codec_kind stage_zlib = {
    .of = { "zlib", "zlib_compression", "LEVEL,plain",
            "DEFLATE, levels 1 to 9 (6); elements of several bytes are shuffled, unless plain is asked for", EVDB_STAGE_BYTES,
            EVDB_CODEC_LOSSLESS },
    .configure = configure, .ready = ready, .dispose = bytes_dispose, .pack = bytes_pack, .unpack = bytes_unpack,
};
