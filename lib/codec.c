/* codec.c - implements evdb/codec.h. */
#include <evdb/codec.h>
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "codec/codec_private.h"
#include "kernel/past_caches.h"
#include "platform/platform.h"
#include <string.h>

const evdb_codec_kind *evdb_codec_kind_at(uint32_t i)
{
    for (const codec_kind *const *k = codec_kinds; *k; k++)
        if (!i--) return &(*k)->of;
    return NULL;
}

evdb_status evdb_codec_check(const char *spec, uint32_t dim, char *canonical, size_t *sample, evdb_error *err)
{
    return codec_check(spec, dim, canonical, sample, err);
}

static const evdb_allocator *mem_of(const evdb_allocator *given) { return given ? given : &platform_real.mem; }

evdb_status evdb_codec_create(const evdb_codec_options *options, evdb_codec **out, evdb_error *err)
{
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    evdb_status rc = options_import(&o, sizeof(o), options, "evdb_codec_options", err);
    if (rc != EVDB_OK) return rc;
    if (o.count && !o.sample) return error_set(err, EVDB_INVALID, "the sample is missing");
    codec_training t = { .sample = o.sample, .count = o.count, .threads = o.threads ? o.threads : 1, .seed = o.seed };
    return codec_create(mem_of(o.allocator), kernel_best(), o.spec, o.dim, &t, out, err);
}

void evdb_codec_free(evdb_codec *c) { codec_free(c); }
const char *evdb_codec_spec(const evdb_codec *c) { return codec_spec(c); }
uint32_t evdb_codec_dim(const evdb_codec *c) { return codec_dim(c); }
size_t evdb_codec_bound(const evdb_codec *c) { return codec_bound(c); }
size_t evdb_codec_trained_bytes(const evdb_codec *c) { return codec_trained_bytes(c); }

/* Scratch of one call, as far as it needs some: what the stages need, and for a block of vectors codes, inverse norms and floats on
 * their way past the caches, which begin with a line. */
typedef enum room_use { TO_ENCODE, TO_DECODE, TO_COMPARE } room_use;

typedef struct room {
    const codec *of;
    void *stages, *past;
    uint8_t *codes;
    float *inverses, *floats;
    size_t block;
} room;

static void room_free(room *r)
{
    mem_free(&r->of->mem, r->stages);
    mem_free(&r->of->mem, r->codes);
    mem_free(&r->of->mem, r->inverses);
    mem_free(&r->of->mem, r->past);
}

static evdb_status room_make(const codec *c, size_t count, room_use use, room *out, evdb_error *err)
{
    size_t most = use == TO_COMPARE ? codec_block(c) : codec_near(c), block = count < most ? count : most;
    bool stages = use == TO_COMPARE || c->transforms, past = use == TO_DECODE && codec_past_caches(c, count);
    size_t sizes[] = { stages ? codec_room(c) : 0, codec_packs(c) ? block * c->code_bytes : 0,
                       use == TO_COMPARE ? block * sizeof(float) : 0, past ? block * c->dim * sizeof(float) + PAST_LINE : 0 };
    void *made[sizeof(sizes) / sizeof(*sizes)] = { NULL };
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes) && rc == EVDB_OK; i++)
        if (sizes[i] && !(made[i] = mem_alloc(&c->mem, sizes[i]))) rc = error_no_memory(err, sizes[i], "a codec at work");
    *out = (room){ .of = c, .stages = made[0], .codes = made[1], .inverses = made[2], .past = made[3], .block = block };
    if (rc != EVDB_OK) room_free(out);
    else if (past) out->floats = (float *)(void *)((char *)out->past + (PAST_LINE - (uintptr_t)out->past % PAST_LINE) % PAST_LINE);
    return rc;
}

/* Vectors from number `i` on. */
static evdb_status check_vectors(const codec *c, const float *vectors, size_t i, size_t count, evdb_error *err)
{
    for (size_t end = i + count; i < end; i++)
        if (!c->kernel->finite_f32(vectors + i * c->dim, c->dim))
            return error_item(err, i, EVDB_INVALID, "vector %zu has an element that is not finite", i);
    return EVDB_OK;
}

static evdb_status pack_block(const codec *c, const uint8_t *codes, size_t count, char *out, size_t *sizes, evdb_error *err)
{
    size_t size;
    for (size_t i = 0; i < count; i++) {
        evdb_status rc = codec_pack(c, codes + i * c->code_bytes, out + i * c->bound, &size, err);
        if (rc != EVDB_OK) return rc;
        if (sizes) sizes[i] = size;
    }
    return EVDB_OK;
}

