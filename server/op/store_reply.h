/* store_reply.h - what a store is: every operation that answers a store answers this. (stores.c) */
#ifndef OP_STORE_REPLY_H
#define OP_STORE_REPLY_H
#include "op/op.h"

extern const op_result op_store_reply[];
evdb_status op_reply_store(evdb_store *store, op_out *reply, evdb_error *err);

#endif
