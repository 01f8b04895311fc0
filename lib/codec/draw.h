/* draw.h - some rows of a sample, by chance. */
#ifndef EVDB_CODEC_DRAW_H
#define EVDB_CODEC_DRAW_H
#include "codec/codec.h"

/* Numbers of `count` rows in an order of chance, of which the first *drawn, `most` at most, are wanted. Free with mem_free(). */
evdb_status draw_rows(const evdb_allocator *mem, size_t count, size_t most, uint64_t seed, uint32_t **rows, size_t *drawn, evdb_error *err);
#endif
