/* op_meter.c - implements op/op_meter.h. */
#include "op/op_meter.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

evdb_status op_throttled(evdb_error *err, uint32_t wait_ms, const char *format, ...)
{
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)op_fail(err, EVDB_THROTTLED, "%s", text);
    if (err) err->retry_s = wait_ms / 1000 + (wait_ms % 1000 != 0 || wait_ms == 0);
    return EVDB_THROTTLED;
}

evdb_status op_meter_request(quotas *q, const evdb_principal *who, evdb_error *err)
{
    if (!q) return EVDB_OK;
    quota_answer a = quotas_request(q, who->client, &who->quota);
    if (a.verdict == QUOTA_FINE) return EVDB_OK;
    return op_throttled(err, a.wait_ms, "'%s' may make %" PRIu64 " requests a second", who->client, a.limit);
}

evdb_status op_meter_take(const op_call *call, uint64_t records, evdb_error *err)
{
    op_meter *m = call->meter;
    if (!m) return EVDB_OK;
    quota_answer a = quotas_take(m->quotas, m->who->client, &m->who->quota, (quota_use){ records, m->bytes });
    const char *what = a.bytes ? "bytes" : "records";
    if (a.verdict == QUOTA_NEVER)
        return op_fail(err, EVDB_LIMIT, "'%s' may write %" PRIu64 " %s a day, which this is more than", m->who->client, a.limit, what);
    if (a.verdict == QUOTA_LATER)
        return op_throttled(err, a.wait_ms, "'%s' may write %" PRIu64 " %s a day, and has not so many left today", m->who->client, a.limit, what);
    m->bytes = 0;
    return EVDB_OK;
}

void op_meter_return(const op_call *call, uint64_t records)
{
    if (call->meter && records) quotas_give_back(call->meter->quotas, call->meter->who->client, records);
}
