/* pq_book.c - codes of product quantisation, and back. */
#include "codec/pq_book.h"
#include "base/error.h"
#include "base/mem.h"
#include "codec/unit_scale.h"
#include <string.h>

/* A coder's tile: as many rows as make it worth fetching a part's centroids, as many elements as fit a modest stack. */
enum { TILE_ROWS = 32, TILE_ELEMENTS = PQ_WIDTH_MAX };
static const float FAR = 1e6f; /* where centroids are within 1: farther away is all the same */

pq_shape pq_shape_of(uint32_t dim, uint32_t parts, uint32_t bits)
{
    return (pq_shape){ .dim = dim, .parts = parts, .bits = bits, .many = 1u << bits, .width = (dim + parts - 1) / parts };
}

/* ---- coder ---- */

static void fill_part(pq_coder *c, const float *book, uint32_t part)
{
    const pq_shape *s = &c->shape;
    const float *centroids = pq_centroids(s, book, part);
    uint32_t size = pq_size(s, part), begin = pq_begin(s, part);
    float *columns = c->columns + (size_t)begin * s->many, *halves = c->halves + (size_t)part * s->many;
    double most = 0;
    for (uint32_t j = 0; j < size; j++) {
        double sum = 0;
        for (uint32_t i = 0; i < s->many; i++) sum += centroids[i * s->width + j];
        double centre = sum / s->many;
        c->shift[begin + j] = (float)centre;
        for (uint32_t i = 0; i < s->many; i++) most = unit_size(most, centroids[i * s->width + j] - centre);
    }
    double scale = unit_scale(most);
    memset(halves, 0, s->many * sizeof(*halves));
    for (uint32_t j = 0; j < size; j++) {
        double centre = c->shift[begin + j];
        c->scale[begin + j] = (float)scale;
        for (uint32_t i = 0; i < s->many; i++) {
            float v = (float)((centroids[i * s->width + j] - centre) * scale);
            columns[j * s->many + i] = v;
            halves[i] += v * v / 2;
        }
    }
}

evdb_status pq_coder_make(const evdb_allocator *mem, const kernel *k, const pq_shape *s, const float *book, pq_coder **out, evdb_error *err)
{
    size_t columns = (size_t)s->dim * s->many, halves = (size_t)s->parts * s->many, floats = columns + halves + 2 * (size_t)s->dim;
    pq_coder *c = mem_alloc(mem, sizeof(*c) + MATRIX_ALIGN + floats * sizeof(float));
    if (!c) return error_no_memory(err, floats * sizeof(float), "a codec");
    float *at = matrix_aligned(c + 1);
    *c = (pq_coder){ .kernel = k, .shape = *s, .columns = at, .halves = at + columns, .scale = at + columns + halves,
                     .shift = at + columns + halves + s->dim };
    for (uint32_t part = 0; part < s->parts; part++) fill_part(c, book, part);
    *out = c;
    return EVDB_OK;
}

/* Elements begin .. begin + count of some rows, as the centroids are; bounded, so that sums are finite. */
static void move_rows(const pq_coder *c, const float *x, size_t rows, size_t begin, size_t count, float *tile)
{
    const float *scale = c->scale + begin, *shift = c->shift + begin;
    for (size_t r = 0; r < rows; r++, tile += count) {
        const float *row = x + r * c->shape.dim + begin;
        for (size_t j = 0; j < count; j++) {
            float v = (row[j] - shift[j]) * scale[j];
            v = v < FAR ? v : FAR;
            tile[j] = v > -FAR ? v : -FAR;
        }
    }
}

static void encode_part(const pq_coder *c, uint32_t part, const float *rows, size_t stride, size_t count, uint8_t *codes, size_t code_stride)
{
    const pq_shape *s = &c->shape;
    uint8_t numbers[TILE_ROWS];
    bool bytes = s->bits == PQ_BITS;
    c->kernel->matrix->nearest(rows, stride, count, pq_size(s, part), c->columns + (size_t)pq_begin(s, part) * s->many,
                               c->halves + (size_t)part * s->many, s->many, bytes ? codes + part : numbers, bytes ? code_stride : 1);
    if (bytes) return;
    for (size_t r = 0; r < count; r++) {
        uint8_t *at = codes + r * code_stride + part / 2;
        *at = part % 2 ? (uint8_t)(*at | numbers[r] << 4) : numbers[r];
    }
}

void pq_encode(const pq_coder *c, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    const pq_shape *s = &c->shape;
    float tile[TILE_ROWS * TILE_ELEMENTS];
    for (size_t row = 0; row < count; row += TILE_ROWS) {
        size_t rows = count - row < TILE_ROWS ? count - row : TILE_ROWS;
        for (uint32_t part = 0, end; part < s->parts; part = end) {
            size_t begin = pq_begin(s, part), some = 0;
            for (end = part; end < s->parts && some + pq_size(s, end) <= TILE_ELEMENTS; end++) some += pq_size(s, end);
            move_rows(c, x + row * s->dim, rows, begin, some, tile);
            for (uint32_t p = part; p < end; p++)
                encode_part(c, p, tile + (pq_begin(s, p) - begin), some, rows, codes + row * stride, stride);
        }
    }
}

/* ---- back ---- */

static inline uint8_t number_of(const pq_shape *s, const uint8_t *code, uint32_t part)
{
    return s->bits == PQ_BITS ? code[part] : code[part / 2] >> part % 2 * 4 & 15;
}

/* Parts [part, end) of one vector, all of `size` elements; a size the compiler knows is moved without a call. */
static inline __attribute__((always_inline)) float *decode_parts(const pq_shape *s, const float *book, const uint8_t *code, uint32_t part,
                                                                 uint32_t end, size_t size, float *x)
{
    const float *centroids = pq_centroids(s, book, part);
    for (; part < end; part++, x += size, centroids += (size_t)s->many * s->width)
        memcpy(x, centroids + (size_t)number_of(s, code, part) * s->width, size * sizeof(*x));
    return x;
}

static float *decode_some(const pq_shape *s, const float *book, const uint8_t *code, uint32_t part, uint32_t end, size_t size, float *x)
{
    switch (size) {
    case 2: return decode_parts(s, book, code, part, end, 2, x);
    case 3: return decode_parts(s, book, code, part, end, 3, x);
    case 4: return decode_parts(s, book, code, part, end, 4, x);
    case 5: return decode_parts(s, book, code, part, end, 5, x);
    case 6: return decode_parts(s, book, code, part, end, 6, x);
    case 7: return decode_parts(s, book, code, part, end, 7, x);
    case 8: return decode_parts(s, book, code, part, end, 8, x);
    case 16: return decode_parts(s, book, code, part, end, 16, x);
    default: return decode_parts(s, book, code, part, end, size, x);
    }
}

void pq_decode(const pq_shape *s, const float *book, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    uint32_t longer = s->dim % s->parts, size = s->dim / s->parts;
    for (size_t i = 0; i < count; i++, codes += stride) {
        x = decode_some(s, book, codes, 0, longer, size + 1, x);
        x = decode_some(s, book, codes, longer, s->parts, size, x);
    }
}
