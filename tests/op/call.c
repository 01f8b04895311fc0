/* call.c - implements call.h. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool has_type(op_type type, const json_t *v)
{
    switch (type) {
    case OP_STRING:
    case OP_BYTES:
    case OP_CHOICE: return json_is_string(v);
    case OP_INTEGER:
    case OP_TIME: return json_is_integer(v);
    case OP_NUMBER: return json_is_number(v);
    case OP_BOOL: return json_is_boolean(v);
    case OP_ID: return json_is_integer(v) || json_is_string(v);
    case OP_OBJECT: return json_is_object(v);
    case OP_VECTOR:
    case OP_VECTORS:
    case OP_RECORDS:
    case OP_STRINGS:
    case OP_IDS:
    case OP_LIST:
    case OP_LISTS: return json_is_array(v);
    }
    return false;
}

/* Every field promised is there, of its type; nothing else is. */
static void check_shape(const op_result *fields, const json_t *reply)
{
    size_t seen = 0, i, k;
    json_t *item, *inner;
    for (const op_result *r = fields; r->name; r++) {
        const json_t *v = json_object_get(reply, r->name);
        if (!v && !(r->flags & OP_OPTIONAL)) fail_msg("'%s' is missing", r->name);
        if (v && !has_type(r->type, v)) fail_msg("'%s' has another type than declared", r->name);
        if (v && r->type == OP_LIST) json_array_foreach(v, i, item) check_shape(r->of, item);
        if (v && r->type == OP_LISTS)
            json_array_foreach(v, i, item) json_array_foreach(item, k, inner) check_shape(r->of, inner);
        seen += v != NULL;
    }
    assert_int_equal(seen, json_object_size(reply));
}

json_t *call_parse(const char *text)
{
    json_t *json = NULL;
    evdb_error err;
    if (op_parse(text, strlen(text), &json, &err) != EVDB_OK) fail_msg("%s: %s", text, err.message);
    return json;
}

evdb_status call_body(const op_call *how, const char *name, const char *text, const void *body, size_t size, json_t **reply,
                      evdb_error *err)
{
    op_call call = *how;
    op_slices slices;
    json_t *in = NULL;
    op_out out = OP_OUT;
    evdb_status rc = op_slices_parse(text, strlen(text), &slices, &in, err);
    slices.body = body;
    slices.body_size = size;
    if (rc == EVDB_OK) rc = op_run(op_find(name), &call, in, &slices, &out, err);
    op_slices_free(&slices);
    if (rc == EVDB_OK) *reply = call_parse(out.text);
    else assert_null(out.text);
    op_out_free(&out);
    json_decref(in);
    return rc;
}

evdb_status call_op(const op_call *how, const char *name, const char *text, json_t **reply, evdb_error *err)
{
    return call_body(how, name, text, NULL, 0, reply, err);
}

void call_expect(evdb *db, const char *name, const char *text, const char *expected)
{
    json_t *reply = NULL, *wanted = expected ? call_parse(expected) : NULL;
    evdb_error err;
    op_call how = { .db = db };
    if (call_op(&how, name, text, &reply, &err) != EVDB_OK) fail_msg("%s %s: %s", name, text, err.message);
    check_shape(op_find(name)->reply, reply);
    if (wanted && !json_equal(reply, wanted)) fail_msg("%s %s: %s", name, text, json_dumps(reply, 0));
    json_decref(reply);
    json_decref(wanted);
}

void call_fails(evdb *db, const char *name, const char *text, evdb_status status, const char *names)
{
    json_t *reply = NULL;
    evdb_error err;
    assert_int_equal(call_op(&(op_call){ .db = db }, name, text, &reply, &err), status);
    assert_null(reply);
    if (!strstr(err.message, names)) fail_msg("\"%s\" does not name %s", err.message, names);
}

int call_open(void **state)
{
    evdb *db = NULL;
    if (evdb_open(":memory:", NULL, &db, NULL) != EVDB_OK) return -1;
    call_expect(db, "create_store", "{\"name\":\"docs\",\"dim\":2,\"metric\":\"l2\",\"fields\":[\"lang\"]}", NULL);
    *state = db;
    return 0;
}

int call_close(void **state)
{
    evdb_close(*state);
    return 0;
}
