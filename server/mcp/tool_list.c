/* tool_list.c - implements mcp/tool_list.h. */
#include "mcp/tool_list.h"
#include "op/op_inline.h"
#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_BYTES = 64 };

static void put_schema(op_out *o, const char *key, json_t *schema)
{
    char *text = schema ? json_dumps(schema, JSON_COMPACT) : NULL;
    if (text) op_out_json(o, key, text, strlen(text));
    else o->failed = true; /* as any other want of memory, told by op_out_done() */
    free(text);
    json_decref(schema);
}

/* What a client may want to know before it lets a model call the tool. */
static void put_annotations(op_out *out, const op *o)
{
    op_out_open(out, "annotations", '{');
    op_out_bool(out, "readOnlyHint", o->effect == OP_READS);
    op_out_bool(out, "destructiveHint", o->destroys);
    op_out_bool(out, "idempotentHint", !o->creates);
    op_out_bool(out, "openWorldHint", false); /* nothing leaves the database */
    op_out_close(out, '}');
}

/* For people: "create_store" as "Create store". */
static void put_title(op_out *out, const char *name)
{
    char title[TITLE_BYTES];
    snprintf(title, sizeof title, "%s", name);
    *title = (char)toupper((unsigned char)*title);
    for (char *p = title; *p; p++)
        if (*p == '_') *p = ' ';
    op_out_text(out, "title", title);
}

static void put_tool(op_out *out, const op *o)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, "name", o->name);
    put_title(out, o->name);
    op_out_text(out, "description", o->doc);
    put_schema(out, "inputSchema", op_inline_input_schema(o, op_input_schema(o)));
    put_schema(out, "outputSchema", op_inline_output_schema(o, op_output_schema(o)));
    put_annotations(out, o);
    op_out_open(out, "_meta", '{');
    op_out_text(out, "evdb/scope", op_scope_name(o->scope));
    op_out_close(out, '}');
    op_out_close(out, '}');
}

static void free_list(op_out *list)
{
    if (list) op_out_free(list);
    free(list);
}

/* NULL when memory ran out. */
static op_out *make_list(void)
{
    op_out *list = calloc(1, sizeof *list);
    for (const op *const *o = ops; list && *o; o++)
        if (!(*o)->no_tool) put_tool(list, *o);
    if (list && op_out_done(list, NULL) == EVDB_OK) return list;
    free_list(list);
    return NULL;
}

void tool_list_put(op_out *out)
{
    static _Atomic(op_out *) made;
    op_out *list = atomic_load(&made), *nobodys = NULL;
    if (!list && (list = make_list()) && !atomic_compare_exchange_strong(&made, &nobodys, list)) {
        free_list(list); /* another thread was first */
        list = nobodys;
    }
    if (list) op_out_json(out, NULL, list->text, list->size);
    else out->failed = true;
}
