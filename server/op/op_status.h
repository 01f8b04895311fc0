/* op_status.h - what a library status becomes in each protocol (status.def, exit.def). */
#ifndef OP_STATUS_H
#define OP_STATUS_H
#include <evdb/error.h>

typedef enum op_exit {
#define EXIT(name, code, text) OP_EXIT_##name = code,
#include "op/exit.def"
#undef EXIT
} op_exit;

typedef struct op_wire {
    int http, rpc;
    int retryable; /* 1 = the same request may succeed later */
    op_exit exit;
} op_wire;

op_wire op_status(evdb_status status);
#endif
