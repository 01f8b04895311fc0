/* op_meter.h - what a caller may write, where somebody counts. Beside op_allow(), which says whether at all. */
#ifndef OP_METER_H
#define OP_METER_H
#include "limit/quota.h"
#include "op/op.h"

/* op_call.meter */
typedef struct op_meter {
    quotas *quotas;
    const evdb_principal *who;
    size_t bytes; /* of the request */
} op_meter;

/* By an operation that is about to write so many records: takes them and the request's bytes from what its caller has left of
 * today. EVDB_THROTTLED with retry_s when it is too little, EVDB_LIMIT when it would be on any day. What writes in parts calls it again. */
evdb_status op_meter_take(const op_call *call, uint64_t records, evdb_error *err);
/* So many of them were not written. */
void op_meter_return(const op_call *call, uint64_t records);
/* One request of somebody who is known now: EVDB_THROTTLED with retry_s when it is one too many in this second. For protocols,
 * before op_allow(). */
evdb_status op_meter_request(quotas *q, const evdb_principal *who, evdb_error *err);

/* Fills in the error: EVDB_THROTTLED, with the time as whole seconds, at least one. */
evdb_status op_throttled(evdb_error *err, uint32_t wait_ms, const char *format, ...) __attribute__((format(printf, 3, 4)));
#endif
