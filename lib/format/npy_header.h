/* npy_header.h - the head of a NumPy .npy file: a Python dict literal saying what follows. */
#ifndef EVDB_FORMAT_NPY_HEADER_H
#define EVDB_FORMAT_NPY_HEADER_H
#include "format/elements.h"
#include <evdb/error.h>

enum {
    NPY_MAGIC = 8, /* "\x93NUMPY", version; the header's length follows in 2 bytes, or 4 from version 2 on */
    NPY_HEADER_MAX = 64 << 10, /* bytes of a header; NumPy writes 128 */
    NPY_TYPE_MAX = 16          /* bytes of an element type's name */
};

/* An element type that can be read. */
typedef struct npy_type {
    const char *descr;
    uint32_t bytes;
    elements_fn *convert; /* NULL: float32 as it is */
} npy_type;

typedef struct npy_header {
    const npy_type *type;
    uint64_t rows;
    uint32_t dim;
} npy_header;

/* Parses the dict. Refuses with the reason whatever is not a (n, dim) array of a type above in C order. */
evdb_status npy_header_parse(const char *text, size_t length, npy_header *out, evdb_error *err);

enum { NPY_HEAD_BYTES = 128 };
/* The whole head of a file of float32, magic and padding included. */
void npy_header_print(uint64_t rows, uint32_t dim, char out[NPY_HEAD_BYTES]);
#endif
