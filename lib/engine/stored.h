/* stored.h - vectors as rows.db has them, elements or written with a codec: checked, made floats again, or what an index keeps. */
#ifndef EVDB_ENGINE_STORED_H
#define EVDB_ENGINE_STORED_H
#include "codec/codec.h"
#include "disk/rows.h"

struct engine;

/* What rows of an index are: codes of `codec`, or elements of `dtype`. Bytes of codec `id` become that without loss. */
typedef struct stored_form {
    evdb_dtype dtype;
    const codec *codec; /* NULL = elements */
    uint32_t id, version; /* of rows_coding */
    const codec *written; /* codec `id`, NULL = elements: what bytes on disk are of */
} stored_form;
/* What an index made today shall be of, by the codec in force as rd sees it; NULL = now. */
evdb_status stored_form_now(struct engine *e, rows_reader *rd, uint32_t dim, stored_form *out, evdb_error *err);

/* Room that grows as vectors need it; zeroed at first, given back by stored_room_free(). */
typedef struct stored_room {
    char *at;
    size_t size;
} stored_room;
void stored_room_free(struct engine *e, stored_room *room);

/* A vector's floats, or EVDB_CORRUPT: the bytes themselves in a store of f32 (so of any alignment), else in `room`. */
evdb_status stored_vector(struct engine *e, rows_reader *rd, const evdb_id *id, uint32_t codec, const void *bytes, size_t size, uint32_t dim,
                          stored_room *room, const float **out, evdb_error *err);
/* The same as rows of an index are. */
evdb_status stored_row(struct engine *e, rows_reader *rd, const stored_form *form, const rows_vector *v, uint32_t dim, stored_room *room,
                       const void **out, evdb_error *err);
/* From floats to bytes on disk of a codec; *out lies in `room`, and loss (NULL, or what encoding lost of it) is measure_loss(). */
evdb_status stored_encode(struct engine *e, const codec *c, const float *vector, stored_room *room, const void **out, size_t *size,
                          double *loss, evdb_error *err);

#endif
