/* filter_parse.c - from a filter's text to its nodes. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "filter/filter_private.h"
#include <evdb/store.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 64 }; /* bytes of a name that an error shows */

static evdb_status parse_filter(filter *f, json_t *object, unsigned depth, uint32_t *out, evdb_error *err);
static evdb_status parse_field(filter *f, const char *name, json_t *condition, unsigned depth, uint32_t *out, evdb_error *err);

static evdb_status too_deep(evdb_error *err)
{
    return error_set(err, EVDB_INVALID, "filter: nested more than %u deep", EVDB_FILTER_DEPTH_MAX);
}

static evdb_status add_node(filter *f, filter_node n, uint32_t *out, evdb_error *err)
{
    if (f->node_count == EVDB_FILTER_CONDITIONS_MAX)
        return error_set(err, EVDB_INVALID, "filter: more than %u conditions", EVDB_FILTER_CONDITIONS_MAX);
    n.next = NO_NODE;
    *out = f->node_count++;
    f->nodes[*out] = n;
    return EVDB_OK;
}

static evdb_status negate(filter *f, uint32_t child, uint32_t *out, evdb_error *err)
{
    return add_node(f, (filter_node){ .kind = NODE_NOT, .child = child }, out, err);
}

/* Nodes that belong together, as they are found: one alone needs no node above it. */
typedef struct group {
    node_kind kind;
    uint32_t first, last;
} group;

static void group_add(filter *f, group *g, uint32_t node)
{
    if (g->first == NO_NODE) g->first = node;
    else f->nodes[g->last].next = node;
    g->last = node;
}

static evdb_status group_end(filter *f, const group *g, uint32_t *out, evdb_error *err)
{
    *out = g->first;
    if (g->first != NO_NODE && g->first == g->last) return EVDB_OK;
    return add_node(f, (filter_node){ .kind = g->kind, .child = g->first }, out, err);
}

static evdb_status field_number(filter *f, const char *path, uint32_t *out, evdb_error *err)
{
    size_t length = strlen(path);
    if (length > EVDB_FIELD_NAME_MAX)
        return error_set(err, EVDB_INVALID, "filter: the field '%.*s...' has more than %u bytes", SHOWN, path, EVDB_FIELD_NAME_MAX);
    if (!length || *path == '.' || path[length - 1] == '.' || strstr(path, ".."))
        return error_set(err, EVDB_INVALID, "filter: the field '%.*s' has an empty name in it", SHOWN, path);
    for (*out = 0; *out < f->field_count; ++*out)
        if (strcmp(f->fields[*out], path) == 0) return EVDB_OK;
    if (f->field_count == EVDB_FILTER_FIELDS_MAX)
        return error_set(err, EVDB_INVALID, "filter: more than %u fields", EVDB_FILTER_FIELDS_MAX);
    f->fields[f->field_count++] = path;
    return EVDB_OK;
}

/* ---- operands ---- */

int operand_order(const filter_value *a, const filter_value *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return value_compare(a, b);
}

static int by_order(const void *a, const void *b) { return operand_order(a, b); }

static bool scalar(const json_t *j, filter_value *out)
{
    *out = (filter_value){ .kind = VALUE_NULL };
    switch (json_typeof(j)) {
    case JSON_NULL: return true;
    case JSON_TRUE: out->kind = VALUE_TRUE; return true;
    case JSON_FALSE: out->kind = VALUE_FALSE; return true;
    case JSON_INTEGER:
        out->kind = VALUE_NUMBER;
        out->whole = true;
        out->integer = json_integer_value(j);
        return true;
    case JSON_REAL:
        out->kind = VALUE_NUMBER;
        out->real = json_real_value(j);
        return true;
    case JSON_STRING:
        out->kind = VALUE_STRING;
        out->text = json_string_value(j);
        out->length = (uint32_t)json_string_length(j);
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY: break;
    }
    return false;
}

static evdb_status add_operand(filter *f, const char *path, const char *op, const json_t *j, evdb_error *err)
{
    if (f->operand_count == f->operand_room) {
        uint32_t room = f->operand_room ? f->operand_room * 2 : 8;
        filter_value *grown = mem_resize(f->mem, f->operands, room, sizeof(*grown));
        if (!grown) return error_no_memory(err, room * sizeof(*grown), "a filter");
        f->operands = grown;
        f->operand_room = room;
    }
    if (scalar(j, &f->operands[f->operand_count++])) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "filter: %s of '%.*s' is a string, number, boolean or null, not an %s", op, SHOWN, path,
                     json_is_object(j) ? "object (for a field within an object write 'outer.inner')" : "array (see $in)");
}

