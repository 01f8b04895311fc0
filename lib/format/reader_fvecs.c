/* reader_fvecs.c - FVECS and BVECS: per vector an int32 dimension, little-endian, and that many float32, or bytes. */
#include "base/error.h"
#include "base/mem.h"
#include "format/elements.h"
#include "format/reader.h"

enum { HEAD = 4 };

typedef struct fvecs_reader {
    reader base;
    uint64_t rows; /* begun */
    uint32_t dim;  /* of every row; 0 before the first */
    size_t used;   /* bytes of the row handed out last, still in the window */
    float *copy;   /* for rows that are not aligned */
} fvecs_reader;

static size_t element_size(const reader *r) { return r->type == &reader_bvecs ? 1 : sizeof(float); }

static evdb_status next_row(reader *r, evdb_error *err)
{
    fvecs_reader *f = (fvecs_reader *)r;
    window_skip(&r->in, f->used);
    f->used = 0;
    evdb_status rc = window_need(&r->in, HEAD, err);
    if (rc != EVDB_OK) return rc;
    if (window_size(&r->in) == 0) {
        r->ended = true;
        return EVDB_OK;
    }
    r->row.line = ++f->rows;
    if (window_size(&r->in) < HEAD) return reader_break(r, err, "the file ends within the row's dimension");
    uint32_t dim = elements_u32(window_bytes(&r->in));
    if (dim == 0 || dim > EVDB_DIM_MAX)
        return reader_break(r, err, "dimension %d is not in 1..%u: damaged, or not %s file", (int32_t)dim,
                            EVDB_DIM_MAX, r->type == &reader_bvecs ? "a BVECS" : "an FVECS");
    if (f->dim && dim != f->dim)
        return reader_break(r, err, "dimension %u, but the rows before it have %u", dim, f->dim);
    f->dim = dim;
    size_t bytes = HEAD + (size_t)dim * element_size(r);
    rc = window_need(&r->in, bytes, err);
    if (rc != EVDB_OK) return rc;
    if (window_size(&r->in) < bytes) return reader_break(r, err, "the file ends within the row");
    if (!f->copy && !(f->copy = mem_array(r->mem, dim, sizeof(float))))
        return error_no_memory(err, dim * sizeof(float), "a row");
    f->used = bytes;
    r->row.dim = dim;
    const char *elements = window_bytes(&r->in) + HEAD;
    r->row.vector = f->copy;
    if (r->type == &reader_bvecs) elements_from_u8(elements, dim, f->copy);
    else r->row.vector = elements_f32(elements, dim, f->copy);
    return EVDB_OK;
}

static void close_rows(reader *r) { mem_free(r->mem, ((fvecs_reader *)r)->copy); }

const reader_type reader_fvecs = { sizeof(fvecs_reader), "row", NULL, next_row, close_rows };
const reader_type reader_bvecs = { sizeof(fvecs_reader), "row", NULL, next_row, close_rows };
