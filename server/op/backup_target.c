/* backup_target.c - implements op/backup_target.h. */
#include "op/backup_target.h"
#include <string.h>

static const char *target_name(uint32_t value)
{
    static const char *const names[] = { [TARGET_LOCAL] = "local", [TARGET_S3] = "s3" };
    return value < sizeof names / sizeof *names ? names[value] : NULL;
}

static evdb_status target_parse(const char *name, uint32_t *out, evdb_error *err)
{
    for (*out = TARGET_LOCAL; target_name(*out); ++*out)
        if (strcmp(target_name(*out), name) == 0) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "unknown target '%.40s': use local or s3", name);
}

const op_choice backup_target_choice = { target_name, target_parse };

evdb_status backup_target_check(const op_call *call, uint32_t target, evdb_error *err)
{
    if (target == TARGET_LOCAL || call->bucket) return EVDB_OK;
    return op_fail(err, EVDB_UNSUPPORTED, "there is no target 's3' here: only an evdbd with s3_endpoint in its settings has one");
}
