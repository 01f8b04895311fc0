/* bytes.c - implements bytes.h. */
#include "codec/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

/* Contexts that wait for the next thread, of each way. More are made when all are in use, and ended where these places are taken. */
enum { WAITING_MAX = 8 };

enum { LEVEL, DICT, PLAIN };

typedef struct workspace {
    void *context;
    uint8_t scratch[]; /* code_bytes of a shuffled code; none where codes are not shuffled */
} workspace;

typedef struct bytes_stage {
    const bytes_coder *coder;
    void *own;
    _Atomic(workspace *) waiting[BYTES_WAYS][WAITING_MAX];
} bytes_stage;

/* ---- parameters ---- */

evdb_status bytes_configure(codec_stage *s, const char *parameters, uint32_t most, uint32_t usual, bool takes_dict, evdb_error *err)
{
    const char *at = parameters;
    evdb_status rc = EVDB_OK;
    s->numbers[LEVEL] = usual;
    s->bound = s->code_bytes;
    if (*at >= '0' && *at <= '9') rc = stage_number(s, &at, "the level", 1, most, &s->numbers[LEVEL], err);
    while (rc == EVDB_OK && *at) {
        if (takes_dict && stage_word(&at, "dict")) s->numbers[DICT] = 1;
        else if (stage_word(&at, "plain")) s->numbers[PLAIN] = 1;
        else rc = stage_end(s, at, err);
    }
    if (rc == EVDB_OK && (s->numbers[LEVEL] != usual || s->numbers[DICT] || s->numbers[PLAIN]))
        snprintf(s->text, sizeof(s->text), "%u%s%s", s->numbers[LEVEL], s->numbers[DICT] ? ",dict" : "", s->numbers[PLAIN] ? ",plain" : "");
    return rc;
}

uint32_t bytes_level(const codec_stage *s) { return s->numbers[LEVEL]; }
bool bytes_dict(const codec_stage *s) { return s->numbers[DICT]; }

/* ---- shuffling ---- */

static bool shuffles(const codec_stage *s) { return s->element_bytes > 1 && !s->numbers[PLAIN]; }

const uint8_t *bytes_shuffle(const codec_stage *s, const uint8_t *in, uint8_t *out)
{
    size_t width = s->element_bytes, count = s->code_bytes / width;
    if (!shuffles(s)) return in;
    for (size_t b = 0; b < width; b++)
        for (size_t i = 0; i < count; i++) out[b * count + i] = in[i * width + b];
    return out;
}

static void unshuffle(const codec_stage *s, const uint8_t *in, uint8_t *out)
{
    size_t width = s->element_bytes, count = s->code_bytes / width;
    for (size_t b = 0; b < width; b++)
        for (size_t i = 0; i < count; i++) out[i * width + b] = in[b * count + i];
}

/* ---- contexts ---- */

static void workspace_free(const codec_stage *s, bytes_way way, workspace *w)
{
    const bytes_stage *b = s->derived;
    if (!w) return;
    b->coder->close(s, way, w->context);
    mem_free(s->mem, w);
}

static evdb_status take(const codec_stage *s, bytes_way way, workspace **out, evdb_error *err)
{
    bytes_stage *b = s->derived;
    for (size_t i = 0; i < WAITING_MAX; i++)
        if (atomic_load_explicit(&b->waiting[way][i], memory_order_relaxed) && (*out = atomic_exchange(&b->waiting[way][i], NULL)))
            return EVDB_OK;
    size_t bytes = sizeof(workspace) + (shuffles(s) ? s->code_bytes : 0);
    workspace *w = mem_alloc(s->mem, bytes);
    if (!w) return error_no_memory(err, bytes, "a byte codec at work");
    evdb_status rc = b->coder->open(s, way, &w->context, err);
    if (rc == EVDB_OK) *out = w;
    else mem_free(s->mem, w);
    return rc;
}

static void give_back(const codec_stage *s, bytes_way way, workspace *w)
{
    bytes_stage *b = s->derived;
    for (size_t i = 0; i < WAITING_MAX; i++) {
        workspace *none = NULL;
        if (atomic_compare_exchange_strong(&b->waiting[way][i], &none, w)) return;
    }
    workspace_free(s, way, w);
}

evdb_status bytes_ready(codec_stage *s, const bytes_coder *coder, void *own, evdb_error *err)
{
    bytes_stage *b = mem_zero(s->mem, sizeof(*b));
    if (!b) return error_no_memory(err, sizeof(*b), "a byte codec");
    b->coder = coder;
    b->own = own;
    for (size_t i = 0; i < BYTES_WAYS * WAITING_MAX; i++) atomic_init(&b->waiting[i / WAITING_MAX][i % WAITING_MAX], NULL);
    s->derived = b;
    return EVDB_OK;
}

void *bytes_own(const codec_stage *s)
{
    const bytes_stage *b = s->derived;
    return b ? b->own : NULL;
}

void bytes_dispose(codec_stage *s)
{
    bytes_stage *b = s->derived;
    if (!b) return;
    for (bytes_way way = BYTES_PACK; way < BYTES_WAYS; way++)
        for (size_t i = 0; i < WAITING_MAX; i++) workspace_free(s, way, atomic_load(&b->waiting[way][i]));
    mem_free(s->mem, b);
    s->derived = NULL;
}

/* ---- at work ---- */

evdb_status bytes_corrupt(const codec_stage *s, evdb_error *err)
{
    return error_set(err, EVDB_CORRUPT, "codec %s: the bytes are none of its", s->kind->of.name);
}

evdb_status bytes_pack(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t *written, evdb_error *err)
{
    const bytes_stage *b = s->derived;
    workspace *w = NULL;
    evdb_status rc = take(s, BYTES_PACK, &w, err);
    if (rc != EVDB_OK) return rc;
    *written = 0;
    rc = b->coder->pack(s, w->context, bytes_shuffle(s, in, w->scratch), size, out, size - 1, written, err);
    give_back(s, BYTES_PACK, w);
    if (rc == EVDB_OK && !*written) memcpy(out, in, *written = size);
    return rc;
}

evdb_status bytes_unpack(const codec_stage *s, const uint8_t *in, size_t size, uint8_t *out, size_t wanted, evdb_error *err)
{
    const bytes_stage *b = s->derived;
    workspace *w = NULL;
    if (size == 0 || size > wanted) return bytes_corrupt(s, err);
    if (size == wanted) {
        memcpy(out, in, size);
        return EVDB_OK;
    }
    evdb_status rc = take(s, BYTES_UNPACK, &w, err);
    if (rc != EVDB_OK) return rc;
    rc = b->coder->unpack(s, w->context, in, size, shuffles(s) ? w->scratch : out, wanted, err);
    if (rc == EVDB_OK && shuffles(s)) unshuffle(s, w->scratch, out);
    give_back(s, BYTES_UNPACK, w);
    return rc;
}
