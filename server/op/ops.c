/* ops.c - the registry: ops.def as a table, and look-ups in it. */
#include "op/ops.h"
#include <string.h>

const op *const ops[] = {
#define OP(name) &op_##name,
#include "op/ops.def"
#undef OP
    NULL
};

const op *op_find(const char *name)
{
    for (const op *const *o = ops; *o; o++)
        if (strcmp((*o)->name, name) == 0) return *o;
    return NULL;
}

bool op_takes_body(const op *o)
{
    const op_field *f = o->args;
    while (f->name && !(f->flags & OP_BODY)) f++;
    return f->name != NULL;
}

const op_field *op_field_find(const op *o, const char *name)
{
    for (const op_field *f = o->args; f->name; f++)
        if (strcmp(f->name, name) == 0 || (f->alias && strcmp(f->alias, name) == 0)) return f;
    return NULL;
}
