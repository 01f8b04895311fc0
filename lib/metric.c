/* metric.c - implements evdb/metric.h. */
#include <evdb/metric.h>
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"

evdb_status evdb_metric_register(evdb *db, const char *name, const evdb_metric_options *options, evdb_error *err)
{
    evdb_metric_options o = EVDB_METRIC_OPTIONS;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(metrics_check_name(name, err));
    TRY(options_import(&o, sizeof(o), options, "evdb_metric_options", err));
    if (!o.distance) TRY(error_set(err, EVDB_INVALID, "metric '%s': the function is missing", name));
    if (o.flags & ~(uint32_t)EVDB_METRIC_GRAPH) TRY(error_set(err, EVDB_INVALID, "metric '%s': there is no flag %#x", name, o.flags));
    rc = metrics_register(db, name, &o, err);
out:
    return rc;
}
