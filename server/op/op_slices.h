/* op_slices.h - JSON whose large values are left as text: arrays of numbers, and objects that the table calls objects.
 *
 * jansson makes a tree of 40 bytes a number, slowly, and spells numbers anew. So arrays of numbers and the objects that
 * operations take whole (metadata) are cut out before it sees the text; in the tree stands a string for each that this
 * text cannot have spelled. The binder reads numbers from the text straight into floats, and hands objects on as they were written. */
#ifndef OP_SLICES_H
#define OP_SLICES_H
#include <evdb.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct op_slice {
    const char *at; /* into the text that was read */
    size_t length;
    unsigned depth; /* of nested values, itself counted */
} op_slice;

typedef struct op_slices {
    op_slice *list;
    size_t count, room;
    char mark;        /* first character of what stands for a slice; 0 = '\1' */
    const void *body; /* a request's raw body, for the field that takes it; NULL = none */
    size_t body_size;
} op_slices;
#define OP_SLICES { 0 }

/* Like op_parse(), with slices, and in time and memory that are linear in the text: one with more than OP_VALUES_MAX values that
 * are no slices is refused (EVDB_LIMIT). The text must stay while they are used. */
evdb_status op_slices_parse(const char *text, size_t length, op_slices *slices, json_t **out, evdb_error *err);
/* A slice of one's own: what stands for it, NULL when memory ran out. text must stay. */
json_t *op_slices_add(op_slices *slices, const char *text, size_t length, unsigned depth);
void op_slices_free(op_slices *slices);
/* What v stands for, or NULL when it is an ordinary value. slices may be NULL. */
const op_slice *op_slice_of(const op_slices *slices, const json_t *v);

#endif
