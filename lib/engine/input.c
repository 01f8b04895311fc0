/* input.c - implements engine/input.h. */
#include "engine/input.h"
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/try.h"
#include "base/utf8.h"
#include "engine/engine.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* As it will be stored. */
static bool all_zero(evdb_dtype dtype, const float *v, uint32_t dim)
{
    float zero = dtype == EVDB_F16 ? ELEMENT_F16_ZERO : 0;
    uint32_t i = 0;
    while (i < dim && fabsf(v[i]) <= zero) i++;
    return i == dim;
}

evdb_status input_vector(engine *e, const float *vector, uint32_t dim, evdb_error *err)
{
    uint32_t known = atomic_load(&e->dim);
    if (dim == 0 || dim > EVDB_DIM_MAX)
        return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, dim);
    if (known && known != dim)
        return error_set(err, EVDB_INVALID, "the vector has %u elements, this store's have %u", dim, known);
    if (!e->db->kernel->finite_f32(vector, dim)) {
        uint32_t at = 0;
        while (isfinite(vector[at])) at++;
        return error_set(err, EVDB_INVALID, "element %u of the vector is %s", at,
                         isnan(vector[at]) ? "not a number" : "infinite");
    }
    uint32_t unfit = element_unfit(e->dtype, vector, dim);
    if (unfit < dim)
        return error_set(err, EVDB_INVALID, "element %u of the vector is %.9g, but %s", unfit, (double)vector[unfit],
                         element_holds(e->dtype));
    if (e->metric == EVDB_COSINE && all_zero(e->dtype, vector, dim))
        return error_set(err, EVDB_INVALID, "the vector is all zeros%s: it has no direction, which the cosine metric needs",
                         e->dtype == EVDB_F16 ? " in f16" : "");
    return EVDB_OK;
}

static evdb_status check_batch(const evdb_batch *b, evdb_error *err)
{
    bool puts = b->kind == EVDB_INSERT || b->kind == EVDB_UPSERT;
    if (b->kind < EVDB_INSERT || b->kind > EVDB_DELETE)
        return error_set(err, EVDB_INVALID, "there is no kind of write %d", (int)b->kind);
    if (b->count > EVDB_BATCH_MAX)
        return error_set(err, EVDB_LIMIT, "the batch has %zu records, more than %u", b->count, EVDB_BATCH_MAX);
    if (b->count && !b->numbers && !b->ids) return error_set(err, EVDB_INVALID, "the batch has no ids");
    if (b->numbers && b->ids) return error_set(err, EVDB_INVALID, "the batch has ids and numbers: give one");
    if (puts && b->count && !b->vectors) return error_set(err, EVDB_INVALID, "the batch has no vectors");
    if (b->kind == EVDB_UPDATE && !b->vectors && !b->metadata && !b->expires)
        return error_set(err, EVDB_INVALID, "the update changes neither vector nor metadata nor expiry");
    if (b->dtype && b->dtype != EVDB_F32)
        return error_set(err, EVDB_UNSUPPORTED, "vectors are handed in as f32, not %s", evdb_dtype_name(b->dtype));
    if (b->vectors && (b->dim == 0 || b->dim > EVDB_DIM_MAX))
        return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, b->dim);
    if (b->vectors && (uint64_t)b->dim * sizeof(float) * b->count > EVDB_BATCH_BYTES_MAX)
        return error_set(err, EVDB_LIMIT, "the batch has more than %u bytes of vectors", EVDB_BATCH_BYTES_MAX);
    return EVDB_OK;
}

/* What they are written with: the codec in force, or the one that the batch asks for. Vectors of another length than the store's are
 * refused one by one. */
static evdb_status take_codec(engine *e, const evdb_batch *b, input *in, evdb_error *err)
{
    uint32_t known = atomic_load(&e->dim);
    evdb_status rc = EVDB_OK;
    if (b->kind == EVDB_DELETE || (known && known != b->dim)) return rc;
    if (!b->codec) rc = codecs_in_force(e, b->dim, &in->codec, err);
    else rc = codecs_own(e, b->codec, b->dim, &in->codec, err);
    return rc;
}