/* ---- conditions ---- */

typedef enum operand_shape { ONE, LIST, ORDERED, BOOLEAN, CONDITION } operand_shape;

static const struct operation {
    const char *name;
    operand_shape shape;
    node_kind kind;
    bool negated;
} operations[] = {
    { "$eq", ONE, NODE_IN, false },       { "$ne", ONE, NODE_IN, true },        { "$in", LIST, NODE_IN, false },
    { "$nin", LIST, NODE_IN, true },      { "$gt", ORDERED, NODE_GT, false },   { "$gte", ORDERED, NODE_GTE, false },
    { "$lt", ORDERED, NODE_LT, false },   { "$lte", ORDERED, NODE_LTE, false }, { "$exists", BOOLEAN, NODE_EXISTS, false },
    { "$not", CONDITION, NODE_NOT, true },
};

static const struct operation *find_operation(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        if (strcmp(operations[i].name, name) == 0) return &operations[i];
    return NULL;
}

static evdb_status take_operands(filter *f, const char *path, const struct operation *op, json_t *j, evdb_error *err)
{
    size_t at;
    json_t *each;
    evdb_status rc;
    if (op->shape == BOOLEAN) {
        if (json_is_boolean(j)) return EVDB_OK;
        return error_set(err, EVDB_INVALID, "filter: %s of '%.*s' is true or false", op->name, SHOWN, path);
    }
    if (op->shape == ORDERED && !json_is_number(j) && !json_is_string(j))
        return error_set(err, EVDB_INVALID, "filter: %s of '%.*s' is a number or a string", op->name, SHOWN, path);
    if (op->shape != LIST) return add_operand(f, path, op->name, j, err);
    if (!json_is_array(j)) return error_set(err, EVDB_INVALID, "filter: %s of '%.*s' is a list", op->name, SHOWN, path);
    json_array_foreach(j, at, each)
    {
        rc = add_operand(f, path, op->name, each, err);
        if (rc != EVDB_OK) return rc;
    }
    return EVDB_OK;
}

/* One operator with what it is given: {"$gt": 5}. */
static evdb_status parse_operation(filter *f, const char *path, const char *name, json_t *j, unsigned depth, uint32_t *out,
                                   evdb_error *err)
{
    const struct operation *op = find_operation(name);
    filter_node n = { .first = f->operand_count, .child = NO_NODE };
    evdb_status rc;
    if (!op) return error_set(err, EVDB_INVALID, "filter: unknown operator '%.*s' of '%.*s'", SHOWN, name, SHOWN, path);
    if (op->shape == CONDITION) {
        if (!json_is_object(j)) return error_set(err, EVDB_INVALID, "filter: $not of '%.*s' is an object with operators", SHOWN, path);
        TRY(parse_field(f, path, j, depth, &n.child, err));
        return negate(f, n.child, out, err);
    }
    n.kind = op->kind;
    TRY(field_number(f, path, &n.field, err));
    TRY(take_operands(f, path, op, j, err));
    n.count = f->operand_count - n.first;
    if (n.kind == NODE_IN && n.count > 1) qsort(f->operands + n.first, n.count, sizeof(*f->operands), by_order);
    TRY(add_node(f, n, out, err));
    bool opposite = op->shape == BOOLEAN ? json_is_false(j) : op->negated;
    if (opposite) rc = negate(f, *out, out, err);
out:
    return rc;
}

static evdb_status parse_field(filter *f, const char *path, json_t *condition, unsigned depth, uint32_t *out, evdb_error *err)
{
    group g = { NODE_AND, NO_NODE, NO_NODE };
    const char *name;
    json_t *j;
    uint32_t node;
    evdb_status rc;
    if (!json_is_object(condition)) return parse_operation(f, path, "$eq", condition, depth, out, err);
    if (depth == EVDB_FILTER_DEPTH_MAX) return too_deep(err);
    if (!json_object_size(condition))
        return error_set(err, EVDB_INVALID, "filter: '%.*s' is followed by an object without an operator", SHOWN, path);
    json_object_foreach(condition, name, j)
    {
        if (*name != '$')
            return error_set(err, EVDB_INVALID,
                             "filter: '%.*s' of '%.*s' is no operator (for a field within an object write 'outer.inner')", SHOWN, name,
                             SHOWN, path);
        TRY(parse_operation(f, path, name, j, depth + 1, &node, err));
        group_add(f, &g, node);
    }
    rc = group_end(f, &g, out, err);
out:
    return rc;
}

