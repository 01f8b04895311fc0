/* index_build.h - building a graph index for a caller who wants to hear of it, and may lose patience. */
#ifndef OP_INDEX_BUILD_H
#define OP_INDEX_BUILD_H
#include "op/op.h"

/* Builds it, from scratch if so said, and waits. A call that is cancelled ends the build for all who wait for it, as cancel_index does. */
evdb_status index_build(op_call *call, evdb_store *store, uint32_t threads, bool from_scratch, evdb_error *err);

#endif
