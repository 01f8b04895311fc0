/* write_one.h - operations that write one record, and when records expire. */
#ifndef OP_WRITE_ONE_H
#define OP_WRITE_ONE_H
#include "op/op.h"

/* The three arguments of an argument struct's `op_expiry expiry`, for what without one does `otherwise`. */
#define OP_EXPIRY_OF(st, thing, otherwise)                                                                                            \
    { .name = "ttl", .alias = "ttl_seconds", .type = OP_INTEGER, .offset = offsetof(st, expiry.ttl), .min = -1,                       \
      .max = EVDB_TTL_MAX_MS / 1000, .doc = "Seconds from now until the " thing " expires; -1 = never; without it " otherwise },      \
    { .name = "ttl_ms", .type = OP_INTEGER, .offset = offsetof(st, expiry.ttl_ms), .min = -1, .max = EVDB_TTL_MAX_MS,                 \
      .doc = "The same in milliseconds." },                                                                                           \
    { .name = "expires_ms", .type = OP_INTEGER, .offset = offsetof(st, expiry.expires_ms), .min = -1, .max = INT64_MAX,               \
      .doc = "The same as Unix time in milliseconds." }
#define OP_EXPIRY(st, otherwise) OP_EXPIRY_OF(st, "record", otherwise)

/* As evdb_batch.expires has it; 0 = none given. EVDB_INVALID when there is more than one. */
evdb_status op_expiry_take(const op_expiry *given, int64_t *out, evdb_error *err);

/* Who writes, as records keep it (evdb/author.h): the client that was authenticated, or the user of the machine. It is no argument, so
 * that nobody can write in another's name. NULL = a program. */
const char *op_author(const op_call *call);
/* What of a record tells who wrote it; either may be left out. */
#define OP_AUTHOR_RESULTS                                                                                                             \
    OP_RESULT(author, OP_STRING, OP_OPTIONAL, .doc = "Who wrote it last, where the store keeps authors."),                            \
    OP_RESULT(written_ms, OP_TIME, OP_OPTIONAL, .doc = "When that was, Unix time in milliseconds.")
void op_put_author(op_out *o, const char *author, int64_t written_ms);

typedef struct op_write {
    evdb_write kind;
    const char *store, *metadata, *codec;
    evdb_id id;
    const op_vector *vector;
    int64_t if_version;
    const op_expiry *expiry;
} op_write;
extern const op_result op_write_reply[];
evdb_status op_write_one(op_call *call, const op_write *w, op_out *reply, evdb_error *err);
#endif
