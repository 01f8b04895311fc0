/* reader_npy.c - NPY: a NumPy array of shape (rows, dim), format versions 1, 2 and 3. */
#include "base/error.h"
#include "base/mem.h"
#include "format/npy_header.h"
#include "format/reader.h"
#include <string.h>

typedef struct npy_reader {
    reader base;
    npy_header head;
    size_t row_bytes;
    size_t used;   /* bytes of the row handed out last, still in the window */
    uint64_t rows; /* begun */
    float *copy;   /* for rows that are converted, or not aligned */
} npy_reader;

/* Leaves the window at the first row. */
static evdb_status read_header(reader *r, npy_header *out, evdb_error *err)
{
    size_t head = NPY_MAGIC + 4, length;
    evdb_status rc = window_need(&r->in, head, err);
    if (rc != EVDB_OK) return rc;
    const char *p = window_bytes(&r->in);
    if (window_size(&r->in) < head || memcmp(p, "\x93NUMPY", 6) != 0)
        return error_set(err, EVDB_INVALID, "not an NPY file");
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return error_set(err, EVDB_UNSUPPORTED, "NPY version %u.%u is not 1.0, 2.0 or 3.0", (unsigned char)p[6],
                         (unsigned char)p[7]);
    if (p[6] == 1) {
        length = (unsigned char)p[8] | (size_t)(unsigned char)p[9] << 8;
        head = NPY_MAGIC + 2;
    } else {
        length = elements_u32(p + 8);
    }
    if (length > NPY_HEADER_MAX)
        return error_set(err, EVDB_INVALID, "the NPY header has %zu bytes, more than %d", length, NPY_HEADER_MAX);
    rc = window_need(&r->in, head + length, err);
    if (rc != EVDB_OK) return rc;
    if (window_size(&r->in) < head + length) return error_set(err, EVDB_INVALID, "the file ends within the NPY header");
    rc = npy_header_parse(window_bytes(&r->in) + head, length, out, err);
    window_skip(&r->in, head + length);
    return rc;
}

static evdb_status open_array(reader *r, evdb_error *err)
{
    npy_reader *n = (npy_reader *)r;
    evdb_status rc = read_header(r, &n->head, err);
    if (rc != EVDB_OK) return rc;
    n->row_bytes = (size_t)n->head.dim * n->head.type->bytes;
    n->copy = mem_array(r->mem, n->head.dim, sizeof(float));
    return n->copy ? EVDB_OK : error_no_memory(err, n->head.dim * sizeof(float), "a row");
}

static evdb_status next_row(reader *r, evdb_error *err)
{
    npy_reader *n = (npy_reader *)r;
    bool end;
    evdb_status rc;
    window_skip(&r->in, n->used);
    n->used = 0;
    if (n->rows == n->head.rows) {
        rc = window_at_end(&r->in, &end, err);
        if (rc != EVDB_OK) return rc;
        r->row.line = n->rows;
        if (!end) return reader_break(r, err, "the file goes on behind this last row");
        r->ended = true;
        return EVDB_OK;
    }
    rc = window_need(&r->in, n->row_bytes, err);
    if (rc != EVDB_OK) return rc;
    r->row.line = ++n->rows;
    if (window_size(&r->in) < n->row_bytes)
        return reader_break(r, err, "the file ends here, %llu rows were promised", (unsigned long long)n->head.rows);
    n->used = n->row_bytes;
    r->row.dim = n->head.dim;
    if (!n->head.type->convert) {
        r->row.vector = elements_f32(window_bytes(&r->in), n->head.dim, n->copy);
        return EVDB_OK;
    }
    uint32_t done = n->head.type->convert(window_bytes(&r->in), n->head.dim, n->copy);
    r->row.vector = n->copy;
    return done == n->head.dim ? EVDB_OK : reader_bad(r, err, "element %u is too large for float32", done);
}

static void close_array(reader *r) { mem_free(r->mem, ((npy_reader *)r)->copy); }

const reader_type reader_npy = { sizeof(npy_reader), "row", open_array, next_row, close_array };
