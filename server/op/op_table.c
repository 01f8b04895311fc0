/* op_table.c - op_print_table(): every operation as JSON. */
#include "op/op.h"

const char *op_scope_name(op_scope scope)
{
    static const char *const names[] = { [OP_SCOPE_READ] = "read", [OP_SCOPE_WRITE] = "write", [OP_SCOPE_ADMIN] = "admin" };
    return names[scope];
}

static const char *stream_name(op_stream stream)
{
    static const char *const names[] = { [OP_STREAM_NONE] = "none", [OP_STREAM_IN] = "in", [OP_STREAM_OUT] = "out" };
    return names[stream];
}

static const char *effect_name(op_effect effect)
{
    static const char *const names[] = { [OP_READS] = "reads", [OP_WRITES] = "writes", [OP_ADMINISTERS] = "administers" };
    return names[effect];
}

static json_t *entry(const op *o)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:b, s:b, s:b, s:o, s:o}", "name", o->name, "doc", o->doc, "method",
                     o->method, "path", o->path, "scope", op_scope_name(o->scope), "effect", effect_name(o->effect), "stream",
                     stream_name(o->stream), "resource", o->resource.uri, "raw_body", op_takes_body(o), "creates", o->creates != NULL, "tool", !o->no_tool,
                     "input", op_input_schema(o), "output", op_output_schema(o));
}

bool op_print_table(FILE *to)
{
    json_t *all = json_array();
    for (const op *const *o = ops; all && *o; o++) {
        json_t *one = entry(*o);
        if (!one || json_array_append_new(all, one)) {
            json_decref(all);
            all = NULL;
        }
    }
    bool printed = all && json_dumpf(all, to, JSON_INDENT(2)) == 0 && putc('\n', to) != EOF;
    json_decref(all);
    return printed;
}
