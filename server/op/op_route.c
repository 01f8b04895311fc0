/* op_route.c - implements op/op_route.h. */
#include "op/op_route.h"
#include <stdio.h>
#include <string.h>

/* Walks pattern and path side by side. With `args` parameters are stored. */
static evdb_status match(const op *o, const char *pattern, const char *path, json_t *args, bool *matches, evdb_error *err)
{
    *matches = false;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return EVDB_OK;
            continue;
        }
        char name[40], value[EVDB_ID_BYTES_MAX + 1];
        size_t name_length = strcspn(pattern + 1, "}"), length = strcspn(path, "/");
        if (!length) return EVDB_OK;
        snprintf(name, sizeof name, "%.*s", (int)name_length, pattern + 1);
        pattern += name_length + 2;
        if (args) {
            const op_field *f = op_field_find(o, name);
            json_t *json;
            if (length >= sizeof value) return op_fail(err, EVDB_INVALID, "'%s' in the path is too long", name);
            snprintf(value, sizeof value, "%.*s", (int)length, path);
            evdb_status rc = op_text_value(f, value, &json, err);
            if (rc != EVDB_OK) return rc;
            if (json_object_set_new(args, f->name, json)) return op_fail(err, EVDB_NO_MEMORY, "out of memory");
        }
        path += length;
    }
    *matches = !*pattern && !*path;
    return EVDB_OK;
}

static void add_allow(op_route *r, const char *method)
{
    size_t used = strlen(r->allow);
    if (!strstr(r->allow, method)) snprintf(r->allow + used, sizeof r->allow - used, "%s%s", used ? ", " : "", method);
}

evdb_status op_route_find(const char *method, const char *path, json_t *args, op_route *out, evdb_error *err)
{
    *out = (op_route){ 0 };
    for (const op *const *o = ops; *o; o++) {
        bool matches = false;
        evdb_status rc = match(*o, (*o)->path, path, NULL, &matches, err);
        if (rc != EVDB_OK) return rc;
        if (!matches) continue;
        add_allow(out, (*o)->method);
        if (strcmp(method, (*o)->method) != 0 || out->op) continue;
        out->op = *o;
        if ((rc = match(*o, (*o)->path, path, args, &matches, err)) != EVDB_OK) return rc;
    }
    return EVDB_OK;
}
