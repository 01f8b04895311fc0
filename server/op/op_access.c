/* op_access.c - op_allow(): scopes against the table. */
#include "op/op.h"
#include <stdio.h>
#include <string.h>

static const uint32_t bit_of[] = { [OP_SCOPE_READ] = EVDB_SCOPE_READ, [OP_SCOPE_WRITE] = EVDB_SCOPE_WRITE,
                                   [OP_SCOPE_ADMIN] = EVDB_SCOPE_ADMIN };

/* An argument that must be there names a store. While it is missing nothing can happen: nobody can bind such a call. */
static bool is_of_a_store(const op *o)
{
    for (const op_field *f = o->args; f->name; f++)
        if ((f->flags & OP_NAMES_STORE) && (f->flags & OP_REQUIRED)) return true;
    return false;
}

/* Scopes of some stores are enough when they cover each store that is named, under whichever spelling. */
static bool covers_named(const op *o, const evdb_principal *who, const json_t *args)
{
    const char *key;
    json_t *value;
    if (!is_of_a_store(o) || o->scope == OP_SCOPE_ADMIN) return false; /* admin is for all stores */
    json_object_foreach((json_t *)args, key, value) {
        const op_field *f = op_field_find(o, key);
        if (!f || !(f->flags & OP_NAMES_STORE)) continue;
        if (!json_is_string(value) || !evdb_auth_scopes_allow(0, who->stores, bit_of[o->scope], json_string_value(value))) return false;
    }
    return true;
}

/* Can it be the name of a store? Anything else has no scope, and no place in a header. */
static bool is_name(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    return length && length <= EVDB_STORE_NAME_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

/* false: it names none, or what is no name. */
static bool put_scopes(const op *o, const json_t *args, char out[OP_SCOPES_BYTES])
{
    const char *key;
    json_t *value;
    size_t used = 0;
    json_object_foreach((json_t *)args, key, value) {
        const op_field *f = op_field_find(o, key);
        if (!f || !(f->flags & OP_NAMES_STORE)) continue;
        if (!is_name(json_string_value(value))) return false;
        int length = snprintf(out + used, OP_SCOPES_BYTES - used, "%s%s:%s", used ? " " : "", op_scope_name(o->scope), json_string_value(value));
        if (length < 0 || (used += (size_t)length) >= OP_SCOPES_BYTES) return false;
    }
    return used > 0;
}

const char *op_scopes_needed(const op *o, const evdb_principal *who, const json_t *args, char space[OP_SCOPES_BYTES])
{
    bool of_stores = who && !who->scopes && *who->stores && is_of_a_store(o) && o->scope != OP_SCOPE_ADMIN;
    return of_stores && put_scopes(o, args, space) ? space : op_scope_name(o->scope);
}

evdb_status op_allow(const op *o, const evdb_principal *who, const json_t *args, evdb_error *err)
{
    if (!who || (who->scopes & bit_of[o->scope])) return EVDB_OK; /* scopes hold what they include: admin sets all bits */
    if (*who->stores && (o->lists_stores || covers_named(o, who, args))) return EVDB_OK;
    char needed[OP_SCOPES_BYTES];
    return op_fail(err, EVDB_DENIED, "%s needs the scope '%s'", o->name, op_scopes_needed(o, who, args, needed));
}

bool op_may_see(const op_call *call, const char *store)
{
    return !call->who || evdb_auth_scopes_allow(call->who->scopes, call->who->stores, EVDB_SCOPE_READ, store);
}