evdb_status evdb_codec_encode(const evdb_codec *c, const float *vectors, size_t count, void *out, size_t *sizes, evdb_error *err)
{
    room r;
    evdb_status rc = room_make(c, count, TO_ENCODE, &r, err);
    if (rc != EVDB_OK) return rc;
    for (size_t i = 0; i < count; i += r.block) {
        size_t some = count - i < r.block ? count - i : r.block;
        bool packs = codec_packs(c);
        uint8_t *codes = packs ? r.codes : (uint8_t *)out + i * c->bound;
        TRY(check_vectors(c, vectors, i, some, err)); /* just before they are used: they come from memory once */
        codec_encode(c, vectors + i * c->dim, some, codes, c->code_bytes, r.stages);
        if (packs) TRY(pack_block(c, codes, some, (char *)out + i * c->bound, sizes ? sizes + i : NULL, err));
        for (size_t j = 0; !packs && sizes && j < some; j++) sizes[i + j] = c->bound;
    }
out:
    room_free(&r);
    return rc;
}

/* Codes first, first + 1, ... of the bytes of a call: where they lie, or unpacked. */
static evdb_status codes_of(const room *r, const void *bytes, const size_t *sizes, size_t first, size_t count, const uint8_t **out,
                            evdb_error *err)
{
    const codec *c = r->of;
    bool packs = codec_packs(c);
    evdb_status rc = EVDB_OK;
    *out = packs ? r->codes : (const uint8_t *)bytes + first * c->bound;
    for (size_t i = 0; i < count && rc == EVDB_OK; i++) {
        const uint8_t *at = (const uint8_t *)bytes + (first + i) * c->bound;
        size_t size = sizes ? sizes[first + i] : c->bound;
        rc = packs ? codec_unpack(c, at, size, r->codes + i * c->code_bytes, err) : codec_check_code(c, at, size, err);
        if (rc == EVDB_CORRUPT && err) err->item = first + i;
    }
    return rc;
}

evdb_status evdb_codec_decode(const evdb_codec *c, const void *bytes, const size_t *sizes, size_t count, float *out, evdb_error *err)
{
    room r;
    const uint8_t *codes;
    evdb_status rc = room_make(c, count, TO_DECODE, &r, err);
    if (rc != EVDB_OK) return rc;
    for (size_t i = 0; i < count; i += r.block) {
        size_t some = count - i < r.block ? count - i : r.block;
        TRY(codes_of(&r, bytes, sizes, i, some, &codes, err));
        codec_decode(c, codes, c->code_bytes, some, r.floats ? r.floats : out + i * c->dim, r.stages);
        if (r.floats) c->kernel->copy_past_caches(r.floats, some * c->dim, out + i * c->dim);
    }
out:
    if (r.floats) c->kernel->end_past_caches();
    room_free(&r);
    return rc;
}

evdb_status evdb_codec_distances(const evdb_codec *c, evdb_metric metric, const float *query, const void *bytes, const size_t *sizes,
                                 size_t count, float *out, evdb_error *err)
{
    codec_query *q = NULL;
    room r;
    const uint8_t *codes;
    evdb_status rc = check_vectors(c, query, 0, 1, err);
    if (rc == EVDB_OK && (!evdb_metric_name(metric) || metric == EVDB_CUSTOM))
        rc = error_set(err, EVDB_INVALID, "there is no metric %d for codes", (int)metric);
    if (rc == EVDB_OK) rc = room_make(c, count, TO_COMPARE, &r, err);
    if (rc != EVDB_OK) return rc;
    TRY(codec_query_create(c, metric, query, &q, err));
    for (size_t i = 0; i < count; i += r.block) {
        size_t some = count - i < r.block ? count - i : r.block;
        TRY(codes_of(&r, bytes, sizes, i, some, &codes, err));
        for (size_t j = 0; metric == EVDB_COSINE && j < some; j++)
            r.inverses[j] = codec_inverse_norm(c, codes + j * c->code_bytes, r.stages);
        codec_distances(q, codes, c->code_bytes, some, r.inverses, out + i);
    }
out:
    codec_query_free(q);
    room_free(&r);
    return rc;
}

/* ---- bytes that say what they are ---- */

static const char SEAL[4] = { 'E', 'V', 'V', '1' };

typedef struct sealed {
    char magic[4];
    uint32_t dim;
    uint64_t fingerprint;
    uint8_t spec_bytes; /* behind it the spec, the vector's bytes, a checksum of all before it */
} sealed;

enum { SEALED_HEAD = 4 + 4 + 8 + 1 };

static void *bytes_owned(const evdb_allocator *mem, size_t size) { return mem_owned(mem, size ? size : 1); }
void evdb_bytes_free(void *bytes) { mem_owned_free(bytes); }

