/* op_out.h - replies as JSON text, written front to back: floats with the fewest digits that read back as the same bits, stored
 * JSON as it was stored. Commas come by themselves. When memory runs out, or the reply passes OP_REPLY_BYTES_MAX, the rest is
 * ignored; op_out_done() tells. */
#ifndef OP_OUT_H
#define OP_OUT_H
#include <evdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct op_out {
    char *text; /* malloc'd; NUL-terminated once op_out_done() */
    size_t size, room;
    bool comma, failed, too_long;
} op_out;
#define OP_OUT { 0 }

void op_out_free(op_out *o);
/* EVDB_NO_MEMORY or EVDB_LIMIT when something was lost. */
evdb_status op_out_done(op_out *o, evdb_error *err);

/* A value: a member when key is not NULL, else an item of an array or the whole. Keys are written as they are: names of ours. */
void op_out_open(op_out *o, const char *key, char bracket); /* '{' or '[' */
void op_out_close(op_out *o, char bracket);                 /* '}' or ']' */
/* Text that may hold anything, such as a sentence about damaged data; bytes that are no UTF-8 become '?'. */
void op_out_text(op_out *o, const char *key, const char *text);
void op_out_bytes(op_out *o, const char *key, const char *text, size_t length);
void op_out_base64(op_out *o, const char *key, const void *bytes, size_t count);
void op_out_integer(op_out *o, const char *key, int64_t value);
void op_out_bool(op_out *o, const char *key, bool value);
/* JSON has no infinity: it becomes the largest float. */
void op_out_float(op_out *o, const char *key, float value);
void op_out_floats(op_out *o, const char *key, const float *values, size_t count);
void op_out_id(op_out *o, const char *key, const evdb_id *id);
/* A value that is JSON text already. */
void op_out_json(op_out *o, const char *key, const char *json, size_t length);

#endif
