/* codec_saved.c - a codec as bytes: what it is, the trained block of each stage, a checksum. */
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/codec_private.h"
#include <string.h>

static const char MAGIC[4] = { 'E', 'V', 'C', '1' };

typedef struct saved_codec {
    char magic[4];
    uint32_t dim, stages;
    char spec[EVDB_CODEC_SPEC_MAX + 1];
} saved_codec;

evdb_status codec_save(const codec *c, buf *out, evdb_error *err)
{
    saved_codec head = { .dim = c->dim, .stages = c->count };
    size_t begin = out->size, bytes = sizeof(head) + codec_trained_bytes(c) + (c->count + 1) * sizeof(uint64_t);
    if (!buf_reserve(out, bytes)) return error_no_memory(err, bytes, "a codec");
    memcpy(head.magic, MAGIC, sizeof(MAGIC));
    memcpy(head.spec, c->spec, sizeof(head.spec));
    bool good = buf_add(out, &head, sizeof(head));
    for (uint32_t i = 0; i < c->count; i++) {
        uint64_t size = c->stages[i].trained_bytes;
        good &= buf_add(out, &size, sizeof(size)) && (!size || buf_add(out, c->stages[i].trained, size));
    }
    uint64_t sum = checksum(out->at + begin, out->size - begin, 0);
    good &= buf_add(out, &sum, sizeof(sum));
    return good ? EVDB_OK : error_no_memory(err, bytes, "a codec");
}

static evdb_status check_bytes(const char *bytes, size_t size, saved_codec *head, evdb_error *err)
{
    uint64_t sum;
    if (size < sizeof(*head) + sizeof(sum)) return error_set(err, EVDB_CORRUPT, "a saved codec is cut short");
    memcpy(head, bytes, sizeof(*head));
    memcpy(&sum, bytes + size - sizeof(sum), sizeof(sum));
    if (memcmp(head->magic, MAGIC, sizeof(MAGIC) - 1) != 0 || head->magic[3] < MAGIC[3])
        return error_set(err, EVDB_CORRUPT, "these bytes are no saved codec");
    if (head->magic[3] > MAGIC[3]) return error_set(err, EVDB_NEWER, "the codec was saved by a newer evdb");
    if (sum != checksum(bytes, size - sizeof(sum), 0)) return error_set(err, EVDB_CORRUPT, "a saved codec is damaged: its checksum does not match");
    if (!memchr(head->spec, 0, sizeof(head->spec)) || head->dim == 0 || head->dim > EVDB_DIM_MAX)
        return error_set(err, EVDB_CORRUPT, "a saved codec makes no sense");
    return EVDB_OK;
}

static evdb_status load_stages(codec *c, const char *at, const char *end, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (uint32_t i = 0; i < c->count; i++) {
        codec_stage *s = &c->stages[i];
        uint64_t size;
        if ((size_t)(end - at) < sizeof(size)) return error_set(err, EVDB_CORRUPT, "a saved codec is cut short");
        memcpy(&size, at, sizeof(size));
        at += sizeof(size);
        if (size > (size_t)(end - at)) return error_set(err, EVDB_CORRUPT, "a saved codec is cut short");
        if (size && !s->kind->train) return error_set(err, EVDB_CORRUPT, "a saved codec has parameters where none belong");
        if (size) TRY(stage_trained(s, size, err));
        if (size) memcpy(s->trained, at, size);
        at += size;
        TRY(codec_ready(c, i, err));
    }
    if (at != end) rc = error_set(err, EVDB_CORRUPT, "a saved codec has more bytes than belong to it");
out:
    return rc;
}

evdb_status codec_load(const evdb_allocator *mem, const kernel *k, const void *bytes, size_t size, codec **out, evdb_error *err)
{
    saved_codec head;
    evdb_status rc = check_bytes(bytes, size, &head, err);
    if (rc != EVDB_OK) return rc;
    codec *c = mem_zero(mem, sizeof(*c));
    if (!c) return error_no_memory(err, sizeof(*c), "a codec");
    c->mem = *mem;
    c->kernel = k;
    c->dim = head.dim;
    rc = codec_parse(c, head.spec, err);
    if (rc == EVDB_INVALID || (rc == EVDB_OK && (c->count != head.stages || memcmp(c->spec, head.spec, sizeof(head.spec)) != 0)))
        TRY(error_set(err, EVDB_CORRUPT, "a saved codec is none that this evdb knows: '%s'", head.spec));
    TRY(rc);
    TRY(load_stages(c, (const char *)bytes + sizeof(head), (const char *)bytes + size - sizeof(uint64_t), err));
    TRY(codec_settle(c, err));
    *out = c;
    c = NULL;
out:
    codec_free(c);
    return rc;
}
