/* gated.c - implements gated.h. */
#include "gated.h"
#include "database_private.h"
#include "expect.h"

int gated_no_sync(void *context, const io_event *event)
{
    (void)context;
    return event->kind == IO_SYNC || event->kind == IO_SYNC_DIR ? IO_SKIP : 0;
}

evdb_status gated_open(io_gate gate, const char *dir, const evdb_options *options, evdb **out, evdb_error *err)
{
    platform p = platform_real;
    p.io = gate;
    return db_open_with(&p, dir, options, out, err);
}

void must(evdb_status rc, const evdb_error *err, const char *what)
{
    if (rc != EVDB_OK) fail_msg("%s: %s: %s", what, evdb_status_name(rc), err->message);
}
