/* op_inline.h - streams for protocols that carry JSON only: the bytes stand among the arguments, or in the reply, as `data`.
 *
 * Data are text, or base64 where `base64` says so: a reply's are when their media type is no text. Both are in memory as a whole,
 * within the limits of a request and of a reply. */
#ifndef OP_INLINE_H
#define OP_INLINE_H
#include "op/op.h"
#include "op/op_memory.h"

typedef struct op_inline {
    json_t *args;        /* those that are the operation's own */
    char *bytes;         /* of the stream */
    size_t size, room;
    op_memory read;      /* of those that come in */
    op_file file;
    evdb_source source;
    evdb_sink sink;
} op_inline;

/* Fills in what *call lacks of the stream, and i->args. To be ended, whatever it returns. */
evdb_status op_inline_begin(op_inline *i, const op *o, op_call *call, const json_t *in, evdb_error *err);
/* The bytes that a stream takes, out of all arguments; to be read once the operation's own were found to be right. */
evdb_status op_inline_read(op_inline *i, const op *o, const json_t *in, evdb_error *err);
/* Members of the reply. */
void op_inline_put(const op_inline *i, const op *o, op_out *reply);
void op_inline_end(op_inline *i);

/* The schemas of op.h with what stands for a stream; steal theirs. NULL when memory ran out. */
json_t *op_inline_input_schema(const op *o, json_t *schema);
json_t *op_inline_output_schema(const op *o, json_t *schema);

#endif
