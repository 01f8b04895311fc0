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

/* Is it one of the words? */
static bool among(const char *words, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = words; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && memcmp(at, name, length) == 0) return true;
    return false;
}

const op_field *op_field_find(const op *o, const char *name)
{
    for (const op_field *f = o->args; f->name; f++)
        if (strcmp(f->name, name) == 0 || among(f->alias, name)) return f;
    return NULL;
}

json_t *op_field_given(const op_field *f, const json_t *args, const char *but)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)args, key, value)
        if ((!but || strcmp(key, but) != 0) && (strcmp(key, f->name) == 0 || among(f->alias, key))) return value;
    return NULL;
}