evdb_status evdb_codec_seal(const evdb_codec *c, const float *vector, void **out, size_t *size, evdb_error *err)
{
    size_t spec = strlen(c->spec), used = 0, most = SEALED_HEAD + spec + c->bound + sizeof(uint64_t);
    uint8_t spec_bytes = (uint8_t)spec;
    char *at = bytes_owned(&c->mem, most);
    if (!at) return error_no_memory(err, most, "a compressed vector");
    memcpy(at, SEAL, sizeof(SEAL));
    memcpy(at + 4, &c->dim, sizeof(c->dim));
    memcpy(at + 8, &c->fingerprint, sizeof(c->fingerprint));
    memcpy(at + 16, &spec_bytes, 1);
    memcpy(at + SEALED_HEAD, c->spec, spec);
    evdb_status rc = evdb_codec_encode(c, vector, 1, at + SEALED_HEAD + spec, &used, err);
    if (rc != EVDB_OK) {
        mem_owned_free(at);
        return rc;
    }
    used += SEALED_HEAD + spec;
    uint64_t sum = checksum(at, used, 0);
    memcpy(at + used, &sum, sizeof(sum));
    *out = at;
    *size = used + sizeof(sum);
    return EVDB_OK;
}

static evdb_status open_seal(const char *bytes, size_t size, sealed *head, char *spec, evdb_error *err)
{
    uint64_t sum;
    if (size < SEALED_HEAD + sizeof(sum)) return error_set(err, EVDB_CORRUPT, "a compressed vector is cut short");
    memcpy(head->magic, bytes, sizeof(head->magic));
    memcpy(&head->dim, bytes + 4, sizeof(head->dim));
    memcpy(&head->fingerprint, bytes + 8, sizeof(head->fingerprint));
    memcpy(&head->spec_bytes, bytes + 16, 1);
    memcpy(&sum, bytes + size - sizeof(sum), sizeof(sum));
    if (memcmp(head->magic, SEAL, sizeof(SEAL)) != 0) return error_set(err, EVDB_CORRUPT, "these bytes are no compressed vector");
    if (sum != checksum(bytes, size - sizeof(sum), 0))
        return error_set(err, EVDB_CORRUPT, "a compressed vector is damaged: its checksum does not match");
    if (head->spec_bytes > EVDB_CODEC_SPEC_MAX || SEALED_HEAD + head->spec_bytes + sizeof(sum) > size || !head->dim || head->dim > EVDB_DIM_MAX)
        return error_set(err, EVDB_CORRUPT, "a compressed vector makes no sense");
    memcpy(spec, bytes + SEALED_HEAD, head->spec_bytes);
    spec[head->spec_bytes] = 0;
    return EVDB_OK;
}

evdb_status evdb_codec_sealed(const void *bytes, size_t size, char *spec, uint32_t *dim, evdb_error *err)
{
    sealed head;
    char found[EVDB_CODEC_SPEC_MAX + 1];
    evdb_status rc = open_seal(bytes, size, &head, found, err);
    if (rc != EVDB_OK) return rc;
    memcpy(spec, found, head.spec_bytes + 1u);
    *dim = head.dim;
    return EVDB_OK;
}

evdb_status evdb_codec_unseal(const evdb_codec *given, const void *bytes, size_t size, float *out, evdb_error *err)
{
    sealed head;
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    codec *own = NULL;
    evdb_status rc = open_seal(bytes, size, &head, spec, err);
    if (rc != EVDB_OK) return rc;
    if (!given) TRY(codec_create(&platform_real.mem, kernel_best(), spec, head.dim, NULL, &own, err));
    const codec *c = given ? given : own;
    if (c->dim != head.dim || c->fingerprint != head.fingerprint)
        TRY(error_set(err, EVDB_INVALID, "the vector was compressed with codec %s of %u elements%s, not with this one", spec, head.dim,
                      strcmp(spec, c->spec) == 0 && c->dim == head.dim ? ", trained on other vectors" : ""));
    size_t packed = size - SEALED_HEAD - head.spec_bytes - sizeof(uint64_t);
    rc = evdb_codec_decode(c, (const char *)bytes + SEALED_HEAD + head.spec_bytes, &packed, 1, out, err);
out:
    codec_free(own);
    return rc;
}

evdb_status evdb_codec_save(const evdb_codec *c, void **out, size_t *size, evdb_error *err)
{
    buf saved;
    buf_init(&saved, &c->mem);
    evdb_status rc = codec_save(c, &saved, err);
    char *bytes = rc == EVDB_OK ? bytes_owned(&c->mem, saved.size) : NULL;
    if (rc == EVDB_OK && !bytes) rc = error_no_memory(err, saved.size, "a saved codec");
    if (rc == EVDB_OK) {
        memcpy(bytes, saved.at, saved.size);
        *out = bytes;
        *size = saved.size;
    }
    buf_free(&saved);
    return rc;
}

evdb_status evdb_codec_load(const void *bytes, size_t size, const evdb_allocator *allocator, evdb_codec **out, evdb_error *err)
{
    return codec_load(mem_of(allocator), kernel_best(), bytes, size, out, err);
}
