/* op_text.c - op_text_value(): words of paths, queries and command lines as JSON, by the type of their field. */
#include "op/op_route.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static evdb_status malformed(const op_field *f, const char *expected, const char *text, evdb_error *err)
{
    return op_fail(err, EVDB_INVALID, "'%s' must be %s, not '%.80s'", f->name, expected, text);
}

static bool to_integer(const char *text, json_int_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return !errno && end != text && !*end && (*text == '-' || (*text >= '0' && *text <= '9'));
}

/* What prints as the same integer is one; everything else (007, x, 99999999999999999999) is a string. */
static json_t *id_json(const char *text)
{
    json_int_t n;
    char canonical[32];
    if (!to_integer(text, &n)) return json_string(text);
    snprintf(canonical, sizeof canonical, "%" JSON_INTEGER_FORMAT, n);
    return strcmp(canonical, text) == 0 ? json_integer(n) : json_string(text);
}

static json_t *strings_json(const char *text, const char *between)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (const char *p = text; ok && p;) {
        size_t length = strcspn(p, between);
        ok = json_array_append_new(list, json_stringn(p, length)) == 0;
        p = p[length] ? p + length + 1 : NULL;
    }
    if (!ok) json_decref(list);
    return ok ? list : NULL;
}

static evdb_status number_json(const op_field *f, const char *text, json_t **out, evdb_error *err)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || !isfinite(n)) return malformed(f, "a number", text, err);
    *out = json_real(n);
    return EVDB_OK;
}

static evdb_status bool_json(const op_field *f, const char *text, json_t **out, evdb_error *err)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) return malformed(f, "true or false", text, err);
    *out = json_boolean(yes);
    return EVDB_OK;
}

/* By its canonical name, so that two spellings of one metric compare equal. */
static evdb_status choice_json(const op_field *f, const char *text, json_t **out, evdb_error *err)
{
    uint32_t value = 0;
    evdb_status rc = f->choice->parse(text, &value, err);
    if (rc == EVDB_OK) *out = json_string(f->choice->name(value));
    return rc;
}

evdb_status op_text_value(const op_field *f, const char *text, json_t **out, evdb_error *err)
{
    json_int_t n;
    evdb_status rc = EVDB_OK;
    *out = NULL;
    switch (f->type) {
    case OP_STRING: case OP_BYTES: *out = json_string(text); break;
    case OP_ID: *out = id_json(text); break;
    case OP_IDS: *out = json_pack("[o]", id_json(text)); break;
    case OP_STRINGS: *out = strings_json(text, f->flags & OP_SEMICOLONS ? ";" : ","); break;
    case OP_INTEGER:
        if (!to_integer(text, &n)) return malformed(f, "an integer", text, err);
        *out = json_integer(n);
        break;
    case OP_NUMBER: rc = number_json(f, text, out, err); break;
    case OP_BOOL: rc = bool_json(f, text, out, err); break;
    case OP_CHOICE: rc = choice_json(f, text, out, err); break;
    case OP_VECTOR: case OP_VECTORS: case OP_RECORDS: case OP_OBJECT: return op_parse(text, strlen(text), out, err);
    case OP_TIME: case OP_LIST: case OP_LISTS: return op_fail(err, EVDB_INTERNAL, "'%s' has a type that only replies have", f->name);
    }
    if (rc == EVDB_OK && !*out) rc = op_fail(err, EVDB_INVALID, "'%s': out of memory, or text that is not UTF-8", f->name);
    return rc;
}
