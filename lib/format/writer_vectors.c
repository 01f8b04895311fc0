/* writer_vectors.c - NPY, FVECS and BVECS: vectors only. */
#include "base/error.h"
#include "base/id.h"
#include "format/npy_header.h"
#include "format/writer.h"

static void put_floats(output *o, const float *vector, uint32_t dim)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    output_add(o, vector, (size_t)dim * sizeof(float));
#else
    for (uint32_t i = 0; i < dim; i++) {
        char bytes[4];
        uint32_t bits;
        __builtin_memcpy(&bits, vector + i, sizeof(bits));
        elements_put_u32(bits, bytes);
        output_add(o, bytes, sizeof(bytes));
    }
#endif
}

static evdb_status changed(const writer *w, evdb_error *err)
{
    return error_set(
        err, EVDB_BUSY,
        "store '%s': records came or went during the export: the file's head promises %llu rows; try again",
        w->store->name, (unsigned long long)w->expected);
}

static evdb_status npy_begin(writer *w, evdb_error *err)
{
    char head[NPY_HEAD_BYTES];
    (void)err;
    npy_header_print(w->expected, w->store->dim, head);
    output_add(&w->out, head, sizeof(head));
    return EVDB_OK;
}

static evdb_status npy_row(writer *w, const evdb_record *record, evdb_error *err)
{
    if (w->written == w->expected || record->dim != w->store->dim) return changed(w, err);
    put_floats(&w->out, record->vector, record->dim);
    return EVDB_OK;
}

static evdb_status npy_end(writer *w, evdb_error *err) { return w->written == w->expected ? EVDB_OK : changed(w, err); }

const writer_type writer_npy = { npy_begin, npy_row, npy_end };

static void put_dim(output *o, uint32_t dim)
{
    char bytes[4];
    elements_put_u32(dim, bytes);
    output_add(o, bytes, sizeof(bytes));
}

static evdb_status fvecs_row(writer *w, const evdb_record *record, evdb_error *err)
{
    (void)err;
    put_dim(&w->out, record->dim);
    put_floats(&w->out, record->vector, record->dim);
    return EVDB_OK;
}

const writer_type writer_fvecs = { .row = fvecs_row };

/* The elements must come back as the same bits, so -0 is none that a byte can be. */
static evdb_status bvecs_row(writer *w, const evdb_record *record, evdb_error *err)
{
    char piece[256], shown[64];
    put_dim(&w->out, record->dim);
    for (uint32_t i = 0; i < record->dim;) {
        uint32_t used = 0;
        for (; used < sizeof(piece) && i < record->dim; i++) {
            float value = record->vector[i];
            unsigned char byte = value >= 0 && value <= 255 ? (unsigned char)value : 0;
            if ((float)byte != value || __builtin_signbit(value))
                return error_set(err, EVDB_INVALID, "element %u of record %s is %.9g: bvecs hold whole numbers from 0 to 255", i,
                                 id_show(&record->id, shown, sizeof(shown)), (double)value);
            piece[used++] = (char)byte;
        }
        output_add(&w->out, piece, used);
    }
    return EVDB_OK;
}

const writer_type writer_bvecs = { .row = bvecs_row };
