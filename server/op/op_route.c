/* op_route.c - implements op/op_route.h. */
#include "op/op_route.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

typedef enum spelling {
    PATH, /* decoded already; a slash at the end means nothing */
    URI   /* percent-encoded, and every character counts */
} spelling;

/* Characters that need no escape in a segment of a URI (RFC 3986): `plain` nowhere, `allowed` in segments. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", allowed[] = "!$&'()*+,;=:@";

/* Whoever tidies a URI up takes these segments away, and then it leads elsewhere. */
static bool is_dots(const char *segment, size_t length)
{
    return (length == 1 || length == 2) && strspn(segment, ".") >= length;
}

/* A segment of a URI as text. Zero bytes cannot be part of one. */
static bool decode(const char *segment, size_t length, char *out, size_t room)
{
    if (is_dots(segment, length)) return false;
    for (const char *end = segment + length; segment < end; out++) {
        if (room-- < 2) return false;
        if (*segment != '%') {
            if (!strchr(plain, *segment) && !strchr(allowed, *segment)) return false;
            *out = *segment++;
            continue;
        }
        if (end - segment < 3 || sodium_hex2bin((unsigned char *)out, 1, segment + 1, 2, NULL, NULL, NULL) || !*out) return false;
        segment += 3;
    }
    *out = 0;
    return true;
}

/* A parameter's value into args; pattern at its '{'. */
static evdb_status store(const op *o, const char *pattern, const char *path, size_t length, spelling how, json_t *args, evdb_error *err)
{
    char name[40], value[EVDB_ID_BYTES_MAX + 1];
    json_t *json;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(pattern + 1, "}"), pattern + 1);
    if (how == PATH && length >= sizeof value) return op_fail(err, EVDB_INVALID, "'%s' in the path is too long", name);
    if (how == URI && !decode(path, length, value, sizeof value))
        return op_fail(err, EVDB_INVALID, "'%s' in the URI is too long, or not percent-encoded as it should be", name);
    if (how == PATH) snprintf(value, sizeof value, "%.*s", (int)length, path);
    const op_field *f = op_field_find(o, name);
    evdb_status rc = op_text_value(f, value, &json, err);
    if (rc != EVDB_OK) return rc;
    return json_object_set_new(args, f->name, json) ? op_fail(err, EVDB_NO_MEMORY, "out of memory") : EVDB_OK;
}

/* Walks pattern and path side by side. With `args` parameters are stored. */
static evdb_status match(const op *o, const char *pattern, const char *path, spelling how, json_t *args, bool *matches, evdb_error *err)
{
    *matches = false;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return EVDB_OK;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (!length) return EVDB_OK;
        evdb_status rc = args ? store(o, pattern, path, length, how, args, err) : EVDB_OK;
        if (rc != EVDB_OK) return rc;
        pattern += strcspn(pattern, "}") + 1;
        path += length;
    }
    *matches = !*pattern && (!*path || (how == PATH && strcmp(path, "/") == 0));
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
        evdb_status rc = match(*o, (*o)->path, path, PATH, NULL, &matches, err);
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
        evdb_status rc = match(*o, (*o)->path, path, PATH, NULL, &matches, err);
        if (rc != EVDB_OK) return rc;
        if (!matches) continue;
        out->op = *o;
        return match(*o, (*o)->path, path, PATH, args, &matches, err);
    }
    return find_allow(path, out, err);
}

evdb_status op_uri_find(const char *uri, json_t *args, const op **out, evdb_error *err)
{
    *out = NULL;
    for (const op *const *o = ops; *o; o++) {
        bool matches = false;
        const char *template = (*o)->resource.uri;
        evdb_status rc = template ? match(*o, template, uri, URI, NULL, &matches, err) : EVDB_OK;
        if (rc != EVDB_OK) return rc;
        if (!matches) continue;
        *out = *o;
        return match(*o, template, uri, URI, args, &matches, err);
    }
    return EVDB_OK;
}

/* Appends; false when it does not fit, or has what would not lead back: a slash in a path. */
static bool encode(const char *text, spelling how, char *out, size_t room, size_t *used)
{
    bool dots = how == URI && is_dots(text, strlen(text));
    for (; *text; text++) {
        if ((how == PATH && *text == '/') || *used + 4 > room) return false;
        if (strchr(plain, *text) && !dots) out[(*used)++] = *text;
        else *used += (size_t)snprintf(out + *used, room - *used, "%%%02X", (unsigned char)*text);
    }
    return true;
}

/* The pattern with its parameters filled in. */
static bool fill_in(const op *o, const char *pattern, const json_t *args, spelling how, char *out, size_t room)
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
        if (!encode(json_is_string(v) ? json_string_value(v) : number, how, out, room, &used)) return false;
    }
    out[used] = 0;
    return true;
}

bool op_route_path(const op *o, const char *pattern, const json_t *args, char *out, size_t room)
{
    return fill_in(o, pattern, args, PATH, out, room);
}

bool op_uri(const op *o, const json_t *args, char *out, size_t room)
{
    return fill_in(o, o->resource.uri, args, URI, out, room);
}
