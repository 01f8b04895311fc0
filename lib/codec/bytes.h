/* bytes.h - what byte codecs share. One of them is a coder: how one buffer is made smaller, and back. Around it are
 *   shuffling   of elements of several bytes, those of equal significance come together (as Blosc does): exponents resemble each
 *               other, and the lowest bytes, which resemble nothing, stay out of their way
 *   keeping     what does not get smaller as it is: its length tells, so no vector takes more than its code
 *   contexts    that are dear to make and are used again by the threads that come. */
#ifndef EVDB_CODEC_BYTES_H
#define EVDB_CODEC_BYTES_H
#include "codec/stage.h"

typedef enum bytes_way { BYTES_PACK, BYTES_UNPACK, BYTES_WAYS } bytes_way;

typedef struct bytes_coder {
    /* A context for one buffer of at most s->code_bytes after the other, whatever became of those before. */
    evdb_status (*open)(const codec_stage *s, bytes_way way, void **context, evdb_error *err);
    void (*close)(const codec_stage *s, bytes_way way, void *context);
    /* *written 0: it takes more than `most` bytes. */
    evdb_status (*pack)(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t most, size_t *written,
                        evdb_error *err);
    /* EVDB_CORRUPT unless all of `in` makes exactly `wanted` bytes; otherwise EVDB_NO_MEMORY or well. */
    evdb_status (*unpack)(const codec_stage *s, void *context, const uint8_t *in, size_t size, uint8_t *out, size_t wanted,
                          evdb_error *err);
} bytes_coder;

/* Reads "LEVEL,dict,plain", each of which may be missing; `dict` only where it is taken. */
evdb_status bytes_configure(codec_stage *s, const char *parameters, uint32_t most, uint32_t usual, bool takes_dict, evdb_error *err);
uint32_t bytes_level(const codec_stage *s);
bool bytes_dict(const codec_stage *s);

/* What a coder sees of code_bytes bytes: out, or `in` where nothing is shuffled. */
const uint8_t *bytes_shuffle(const codec_stage *s, const uint8_t *in, uint8_t *out);

/* Makes s->derived. own: what the coder derived itself; it disposes of it. */
evdb_status bytes_ready(codec_stage *s, const bytes_coder *coder, void *own, evdb_error *err);
void *bytes_own(const codec_stage *s); /* NULL before bytes_ready() */
void bytes_dispose(codec_stage *s);

evdb_status bytes_pack(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t *written, evdb_error *err);
evdb_status bytes_unpack(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t wanted, evdb_error *err);
evdb_status bytes_corrupt(const codec_stage *s, evdb_error *err);

#endif
