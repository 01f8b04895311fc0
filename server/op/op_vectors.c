/* op_vectors.c - vectors as arguments: one or many; from arrays of numbers, base64, or the raw bytes of a request. */
#include "op/op_bind.h"
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static evdb_status of_array(const op_field *f, const json_t *v, op_vector *out, evdb_error *err)
{
    void *at = NULL;
    evdb_status rc = op_bind_items(f, v, sizeof *out->at, &at, err);
    size_t count = rc == EVDB_OK ? json_array_size(v) : 0;
    out->at = at;
    for (; out->count < count; out->count++) {
        const json_t *item = json_array_get(v, out->count);
        double n = json_number_value(item);
        if (!json_is_number(item))
            return op_fail(err, EVDB_INVALID, "'%s[%zu]' must be a number", f->name, out->count);
        out->at[out->count] = (float)n;
        if (isinf(out->at[out->count]))
            return op_fail(err, EVDB_INVALID, "'%s[%zu]' is beyond the range of float", f->name, out->count);
    }
    return rc;
}

static evdb_status of_text(const op_field *f, const op_slice *v, op_vector *out, evdb_error *err)
{
    size_t count = 0, room = v->length / 2 + 1; /* a digit and a comma each */
    evdb_error why;
    if (f->max && room > (size_t)f->max) room = (size_t)f->max;
    out->at = malloc(room * sizeof *out->at);
    if (!out->at) return op_fail(err, EVDB_NO_MEMORY, "out of memory for '%s'", f->name);
    evdb_status rc = evdb_number_read_array(v->at, v->length, out->at, room, &count, NULL, &why);
    if (rc != EVDB_OK && why.item == EVDB_NO_ITEM) return op_wrong_type(f, "an array of numbers", err);
    if (rc != EVDB_OK)
        return op_fail(err, EVDB_INVALID, "'%s[%" PRIu64 "]' %s", f->name, why.item,
                       rc == EVDB_LIMIT ? "is beyond the range of float" : "must be a number");
    out->count = count;
    return op_check_count(f, count, err);
}

/* Little-endian: on most machines a copy. */
static void read_floats(const unsigned char *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++, from += sizeof *to) {
        uint32_t bits = from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        memcpy(to + i, &bits, sizeof bits);
    }
}

static void read_numbers(const unsigned char *from, int64_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++, from += sizeof *to) {
        uint64_t bits = 0;
        for (unsigned b = 0; b < sizeof bits; b++) bits |= (uint64_t)from[b] << 8 * b;
        memcpy(to + i, &bits, sizeof bits);
    }
}

/* Packed little-endian float32: an eighth of the work of decimals, and a third of their bytes. */
static evdb_status of_bytes(const op_field *f, const void *bytes, size_t size, op_vector *out, evdb_error *err)
{
    size_t count = size / sizeof *out->at;
    if (size % sizeof *out->at)
        return op_fail(err, EVDB_INVALID, "'%s' has %zu bytes, which is no whole number of float32", f->name, size);
    evdb_status rc = op_check_count(f, count, err);
    if (rc != EVDB_OK) return rc;
    if (!(out->at = malloc(size ? size : 1))) return op_fail(err, EVDB_NO_MEMORY, "out of memory for '%s'", f->name);
    read_floats(bytes, out->at, count);
    out->count = count;
    return EVDB_OK;
}

/* `expected` is what the field takes, for the message. */
static evdb_status read_base64(const op_field *f, const json_t *v, const char *expected, unsigned char **out, size_t *size, evdb_error *err)
{
    size_t length = json_string_length(v);
    if (!(*out = malloc(length + 1))) return op_fail(err, EVDB_NO_MEMORY, "out of memory for '%s'", f->name);
    if (sodium_base642bin(*out, length + 1, json_string_value(v), length, NULL, size, NULL, sodium_base64_VARIANT_ORIGINAL) == 0)
        return EVDB_OK;
    free(*out);
    *out = NULL;
    return op_wrong_type(f, expected, err);
}

evdb_status op_bind_bytes(const op_field *f, const json_t *v, op_bytes *out, evdb_error *err)
{
    if (!json_is_string(v)) return op_wrong_type(f, "a string of base64", err);
    evdb_status rc = read_base64(f, v, "base64", &out->at, &out->count, err);
    return rc == EVDB_OK ? op_check_count(f, out->count, err) : rc;
}

evdb_status op_bind_vector(const op_field *f, const json_t *v, const op_slices *slices, op_vector *out, evdb_error *err)
{
    const op_slice *slice = op_slice_of(slices, v);
    unsigned char *bytes;
    size_t size;
    if (slice) return of_text(f, slice, out, err);
    if (!json_is_string(v)) return of_array(f, v, out, err);
    evdb_status rc = read_base64(f, v, "an array of numbers, or base64 of little-endian float32", &bytes, &size, err);
    if (rc != EVDB_OK) return rc;
    rc = of_bytes(f, bytes, size, out, err);
    free(bytes);
    return rc;
}