/* The vectors as aligned floats: the caller's own memory whenever possible. What is encoded anyway need not be kept. */
static evdb_status take_vectors(engine *e, const evdb_batch *b, bool copy, input *in, const char **base,
                                size_t *stride, evdb_error *err)
{
    size_t row = b->dim * sizeof(float);
    *base = b->vectors;
    *stride = b->stride ? b->stride : row;
    if (!b->vectors) return EVDB_OK;
    evdb_status rc = take_codec(e, b, in, err);
    if (rc != EVDB_OK) return rc;
    if (e->dtype != EVDB_F32 || in->codec) {
        copy = false;
        in->encoded_stride = in->codec ? codec_bound(in->codec->codec) : element_bytes(e->dtype, b->dim);
        if (!(in->encoded = mem_array(&e->db->platform.mem, b->count, in->encoded_stride)))
            return error_no_memory(err, b->count * in->encoded_stride, "the vectors as they are stored");
    }
    if (!copy && (uintptr_t)*base % sizeof(float) == 0 && *stride % sizeof(float) == 0) return EVDB_OK;
    if (!(in->vectors = mem_array(&e->db->platform.mem, b->count, row)))
        return error_no_memory(err, b->count * row, "a copy of the vectors");
    for (size_t i = 0; i < b->count; i++) memcpy((char *)in->vectors + i * row, *base + i * *stride, row);
    *base = (const char *)in->vectors;
    *stride = row;
    return EVDB_OK;
}

/* Appends to in->text; the offset is kept in the pointer until the text stops growing. */
static evdb_status take_text(input *in, const evdb_batch *b, size_t i, bool copy, rows_write *w, evdb_error *err)
{
    const char *metadata = b->metadata ? b->metadata[i] : NULL;
    if (w->id.text && copy) {
        size_t at = in->text.size;
        if (!buf_add(&in->text, w->id.text, w->id.length)) return error_no_memory(err, w->id.length, "an id");
        w->id.text = (const char *)(uintptr_t)(at + 1); /* + 1: offset 0 must not look like NULL */
    }
    if (!metadata || b->kind == EVDB_DELETE) return EVDB_OK;
    size_t at = in->text.size;
    evdb_status rc = json_text_object(metadata, strlen(metadata), &in->text, err);
    w->metadata = (const char *)(uintptr_t)(at + 1);
    w->metadata_length = in->text.size - at;
    return rc;
}

/* As it is stored. */
static evdb_status encode(engine *e, const evdb_batch *b, const float *vector, char *to, input *in, rows_write *w, evdb_error *err)
{
    const void *bytes;
    double loss;
    w->vector = to;
    w->vector_bytes = in->encoded_stride;
    w->own_codec = b->codec != NULL;
    if (!in->codec) element_encode(e->dtype, vector, b->dim, to);
    if (!in->codec) return EVDB_OK;
    bool watched = !b->codec && drift_turn(e, in->codec);
    w->codec = in->codec->id;
    evdb_status rc = stored_encode(e, in->codec->codec, vector, &in->room, &bytes, &w->vector_bytes, watched ? &loss : NULL, err);
    if (rc == EVDB_OK) memcpy(to, bytes, w->vector_bytes);
    if (rc == EVDB_OK && watched) drift_note(e, in->codec, vector, loss);
    return rc;
}

evdb_status input_author(const char *author, evdb_error *err)
{
    size_t length = author ? strlen(author) : 0;
    if (author && (!length || length > EVDB_AUTHOR_BYTES_MAX || !utf8_valid(author, length)))
        return error_set(err, EVDB_INVALID, "the name of who writes must be 1 to %u bytes of UTF-8", EVDB_AUTHOR_BYTES_MAX);
    return EVDB_OK;
}

/* A text of one record's author goes the way of its metadata; that of all is kept once. */
static evdb_status take_author(input *in, const evdb_batch *b, size_t i, bool copy, rows_write *w, evdb_error *err)
{
    const char *author = b->authors ? b->authors[i] : NULL;
    if (b->written) w->written = b->written[i];
    if (w->written < 0) return error_set(err, EVDB_INVALID, "a record was written at a Unix time in milliseconds, not %lld", (long long)w->written);
    if (!author) return EVDB_OK;
    size_t at = in->text.size, length = strlen(author);
    evdb_status rc = input_author(author, err);
    if (rc != EVDB_OK) return rc;
    if (copy && !buf_add(&in->text, author, length)) return error_no_memory(err, length, "an author");
    w->author = copy ? (const char *)(uintptr_t)(at + 1) : author;
    w->author_length = length;
    return EVDB_OK;
}

