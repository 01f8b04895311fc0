/* mcp_script.c - implements mcp_script.h.
 *
 * A message is: a byte for era and kind, what the kind takes, and for a tool a byte for each of its arguments and what that takes. */
#include "mcp_script.h"
#include "choose.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { RAW_MAX = 63 };

/* What each request of the modern era carries, and what it must not. */
static const char version_key[] = "\"io.modelcontextprotocol/protocolVersion\":", abilities_key[] = "\"io.modelcontextprotocol/clientCapabilities\":";
static const char *const versions[] = { "\"2026-07-28\"", "\"2026-07-28\"", "\"2026-07-28\"", "\"2025-11-25\"", "\"2031-01-01\"", "5", "null", "[1,2,3,4,5,6,7,8,9]" };
static const char *const abilities[] = { "{}", "{}", "{\"sampling\":{}}", "{\"roots\":{}}", "[]", "null", "{}", "\"x\"" };
static const char *const tokens[] = { "1", "\"t\"", "null", "{}" };

static const char *const methods[] = { "initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list", "resources/templates/list", "resources/read",
    "resources/subscribe", "resources/unsubscribe", "prompts/list", "prompts/get", "completion/complete", "subscriptions/listen", "logging/setLevel",
    "notifications/initialized", "notifications/cancelled", "notifications/progress", "sampling/createMessage", "elicitation/create", "tasks/get", "x" };
static const char *const params[] = { "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}", "\"cursor\":\"x\"", "\"cursor\":null", "\"uri\":\"evdb://stores/a\"",
    "\"uri\":\"evdb://stores/a/records/1\"", "\"uri\":\"evdb://stores/%C3%A4/records/%00\"", "\"uri\":5", "\"name\":\"x\",\"arguments\":{}", "\"requestId\":1",
    "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"evdb://stores/{name}\"},\"argument\":{\"name\":\"name\",\"value\":\"a\"}",
    "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"x\"},\"argument\":{\"name\":\"store\",\"value\":\"\"},\"context\":{\"arguments\":{\"name\":\"a\"}}",
    "\"notifications\":{\"resourceSubscriptions\":[\"evdb://stores/a\"]}", "\"name\":5", "\"name\":\"list_stores\"" };
static const char *const numbers[] = { "0", "1", "-1", "2", "10", "100", "65537", "2147483648", "-9223372036854775808", "9223372036854775807", "0.5", "0.999",
    "1e3", "1e39", "-0.0", "1e-320" };
static const char *const wrong[] = { "null", "true", "[]", "{}", "\"\"", "\"x\"", "5", "[1,2,3,4,5,6,7,8,9]", "{\"a\":{\"a\":[{}]}}", "\"\\u0001\"", "\"\\u00010\"", "[[1,2],[3]]" };

static unsigned next(mcp_script *s) { return s->at < s->end ? *s->at++ : 0; }

static void put(mcp_script *s, const char *format, ...)
{
    va_list values;
    size_t room = sizeof s->text - s->length;
    va_start(values, format);
    int length = vsnprintf(s->text + s->length, room, format, values);
    va_end(values);
    s->length += (size_t)length < room ? (size_t)length : room - 1;
}

#define PICK(list, byte) (list)[(byte) % (sizeof(list) / sizeof *(list))]

/* Bytes of the input as they are. */
static void put_raw(mcp_script *s)
{
    unsigned length = next(s) % (RAW_MAX + 1);
    for (; length && s->at < s->end && s->length + 1 < sizeof s->text; length--) s->text[s->length++] = (char)*s->at++;
}

static void put_id(mcp_script *s, unsigned byte)
{
    if (byte & 1) put(s, "%u", byte >> 5);
    else put(s, "\"r%u\"", byte >> 5);
}

static void put_vector(mcp_script *s)
{
    unsigned byte = next(s), dim = byte % 8 ? 2 : byte >> 3;
    put(s, "[");
    for (unsigned i = 0; i < dim; i++) put(s, i ? ",%s%d.%u" : "%s%d.%u", byte & 0x80 ? "-" : "", (int)((byte >> 3) + i), i);
    put(s, "]");
}

static void put_object(mcp_script *s, bool filter)
{
    static const char *const operators[] = { "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists", "$x" };
    unsigned byte = next(s);
    if (!filter) put(s, "{\"n\":%u,\"t\":\"x\"}", byte);
    else if (byte & 1) put(s, "{\"n\":{\"%s\":%u}}", PICK(operators, byte >> 4), byte);
    else put(s, "{\"$%s\":[{\"n\":%u},{\"t\":{\"$in\":[\"x\",null]}}]}", byte & 2 ? "or" : "and", byte);
}