/* $and and $or, with a list of filters. */
static evdb_status parse_list(filter *f, const char *name, json_t *list, unsigned depth, uint32_t *out, evdb_error *err)
{
    group g = { strcmp(name, "$or") == 0 ? NODE_OR : NODE_AND, NO_NODE, NO_NODE };
    size_t at;
    json_t *each;
    uint32_t node;
    evdb_status rc;
    if (!json_is_array(list) || !json_array_size(list))
        return error_set(err, EVDB_INVALID, "filter: %s is a list of filters, at least one", name);
    if (depth == EVDB_FILTER_DEPTH_MAX) return too_deep(err);
    json_array_foreach(list, at, each)
    {
        if (!json_is_object(each)) return error_set(err, EVDB_INVALID, "filter: each of %s is an object", name);
        TRY(parse_filter(f, each, depth + 1, &node, err));
        group_add(f, &g, node);
    }
    rc = group_end(f, &g, out, err);
out:
    return rc;
}

static evdb_status parse_member(filter *f, const char *name, json_t *j, unsigned depth, uint32_t *out, evdb_error *err)
{
    evdb_status rc;
    if (*name != '$') return parse_field(f, name, j, depth, out, err);
    if (strcmp(name, "$and") == 0 || strcmp(name, "$or") == 0) return parse_list(f, name, j, depth, out, err);
    if (strcmp(name, "$not") != 0)
        return error_set(err, EVDB_INVALID, find_operation(name) ? "filter: the operator '%.*s' stands without a field"
                                                                 : "filter: unknown operator '%.*s'", SHOWN, name);
    if (!json_is_object(j)) return error_set(err, EVDB_INVALID, "filter: $not is a filter");
    TRY(parse_filter(f, j, depth, out, err));
    rc = negate(f, *out, out, err);
out:
    return rc;
}

static evdb_status parse_filter(filter *f, json_t *object, unsigned depth, uint32_t *out, evdb_error *err)
{
    group g = { NODE_AND, NO_NODE, NO_NODE };
    const char *name;
    json_t *j;
    uint32_t node;
    evdb_status rc;
    if (depth == EVDB_FILTER_DEPTH_MAX) return too_deep(err);
    json_object_foreach(object, name, j)
    {
        TRY(parse_member(f, name, j, depth + 1, &node, err));
        group_add(f, &g, node);
    }
    rc = group_end(f, &g, out, err);
out:
    return rc;
}

/* ---- the whole ---- */

static int add_text(const char *bytes, size_t size, void *context) { return buf_add(context, bytes, size) ? 0 : -1; }

static evdb_status read_text(filter *f, const char *text, evdb_error *err)
{
    json_error_t why;
    size_t length = strnlen(text, EVDB_FILTER_BYTES_MAX + 1);
    if (length > EVDB_FILTER_BYTES_MAX) return error_set(err, EVDB_INVALID, "filter: has more than %u bytes", EVDB_FILTER_BYTES_MAX);
    f->tree = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (!f->tree) return error_set(err, EVDB_INVALID, "filter: is not valid JSON: %s (at byte %d)", why.text, why.position);
    if (!json_is_object(f->tree)) return error_set(err, EVDB_INVALID, "filter: is not a JSON object");
    return EVDB_OK;
}

evdb_status filter_parse(const evdb_allocator *mem, const char *text, filter **out, evdb_error *err)
{
    filter *f = mem_zero(mem, sizeof(*f));
    filter_node *fitting;
    uint32_t root;
    evdb_status rc;
    if (!f) return error_no_memory(err, sizeof(*f), "a filter");
    f->mem = mem;
    buf_init(&f->canonical, mem);
    TRY(read_text(f, text, err));
    if (!(f->nodes = mem_array(mem, EVDB_FILTER_CONDITIONS_MAX, sizeof(*f->nodes))))
        TRY(error_no_memory(err, EVDB_FILTER_CONDITIONS_MAX * sizeof(*f->nodes), "a filter"));
    TRY(parse_filter(f, f->tree, 0, &root, err));
    if ((fitting = mem_resize(mem, f->nodes, f->node_count, sizeof(*fitting)))) f->nodes = fitting;
    if (json_dump_callback(f->tree, add_text, &f->canonical, JSON_COMPACT | JSON_SORT_KEYS) != 0 || !buf_terminate(&f->canonical))
        TRY(error_no_memory(err, f->canonical.size, "a filter"));
    *out = f;
    return rc;
out:
    filter_free(f);
    return rc;
}

void filter_free(filter *f)
{
    if (!f) return;
    json_decref(f->tree);
    buf_free(&f->canonical);
    mem_free(f->mem, f->nodes);
    mem_free(f->mem, f->operands);
    mem_free(f->mem, f);
}