static evdb_status take_item(engine *e, const evdb_batch *b, size_t i, bool copy, const char *vector, input *in,
                             evdb_error *err)
{
    rows_write *w = &in->writes[i];
    evdb_status rc;
    *w = (rows_write){ .kind = b->kind, .id = b->ids ? b->ids[i] : (evdb_id){ .number = b->numbers[i] } };
    if (b->if_versions) w->if_version = b->if_versions[i];
    if (b->expires) w->expires = b->expires[i];
    TRY(id_check(&w->id, err));
    if (w->expires < 0) TRY(error_set(err, EVDB_INVALID, "an expiry is Unix time in milliseconds, not %lld", (long long)w->expires));
    if (vector && b->kind != EVDB_DELETE) {
        TRY(input_vector(e, (const float *)(const void *)vector, b->dim, err));
        w->vector = vector;
        w->vector_bytes = element_bytes(e->dtype, b->dim);
        w->dim = b->dim;
        w->own_codec = b->codec != NULL;
        if (in->encoded)
            TRY(encode(e, b, (const float *)(const void *)vector, in->encoded + i * in->encoded_stride, in, w, err));
    }
    TRY(take_text(in, b, i, copy, w, err));
    TRY(take_author(in, b, i, copy, w, err));
out:
    return rc;
}

static void settle_text(input *in, bool copied)
{
    for (size_t i = 0; i < in->count; i++) {
        rows_write *w = &in->writes[i];
        if (w->metadata) w->metadata = in->text.at + ((uintptr_t)w->metadata - 1);
        if (w->id.text && copied) w->id.text = in->text.at + ((uintptr_t)w->id.text - 1);
        if (w->author && copied) w->author = in->text.at + ((uintptr_t)w->author - 1);
    }
}

/* A delete looks at nothing but ids. */
static evdb_batch needed(const evdb_batch *given)
{
    evdb_batch b = *given;
    if (b.kind == EVDB_DELETE) b.vectors = NULL, b.metadata = NULL, b.expires = NULL;
    return b;
}

evdb_status input_batch(engine *e, const evdb_batch *given, bool copy, input *out, evdb_error *err)
{
    const evdb_batch kept = needed(given), *b = &kept;
    const evdb_allocator *mem = &e->db->platform.mem;
    bool partial = b->flags & EVDB_BATCH_PARTIAL;
    input in = { .count = b->count, .statuses = b->statuses };
    const char *base;
    size_t stride, bytes = b->vectors ? b->count * b->dim * sizeof(float) : 0;
    evdb_error why;
    evdb_status rc;
    buf_init(&in.text, mem);
    TRY(check_batch(b, err));
    TRY(input_author(b->author, err));
    if (b->author) snprintf(in.author, sizeof(in.author), "%s", b->author);
    if (!(in.writes = mem_array(mem, b->count, sizeof(*in.writes))))
        TRY(error_no_memory(err, b->count * sizeof(*in.writes), "a batch"));
    in.own_statuses = partial && !b->statuses;
    if (in.own_statuses && !(in.statuses = mem_array(mem, b->count, sizeof(*in.statuses))))
        TRY(error_no_memory(err, b->count * sizeof(*in.statuses), "a batch"));
    TRY(take_vectors(e, b, copy, &in, &base, &stride, err));
    for (size_t i = 0; i < b->count; i++) {
        rc = take_item(e, b, i, copy, base ? base + i * stride : NULL, &in, &why);
        if (in.statuses) in.statuses[i] = rc;
        if (partial && b->errors && rc != EVDB_OK) b->errors[i] = why;
        if (rc == EVDB_NO_MEMORY || (rc != EVDB_OK && !partial)) {
            if (err) *err = why;
            if (err && rc != EVDB_NO_MEMORY) err->item = i;
            goto out;
        }
        bytes += in.writes[i].metadata_length;
        if (bytes > EVDB_BATCH_BYTES_MAX)
            TRY(error_set(err, EVDB_LIMIT, "the batch has more than %u bytes of vectors and metadata", EVDB_BATCH_BYTES_MAX));
        if (rc != EVDB_OK) in.writes[i] = (rows_write){ .kind = b->kind }; /* never looked at */
    }
    rc = EVDB_OK;
    settle_text(&in, copy);
    *out = in;
    for (size_t i = 0; b->author && i < b->count; i++) {
        if (out->writes[i].author || out->writes[i].written) continue; /* written at another time: by somebody else */
        out->writes[i].author = out->author;
        out->writes[i].author_length = strlen(out->author);
    }
    return rc;
out:
    for (size_t i = 0; b->statuses && i < b->count; i++) b->statuses[i] = rc; /* nothing is written */
    input_free(e, &in);
    return rc;
}

void input_free(engine *e, input *in)
{
    const evdb_allocator *mem = in->text.mem;
    mem_free(mem, in->writes);
    mem_free(mem, in->vectors);
    mem_free(mem, in->encoded);
    stored_room_free(e, &in->room);
    if (in->own_statuses) mem_free(mem, in->statuses);
    buf_free(&in->text);
}
