/* put.c - `evdb put`: upsert, or insert when asked not to replace. */
#include "cli.h"

const op_field put_fields[] = {
    { .name = "insert", .type = OP_BOOL, .doc = "Fail when the id exists, rather than replace the record." },
    OP_END
};

op_exit run_put(cli *c)
{
    if (json_is_true(json_object_get(c->extra, "insert"))) c->op = op_find("insert_vector");
    return run_operation(c);
}