static void put_record(mcp_script *s)
{
    put(s, "{\"id\":");
    put_id(s, next(s));
    put(s, ",\"vector\":");
    put_vector(s);
    put(s, ",\"metadata\":");
    put_object(s, false);
    put(s, "}");
}

static void put_choice(mcp_script *s, const op_choice *choice)
{
    uint32_t count = 1;
    while (choice->name(count)) count++;
    const char *name = count > 1 ? choice->name(1 + next(s) % (count - 1)) : NULL;
    put(s, "\"%s\"", name ? name : "");
}

static void put_string(mcp_script *s, const op_field *f)
{
    static const char *const names[] = { "a", "a", "a", "a", "b", "c", "\\u00e4", "a/b" };
    if (f->flags & OP_NAMES_STORE) put(s, "\"%s\"", PICK(names, next(s)));
    else put(s, "\"%s\"", PICK(names, next(s) >> 1));
}

typedef void item_writer(mcp_script *s);
static void put_any_id(mcp_script *s) { put_id(s, next(s)); }
static void put_text(mcp_script *s) { put(s, "\"%s\"", next(s) & 1 ? "f16" : "int8"); }

static void put_list(mcp_script *s, item_writer *item)
{
    unsigned count = next(s) % 4;
    put(s, "[");
    for (unsigned i = 0; i < count; i++) {
        if (i) put(s, ",");
        item(s);
    }
    put(s, "]");
}

/* What a field of this type usually holds. */
static void put_typical(mcp_script *s, const op_field *f)
{
    switch (f->type) {
    case OP_STRING: put_string(s, f); break;
    case OP_INTEGER:
    case OP_NUMBER: put(s, "%s", PICK(numbers, next(s))); break;
    case OP_BOOL: put(s, "%s", next(s) & 1 ? "true" : "false"); break;
    case OP_CHOICE: put_choice(s, f->choice); break;
    case OP_ID: put_any_id(s); break;
    case OP_VECTOR: put_vector(s); break;
    case OP_VECTORS: put_list(s, put_vector); break;
    case OP_RECORDS: put_list(s, put_record); break;
    case OP_OBJECT: put_object(s, strcmp(f->name, "filter") == 0); break;
    case OP_IDS: put_list(s, put_any_id); break;
    case OP_STRINGS: put_list(s, put_text); break;
    default: put(s, "\"AACAPwAAAEA=\""); /* base64 of 1 and 2 */
    }
}

/* ---- messages ---- */

static void put_argument(mcp_script *s, const op_field *f)
{
    unsigned how = next(s);
    bool optional = !(f->flags & OP_REQUIRED);
    if (how % 16 == 15 || (optional && how % 4)) return; /* left out */
    put(s, "%s\"%s\":", s->text[s->length - 1] == '{' ? "" : ",", f->name);
    if (how % 32 == 8) put_raw(s);
    else if (how % 32 == 16) put(s, "%s", PICK(wrong, next(s)));
    else put_typical(s, f);
}

static void put_meta(mcp_script *s, unsigned era)
{
    if (era == 0) return;
    unsigned version = era == 3 ? next(s) : era == 2 ? 0x40 : 0, able = era == 3 ? next(s) : 0;
    put(s, "\"_meta\":{%s%s,%s%s", version_key, PICK(versions, version), abilities_key, PICK(abilities, able));
    if (version & 0x40) put(s, ",\"progressToken\":%s", PICK(tokens, version >> 3));
    put(s, "}");
}

static void put_call(mcp_script *s)
{
    const uint8_t choice[CHOICE_BYTES] = { (uint8_t)next(s), (uint8_t)next(s) };
    const op *o = choose_op(choice);
    put(s, "\"name\":\"%s\",\"arguments\":{", o->name);
    for (const op_field *f = o->args; f->name; f++) put_argument(s, f);
    if (o->stream == OP_STREAM_IN) put(s, "%s\"data\":\"{\\\"id\\\":7,\\\"vector\\\":[1,2]}\"", s->text[s->length - 1] == '{' ? "" : ",");
    put(s, "}");
}

bool mcp_script_next(mcp_script *s)
{
    if (s->at >= s->end) return false;
    unsigned how = next(s), kind = how >> 2 & 7;
    s->length = 0;
    if (kind == 7) {
        put_raw(s);
        return true;
    }
    const char *method = kind < 5 ? "tools/call" : PICK(methods, next(s));
    put(s, kind == 6 ? "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{" : "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{", method);
    put_meta(s, how & 3);
    if (s->text[s->length - 1] == '}') put(s, ",");
    if (kind < 5) put_call(s);
    else put(s, "%s", PICK(params, next(s)));
    if (how & 0x20) put(s, ",\"more\":[%s]", PICK(wrong, next(s)));
    put(s, "}}");
    return true;
}
