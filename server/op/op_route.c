/* op_route.c - implements op/op_route.h. */
#include "op/op_route.h"
#include <stdio.h>
#include <string.h>

/* A parameter's value into args; pattern at its '{'. */
static evdb_status store(const op *o, const char *pattern, const char *path, size_t length, json_t *args, evdb_error *err)
{
    char name[40], value[EVDB_ID_BYTES_MAX + 1];
    json_t *json;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(pattern + 1, "}"), pattern + 1);
    if (length >= sizeof value) return op_fail(err, EVDB_INVALID, "'%s' in the path is too long", name);
    memcpy(value, path, length);
    value[length] = 0;
    const op_field *f = op_field_find(o, name);
    evdb_status rc = op_text_value(f, value, &json, err);
    if (rc != EVDB_OK) return rc;
    return json_object_set_new(args, f->name, json) ? op_fail(err, EVDB_NO_MEMORY, "out of memory") : EVDB_OK;
}

/* Walks pattern and path side by side. With `args` parameters are stored. */
static evdb_status match(const op *o, const char *pattern, const char *path, json_t *args, bool *matches, evdb_error *err)
{
    *matches = false;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return EVDB_OK;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (!length) return EVDB_OK;
        evdb_status rc = args ? store(o, pattern, path, length, args, err) : EVDB_OK;
        if (rc != EVDB_OK) return rc;
        pattern += strcspn(pattern, "}") + 1;
        path += length;
    }
    *matches = !*pattern && (!*path || strcmp(path, "/") == 0);
    return EVDB_OK;
}

static void add_allow(op_route *r, const char *method)
{
    size_t used = strlen(r->allow);
    if (!strstr(r->allow, method)) snprintf(r->allow + used, sizeof r->allow - used, "%s%s", used ? ", " : "", method);
}

/* Which methods the path has at all. */
static evdb_status find_allow(const char *path, op_route *out, evdb_error *err)
{
    for (const op *const *o = ops; *o; o++) {
        bool matches = false;
        evdb_status rc = match(*o, (*o)->path, path, NULL, &matches, err);
        if (rc != EVDB_OK) return rc;
        if (matches) add_allow(out, (*o)->method);
        if (matches && strcmp((*o)->method, "GET") == 0) add_allow(out, "HEAD");
    }
    if (*out->allow) add_allow(out, "OPTIONS");
    return EVDB_OK;
}

evdb_status op_route_find(const char *method, const char *path, json_t *args, op_route *out, evdb_error *err)
{
    *out = (op_route){ 0 };
    if (strcmp(method, "HEAD") == 0) method = "GET";
    for (const op *const *o = ops; *o; o++) {
        bool matches = false;
        if (strcmp(method, (*o)->method) != 0) continue;
        evdb_status rc = match(*o, (*o)->path, path, NULL, &matches, err);
        if (rc != EVDB_OK) return rc;
        if (!matches) continue;
        out->op = *o;
        return match(*o, (*o)->path, path, args, &matches, err);
    }
    return find_allow(path, out, err);
}

/* Appends; false when it does not fit or has a slash. */
static bool encode(const char *text, char *out, size_t room, size_t *used)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        if (*text == '/' || *used + 4 > room) return false;
        if (strchr(plain, *text)) out[(*used)++] = *text;
        else *used += (size_t)snprintf(out + *used, room - *used, "%%%02X", (unsigned char)*text);
    }
    return true;
}

bool op_route_path(const op *o, const char *pattern, const json_t *args, char *out, size_t room)
{
    size_t used = 0;
    while (*pattern) {
        char name[40], number[32];
        if (used + 2 > room) return false;
        if (*pattern != '{') {
            out[used++] = *pattern++;
            continue;
        }
        size_t length = strcspn(pattern + 1, "}");
        snprintf(name, sizeof name, "%.*s", (int)length, pattern + 1);
        pattern += length + 2;
        const op_field *f = op_field_find(o, name);
        const json_t *v = op_field_given(f, args, NULL);
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        if (!encode(json_is_string(v) ? json_string_value(v) : number, out, room, &used)) return false;
    }
    out[used] = 0;
    return true;
}
