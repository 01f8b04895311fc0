/* op_binder.c - JSON object to argument struct: every protocol's only argument parser.
 *
 * Field types meet JSON in the bind_* functions, here and in op_vectors.c and op_records.c, and nowhere else. A value may be a
 * slice of the request's text (op_slices.h): numbers of vectors are read from it straight into floats, objects are handed on
 * as they were written. */
#include "op/op_bind.h"
#include "op/op_json.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: doubles up to here are exact integers */

evdb_status op_wrong_type(const op_field *f, const char *expected, evdb_error *err)
{
    return op_fail(err, EVDB_INVALID, "'%s' must be %s", f->name, expected);
}

static evdb_status bind_integer(const op_field *f, const json_t *v, int64_t *out, evdb_error *err)
{
    double real = json_real_value(v);
    int64_t n;
    if (json_is_integer(v)) n = json_integer_value(v);
    else if (json_is_real(v) && real == floor(real) && fabs(real) <= EXACT_MAX) n = (int64_t)real; /* 5.0 is an integer */
    else return op_wrong_type(f, "an integer", err);
    if (n < f->min || (f->max && n > f->max))
        return op_fail(err, EVDB_INVALID, "'%s' must be %" PRId64 "..%" PRId64 ", not %" PRId64, f->name, f->min, f->max, n);
    *out = n;
    return EVDB_OK;
}

static evdb_status bind_number(const op_field *f, const json_t *v, op_number *out, evdb_error *err)
{
    if (!json_is_number(v)) return op_wrong_type(f, "a number", err);
    double n = json_number_value(v);
    if (isinf((float)n)) return op_fail(err, EVDB_INVALID, "'%s' is beyond the range of float", f->name);
    *out = (op_number){ .value = (float)n, .given = true };
    return EVDB_OK;
}

static evdb_status bind_choice(const op_field *f, const json_t *v, uint32_t *out, evdb_error *err)
{
    if (!json_is_string(v)) return op_wrong_type(f, "a string", err);
    return f->choice->parse(json_string_value(v), out, err);
}

evdb_status op_check_count(const op_field *f, size_t count, evdb_error *err)
{
    if (count < (size_t)f->min)
        return op_fail(err, EVDB_INVALID, "'%s' needs at least %" PRId64 " item%s", f->name, f->min, f->min == 1 ? "" : "s");
    if (f->max && count > (size_t)f->max)
        return op_fail(err, EVDB_LIMIT, "'%s' has %zu items; at most %" PRId64 " are allowed", f->name, count, f->max);
    return EVDB_OK;
}

evdb_status op_bind_items(const op_field *f, const json_t *v, size_t item, void **out, evdb_error *err)
{
    size_t count = json_array_size(v);
    if (!json_is_array(v)) return op_wrong_type(f, "an array", err);
    evdb_status rc = op_check_count(f, count, err);
    if (rc != EVDB_OK) return rc;
    *out = calloc(count + 1, item); /* + 1: an empty array is not NULL */
    return *out ? EVDB_OK : op_fail(err, EVDB_NO_MEMORY, "out of memory for '%s'", f->name);
}

static evdb_status bind_strings(const op_field *f, const json_t *v, op_strings *out, evdb_error *err)
{
    void *at = NULL;
    evdb_status rc = op_bind_items(f, v, sizeof *out->at, &at, err);
    size_t count = rc == EVDB_OK ? json_array_size(v) : 0;
    out->at = at;
    for (; out->count < count; out->count++) {
        out->at[out->count] = json_string_value(json_array_get(v, out->count));
        if (!out->at[out->count])
            return op_fail(err, EVDB_INVALID, "'%s[%zu]' must be a string", f->name, out->count);
    }
    return rc;
}

static bool read_id(const json_t *v, evdb_id *out)
{
    if (json_is_integer(v)) *out = (evdb_id){ .number = json_integer_value(v) };
    else if (json_is_string(v)) *out = (evdb_id){ .text = json_string_value(v), .length = json_string_length(v) };
    else return false;
    return true;
}

static evdb_status bind_ids(const op_field *f, const json_t *v, op_ids *out, evdb_error *err)
{
    void *at = NULL;
    evdb_status rc = op_bind_items(f, v, sizeof *out->at, &at, err);
    size_t count = rc == EVDB_OK ? json_array_size(v) : 0;
    out->at = at;
    for (; out->count < count; out->count++)
        if (!read_id(json_array_get(v, out->count), &out->at[out->count]))
            return op_fail(err, EVDB_INVALID, "'%s[%zu]' must be an integer or a string", f->name, out->count);
    return rc;
}

/* A slice is known to be an object by its brackets alone: whoever takes it looks at the rest. */
static evdb_status bind_object(const op_field *f, const json_t *v, const op_slices *slices, char **out, evdb_error *err)
{
    const op_slice *slice = op_slice_of(slices, v);
    if (slice ? *slice->at != '{' : !json_is_object(v)) return op_wrong_type(f, "an object", err);
    *out = slice ? strndup(slice->at, slice->length) : json_dumps(v, JSON_COMPACT);
    return *out ? EVDB_OK : op_fail(err, EVDB_NO_MEMORY, "out of memory for '%s'", f->name);
}

