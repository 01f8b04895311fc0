/* op_schema.c - field tables to JSON Schema (draft 2020-12). MCP tools/list and OpenAPI both call this. */
#include "op/op_json.h"

static json_t *reply_schema(const op_result *fields);
static json_t *fields_schema(const op_field *fields);

static bool put_text(json_t *s, const char *name, const char *text)
{
    return op_json_put(s, name, json_string(text));
}

/* Two schemas of one type each rather than a list of types, which models whose tools have OpenAPI's older dialect cannot be given. */
static bool put_id(json_t *s)
{
    return op_json_put(s, "anyOf", json_pack("[{s:s}, {s:s}]", "type", "integer", "type", "string"));
}

static json_t *id_schema(void)
{
    json_t *s = json_object();
    if (s && put_id(s)) return s;
    json_decref(s);
    return NULL;
}

static bool put_choice(json_t *s, const op_choice *choice)
{
    json_t *names = json_array();
    bool ok = names != NULL;
    for (uint32_t i = 1; ok && choice->name(i); i++) ok = json_array_append_new(names, json_string(choice->name(i))) == 0;
    return op_json_put(s, "enum", names) && ok;
}

static bool put_items(json_t *s, json_t *items)
{
    bool ok = put_text(s, "type", "array");
    return op_json_put(s, "items", items) && ok;
}

static json_t *vector_schema(void)
{
    return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "number");
}

static json_t *list_schema(const op_result *of)
{
    json_t *s = json_object();
    if (s && put_items(s, reply_schema(of))) return s;
    json_decref(s);
    return NULL;
}

/* The part that arguments and replies share: what the type alone says. */
static bool put_type(json_t *s, op_type type, const op_choice *choice, const op_result *of)
{
    switch (type) {
    case OP_STRING: return put_text(s, "type", "string");
    case OP_BYTES: return put_text(s, "type", "string") && put_text(s, "contentEncoding", "base64");
    case OP_INTEGER: return put_text(s, "type", "integer");
    case OP_TIME: return put_text(s, "type", "integer");
    case OP_NUMBER: return put_text(s, "type", "number");
    case OP_BOOL: return put_text(s, "type", "boolean");
    case OP_OBJECT: return put_text(s, "type", "object");
    case OP_CHOICE: return put_text(s, "type", "string") && put_choice(s, choice);
    case OP_ID: return put_id(s);
    case OP_VECTOR: return put_items(s, json_pack("{s:s}", "type", "number"));
    case OP_STRINGS: return put_items(s, json_pack("{s:s}", "type", "string"));
    case OP_IDS: return put_items(s, id_schema());
    case OP_VECTORS: return put_items(s, vector_schema());
    case OP_RECORDS: return put_items(s, fields_schema(op_record_fields));
    case OP_LIST: return put_items(s, reply_schema(of));
    case OP_LISTS: return put_items(s, list_schema(of));
    }
    return false;
}

static bool put_bounds(json_t *s, const op_field *f)
{
    bool list = f->type == OP_VECTOR || f->type == OP_VECTORS || f->type == OP_STRINGS || f->type == OP_IDS ||
                f->type == OP_RECORDS, ok = true;
    if (!list && f->type != OP_INTEGER) return true;
    if (!list || f->min) ok = op_json_put(s, list ? "minItems" : "minimum", json_integer(f->min));
    if (f->max) ok = op_json_put(s, list ? "maxItems" : "maximum", json_integer(f->max)) && ok;
    return ok;
}

static bool put_default(json_t *s, const op_field *f)
{
    if (f->flags & OP_REQUIRED) return true;
    if (f->type == OP_INTEGER) return op_json_put(s, "default", json_integer(f->def));
    if (f->type == OP_BOOL) return op_json_put(s, "default", json_boolean(f->def));
    if (f->type == OP_CHOICE && f->def) return put_text(s, "default", f->choice->name((uint32_t)f->def));
    return true;
}

/* An object schema of finished properties; takes both references and drops them when ok is false. */
static json_t *object_schema(json_t *properties, json_t *required, bool ok)
{
    json_t *s = json_object();
    ok = s && put_text(s, "type", "object") && ok;
    ok = op_json_put(s, "properties", properties) && ok;
    ok = op_json_put(s, "required", required) && ok;
    ok = ok && op_json_put(s, "additionalProperties", json_false());
    if (ok) return s;
    json_decref(s);
    return NULL;
}

static json_t *fields_schema(const op_field *fields)
{
    json_t *properties = json_object(), *required = json_array();
    bool ok = properties && required;
    for (const op_field *f = fields; ok && f->name; f++) {
        json_t *s = json_object();
        ok = s && put_type(s, f->type, f->choice, NULL) && put_text(s, "description", f->doc) && put_bounds(s, f) &&
             put_default(s, f) && (!(f->flags & OP_SECRET) || op_json_put(s, "writeOnly", json_true()));
        ok = op_json_put(properties, f->name, s) && ok;
        if (f->flags & OP_REQUIRED) ok = json_array_append_new(required, json_string(f->name)) == 0 && ok;
    }
    return object_schema(properties, required, ok);
}

json_t *op_input_schema(const op *o)
{
    return fields_schema(o->args);
}

static json_t *reply_schema(const op_result *fields)
{
    json_t *properties = json_object(), *required = json_array();
    bool ok = properties && required;
    for (const op_result *r = fields; ok && r->name; r++) {
        json_t *s = json_object();
        ok = s && put_type(s, r->type, r->choice, r->of) && put_text(s, "description", r->doc);
        ok = op_json_put(properties, r->name, s) && ok;
        if (!(r->flags & OP_OPTIONAL)) ok = json_array_append_new(required, json_string(r->name)) == 0 && ok;
    }
    return object_schema(properties, required, ok);
}

json_t *op_output_schema(const op *o)
{
    return reply_schema(o->reply);
}
