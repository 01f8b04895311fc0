/* op_inline.c - implements op/op_inline.h. */
#include "op/op_inline.h"
#include "op/op_json.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static evdb_status no_memory(const op *o, evdb_error *err) { return op_fail(err, EVDB_NO_MEMORY, "out of memory for the bytes of %s", o->name); }

/* ---- in ---- */

evdb_status op_inline_read(op_inline *i, const op *o, const json_t *in, evdb_error *err)
{
    const json_t *data = json_object_get(in, "data"), *base64 = json_object_get(in, "base64");
    if (o->stream != OP_STREAM_IN) return EVDB_OK;
    bool coded = json_is_true(base64);
    if (!data || json_is_null(data)) return op_fail(err, EVDB_INVALID, "'data' is missing");
    if (!json_is_string(data)) return op_fail(err, EVDB_INVALID, "'data' must be a string");
    if (base64 && !json_is_null(base64) && !json_is_boolean(base64)) return op_fail(err, EVDB_INVALID, "'base64' must be a boolean");
    const char *text = json_string_value(data);
    size_t length = json_string_length(data);
    if (!(i->bytes = malloc(length + 1))) return no_memory(o, err);
    i->size = length;
    if (!coded) memcpy(i->bytes, text, length);
    else if (sodium_base642bin((unsigned char *)i->bytes, length + 1, text, length, NULL, &i->size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return op_fail(err, EVDB_INVALID, "'data' must be base64");
    i->read = (op_memory){ .at = i->bytes, .size = i->size };
    return EVDB_OK;
}

/* ---- out ---- */

static evdb_status keep(void *context, const void *bytes, size_t count, evdb_error *err)
{
    op_inline *i = context;
    if (count > OP_REPLY_BYTES_MAX - i->size)
        return op_fail(err, EVDB_LIMIT, "it has more than %u bytes, too many for a reply: have it sent as a file", OP_REPLY_BYTES_MAX);
    size_t room = i->room ? i->room : 4096;
    while (room - i->size < count) room *= 2;
    char *at = room > i->room ? realloc(i->bytes, room) : i->bytes;
    if (!at) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the bytes of a reply");
    i->bytes = at;
    i->room = room;
    memcpy(at + i->size, bytes, count);
    i->size += count;
    return EVDB_OK;
}

static bool is_text(const op_inline *i) { return i->file.type && strcmp(i->file.type, "application/octet-stream") != 0; }

void op_inline_put(const op_inline *i, const op *o, op_out *reply)
{
    if (o->stream != OP_STREAM_OUT) return;
    op_out_bool(reply, "base64", !is_text(i));
    if (is_text(i)) op_out_bytes(reply, "data", i->bytes ? i->bytes : "", i->size);
    else op_out_base64(reply, "data", i->bytes, i->size);
}

/* ---- both ---- */

evdb_status op_inline_begin(op_inline *i, const op *o, op_call *call, const json_t *in, evdb_error *err)
{
    *i = (op_inline){ .args = json_copy((json_t *)in) }; /* shallow */
    if (!i->args) return no_memory(o, err);
    if (o->stream == OP_STREAM_IN) {
        (void)json_object_del(i->args, "data");
        (void)json_object_del(i->args, "base64");
    }
    i->source = op_memory_source(&i->read);
    i->sink = (evdb_sink){ i, keep };
    call->from = &i->source;
    call->to = &i->sink;
    call->file = &i->file;
    return EVDB_OK;
}

void op_inline_end(op_inline *i)
{
    free(i->bytes);
    json_decref(i->args);
}

/* ---- schemas ---- */

static json_t *with(json_t *schema, const char *data, const char *base64, const char *const *required)
{
    json_t *properties = json_object_get(schema, "properties"), *needed = json_object_get(schema, "required");
    bool ok = properties && op_json_put(properties, "data", json_pack("{s:s,s:s}", "type", "string", "description", data)) &&
              op_json_put(properties, "base64", json_pack("{s:s,s:s}", "type", "boolean", "description", base64));
    for (; ok && *required; required++) ok = json_array_append_new(needed, json_string(*required)) == 0;
    if (ok) return schema;
    json_decref(schema);
    return NULL;
}

json_t *op_inline_input_schema(const op *o, json_t *schema)
{
    static const char *const required[] = { "data", NULL };
    if (!schema || o->stream != OP_STREAM_IN) return schema;
    return with(schema, "The file's content.", "Whether 'data' is base64, as of a file that is no text it must be.", required);
}

json_t *op_inline_output_schema(const op *o, json_t *schema)
{
    static const char *const required[] = { "base64", "data", NULL };
    if (!schema || o->stream != OP_STREAM_OUT) return schema;
    return with(schema, "The file's content.", "Whether 'data' is base64, for the file is no text.", required);
}