static evdb_status bind_plain(const op_field *f, const json_t *v, void *at, evdb_error *err)
{
    switch (f->type) {
    case OP_STRING:
        if (!json_is_string(v)) return op_wrong_type(f, "a string", err);
        *(const char **)at = json_string_value(v);
        return EVDB_OK;
    case OP_BOOL:
        if (!json_is_boolean(v)) return op_wrong_type(f, "true or false", err);
        *(bool *)at = json_is_true(v);
        return EVDB_OK;
    case OP_ID: return read_id(v, at) ? EVDB_OK : op_wrong_type(f, "an integer or a string", err);
    case OP_INTEGER: return bind_integer(f, v, at, err);
    case OP_NUMBER: return bind_number(f, v, at, err);
    case OP_CHOICE: return bind_choice(f, v, at, err);
    case OP_STRINGS: return bind_strings(f, v, at, err);
    case OP_IDS: return bind_ids(f, v, at, err);
    case OP_BYTES: return op_bind_bytes(f, v, at, err);
    case OP_VECTOR:
    case OP_VECTORS:
    case OP_RECORDS:
    case OP_OBJECT:
    case OP_TIME:
    case OP_LIST:
    case OP_LISTS: break;
    }
    return op_fail(err, EVDB_INTERNAL, "'%s' has a type that only replies have", f->name);
}

static evdb_status bind_value(const op_field *f, const json_t *v, const op_slices *slices, void *at, evdb_error *err)
{
    const op_slice *slice = op_slice_of(slices, v);
    if (f->type == OP_VECTOR) return op_bind_vector(f, v, slices, at, err);
    if (f->type == OP_OBJECT) return bind_object(f, v, slices, at, err);
    if (f->type == OP_VECTORS && slice) return op_wrong_type(f, "an array of vectors", err);
    if (f->type == OP_VECTORS) return op_bind_vectors(f, v, slices, at, err);
    if (f->type == OP_RECORDS && slice) return op_wrong_type(f, "an array of objects", err);
    if (f->type == OP_RECORDS) return op_bind_records(f, v, slices, at, err);
    if (!slice) return bind_plain(f, v, at, err);
    json_t *whole = NULL; /* a list of ids, say: what was cut out is wanted as a tree after all */
    evdb_status rc = op_parse(slice->at, slice->length, &whole, err);
    if (rc == EVDB_OK) rc = bind_plain(f, whole, at, err);
    json_decref(whole);
    return rc;
}

static evdb_status bind_default(const op_field *f, void *at, evdb_error *err)
{
    if (f->flags & OP_REQUIRED) return op_fail(err, EVDB_INVALID, "'%s' is required", f->name);
    if (f->type == OP_INTEGER) *(int64_t *)at = f->def;
    if (f->type == OP_BOOL) *(bool *)at = f->def != 0;
    if (f->type == OP_CHOICE) *(uint32_t *)at = (uint32_t)f->def;
    if (f->type == OP_ID) *(evdb_id *)at = (evdb_id){ .text = "" };
    return EVDB_OK;
}

/* What can be said of the request before any field is looked at. */
static evdb_status check_request(const op *o, const json_t *in, const op_slices *slices, evdb_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(in)) return op_fail(err, EVDB_INVALID, "the arguments of %s must be a JSON object", o->name);
    json_object_foreach((json_t *)in, key, value) {
        const op_field *f = op_field_find(o, key);
        if (!f) return op_fail(err, EVDB_INVALID, "%s has no argument '%s'", o->name, key);
        if (f->alias && strcmp(key, f->name) != 0 && op_field_given(f, in, key))
            return op_fail(err, EVDB_INVALID, "'%s' and '%s' are the same argument; give one", f->name, key);
        const op_slice *slice = op_slice_of(slices, value);
        if (slice ? slice->depth > OP_DEPTH_MAX - 1 : op_json_deeper(value, OP_DEPTH_MAX - 1))
            return op_fail(err, EVDB_INVALID, "'%s' is nested too deep: a request may have %u levels", key, OP_DEPTH_MAX);
    }
    return EVDB_OK;
}

evdb_status op_bind(const op *o, const json_t *in, const op_slices *slices, void *args, evdb_error *err)
{
    memset(args, 0, o->args_size);
    evdb_status rc = check_request(o, in, slices, err);
    for (const op_field *f = o->args; rc == EVDB_OK && f->name; f++) {
        const json_t *v = op_field_given(f, in, NULL);
        void *at = (char *)args + f->offset;
        if (v && !json_is_null(v)) rc = bind_value(f, v, slices, at, err);
        else if (f->flags & OP_BODY && slices && slices->body) rc = op_bind_body(f, slices, at, err);
        else rc = bind_default(f, at, err);
    }
    if (rc != EVDB_OK) op_unbind(o, args);
    return rc;
}

void op_unbind(const op *o, void *args)
{
    for (const op_field *f = o->args; f->name; f++) {
        void *at = (char *)args + f->offset;
        if (f->type == OP_VECTOR) free(((op_vector *)at)->at);
        if (f->type == OP_VECTORS) op_unbind_vectors(at);
        if (f->type == OP_RECORDS) op_unbind_records(at);
        if (f->type == OP_STRINGS) free(((op_strings *)at)->at);
        if (f->type == OP_IDS) free(((op_ids *)at)->at);
        if (f->type == OP_BYTES) free(((op_bytes *)at)->at);
        if (f->type == OP_OBJECT) free(*(char **)at);
    }
    memset(args, 0, o->args_size);
}
