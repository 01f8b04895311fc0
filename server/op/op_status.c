/* op_status.c - status.def as a function. */
#include "op/op_status.h"

op_wire op_status(evdb_status status)
{
    switch (status) { /* no default: a new library status is a build error here (-Werror=switch) */
#define STATUS(name, http, rpc, retryable, exit) case EVDB_##name: return (op_wire){ http, rpc, retryable, OP_EXIT_##exit };
#include "op/status.def"
#undef STATUS
    }
    return op_status(EVDB_INTERNAL);
}