evdb_status op_block_row(float **block, size_t *dim, size_t rows, size_t i, op_vector *row, evdb_error *err)
{
    if (!*block) {
        if (row->count > EVDB_BATCH_BYTES_MAX / sizeof **block / rows)
            return op_fail(err, EVDB_LIMIT, "%zu vectors of %zu elements have more than %u bytes", rows, row->count,
                           EVDB_BATCH_BYTES_MAX);
        *block = malloc(rows * row->count * sizeof **block);
        if (!*block) return op_fail(err, EVDB_NO_MEMORY, "out of memory for %zu vectors", rows);
        *dim = row->count;
    }
    if (row->count != *dim) return EVDB_OK;
    float *place = *block + i * *dim;
    memcpy(place, row->at, *dim * sizeof *place);
    free(row->at);
    row->at = place;
    return EVDB_OK;
}

/* One array of many. */
static evdb_status take_row(const op_field *f, const json_t *v, const op_slices *slices, size_t rows, op_vectors *out,
                            evdb_error *err)
{
    static const op_field element = { .name = "vector", .type = OP_VECTOR, .min = 1, .max = EVDB_DIM_MAX };
    evdb_error why;
    op_vector row = { 0 };
    evdb_status rc = op_bind_vector(&element, v, slices, &row, &why);
    if (rc == EVDB_OK) rc = op_block_row(&out->at, &out->dim, rows, out->count, &row, &why);
    if (rc == EVDB_OK && row.count != out->dim)
        rc = op_fail(&why, EVDB_INVALID, "the vector has %zu elements, the first has %zu", row.count, out->dim);
    if (rc == EVDB_OK) {
        out->count++;
        return EVDB_OK;
    }
    free(row.at);
    op_fail(err, rc, "'%s[%zu]': %s", f->name, out->count, why.message);
    if (err) err->item = out->count;
    return rc;
}

evdb_status op_bind_vectors(const op_field *f, const json_t *v, const op_slices *slices, op_vectors *out, evdb_error *err)
{
    size_t count = json_array_size(v);
    if (json_is_string(v)) {
        evdb_status rc = read_base64(f, v, "an array of vectors, or base64 of little-endian float32", &out->own, &out->packed_size, err);
        out->packed = out->own;
        return rc;
    }
    if (!json_is_array(v)) return op_wrong_type(f, "an array of vectors", err);
    evdb_status rc = op_check_count(f, count, err);
    while (rc == EVDB_OK && out->count < count) rc = take_row(f, json_array_get(v, out->count), slices, count, out, err);
    return rc;
}

evdb_status op_bind_body(const op_field *f, const op_slices *slices, void *at, evdb_error *err)
{
    if (f->type == OP_VECTOR) return of_bytes(f, slices->body, slices->body_size, at, err);
    *(op_vectors *)at = (op_vectors){ .packed = slices->body, .packed_size = slices->body_size };
    return EVDB_OK;
}

void op_unbind_vectors(op_vectors *v)
{
    free(v->at);
    free(v->own);
}

static evdb_status unpack(const op_vectors *v, size_t count, size_t dim, bool ids, op_rows *out, evdb_error *err)
{
    size_t before = ids ? count * sizeof *out->numbers : 0;
    *out = (op_rows){ .count = count, .dim = dim };
    out->at = out->own = malloc(count * dim * sizeof *out->own);
    if (ids) out->numbers = malloc(before);
    if (!out->own || (ids && !out->numbers)) {
        op_rows_free(out);
        return op_fail(err, EVDB_NO_MEMORY, "out of memory for %zu vectors", count);
    }
    if (ids) read_numbers(v->packed, out->numbers, count);
    read_floats(v->packed + before, out->own, count * dim);
    return EVDB_OK;
}

evdb_status op_rows_of(const op_vectors *v, const char *name, size_t dim, size_t most, bool ids, op_rows *out, evdb_error *err)
{
    if (!v->packed && ids)
        return op_fail(err, EVDB_INVALID, "'%s' are arrays: only packed vectors can have their ids before them", name);
    if (!v->packed && dim && v->dim != dim)
        return op_fail(err, EVDB_INVALID, "'%s' have %zu elements each, this store's vectors %zu", name, v->dim, dim);
    if (v->packed && !dim)
        return op_fail(err, EVDB_INVALID, "the store has no vectors yet: 'dim' must say how many elements one has");
    size_t row = dim * sizeof(float) + (ids ? sizeof(int64_t) : 0), count = v->packed ? v->packed_size / row : v->count;
    if (v->packed && (!count || v->packed_size % row))
        return op_fail(err, EVDB_INVALID, "'%s' has %zu bytes, which is no whole number of records of %zu (%s%zu float32)", name,
                       v->packed_size, row, ids ? "an int64 id and " : "", dim);
    if (count > most) return op_fail(err, EVDB_LIMIT, "'%s' has %zu vectors; at most %zu are allowed", name, count, most);
    if (v->packed) return unpack(v, count, dim, ids, out, err);
    *out = (op_rows){ .at = v->at, .count = count, .dim = v->dim };
    return EVDB_OK;
}

void op_rows_free(op_rows *rows)
{
    free(rows->numbers);
    free(rows->own);
    *rows = (op_rows){ 0 };
}
