/* origin.c - implements origin.h. Only the beginning of the document is looked at; the import judges it. */
#include "origin.h"
#include <string.h>

#define HEAD_BYTES 65536 /* a store's description is a few hundred */

/* Behind white space and one `token`, or NULL. */
static const char *after(const char *p, const char *token)
{
    if (!p) return NULL;
    p += strspn(p, " \t\r\n");
    return strncmp(p, token, strlen(token)) == 0 ? p + strlen(token) : NULL;
}

static json_t *read_head(source *from)
{
    char head[HEAD_BYTES + 1];
    size_t got = fread(head, 1, HEAD_BYTES, from->file);
    rewind(from->file);
    head[got] = '\0';
    const char *store = after(after(after(head, "{"), "\"store\""), ":");
    return store ? json_loads(store, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static bool fill(json_t *args, const char *key, const char *value)
{
    return !value || json_object_get(args, key) || json_object_set_new(args, key, json_string(value)) == 0;
}

bool origin_fill_foreign(const evdb_foreign_info *info, json_t *args)
{
    return fill(args, "metric", info->metric ? evdb_metric_name(info->metric) : NULL) &&
           fill(args, "dtype", info->dtype ? evdb_dtype_name(info->dtype) : NULL);
}

bool origin_fill(source *from, const op *o, json_t *args)
{
    const char *key;
    json_t *value, *store = read_head(from);
    bool ok = true;
    /* the name of a metric belongs to the metric it came with */
    const char *metric = json_string_value(json_object_get(args, "metric"));
    bool renamed = metric && strcmp(metric, "custom") != 0;
    json_object_foreach(store, key, value) {
        const op_field *f = op_field_find(o, key);
        if (!f || f->position || json_object_get(args, key) || (renamed && strcmp(key, "metric_name") == 0)) continue;
        ok = json_object_set(args, key, value) == 0 && ok;
    }
    json_decref(store);
    return ok;
}
