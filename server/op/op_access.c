/* op_access.c - op_allow(). */
#include "op/op.h"

static const uint32_t bit_of[] = { [OP_SCOPE_READ] = EVDB_SCOPE_READ, [OP_SCOPE_WRITE] = EVDB_SCOPE_WRITE,
                                   [OP_SCOPE_ADMIN] = EVDB_SCOPE_ADMIN };

evdb_status op_allow(const op *o, uint32_t scopes, evdb_error *err)
{
    if (scopes & bit_of[o->scope]) return EVDB_OK; /* scopes hold what they include: admin sets all bits */
    return op_fail(err, EVDB_DENIED, "%s needs the scope '%s'", o->name, op_scope_name(o->scope));
}
