/* resources.c - implements mcp/resources.h. */
#include "mcp/resources.h"
#include "mcp/envelope.h"
#include "mcp/operation.h"
#include "mcp/params.h"
#include "op/choices.h"
#include "op/op_route.h"
#include <stdio.h>
#include <string.h>

#define MEDIA_TYPE "application/json"
enum { PAGE = 100, TEXT_BYTES = 256 };

const op *resources_of_stores(const op_field **name_of)
{
    for (const op *const *o = ops; *o; o++) {
        const char *first = (*o)->resource.uri ? strchr((*o)->resource.uri, '{') : NULL;
        char name[TEXT_BYTES];
        if (!first || strchr(first + 1, '{')) continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(first + 1, "}"), first + 1);
        *name_of = op_field_find(*o, name);
        if ((*name_of)->flags & OP_NAMES_STORE) return *o;
    }
    return NULL;
}

/* What can be said of a store without opening it once more. */
static void put_description(op_out *out, const evdb_store_info *info)
{
    char text[TEXT_BYTES];
    const char *metric = info->metric_name ? info->metric_name : choice_metric.name(info->metric), *type = choice_dtype.name(info->dtype);
    if (!metric || !type) snprintf(text, sizeof text, "Its files cannot be read.");
    else if (!info->dim) snprintf(text, sizeof text, "No vectors yet; metric %.128s.", metric);
    else snprintf(text, sizeof text, "Vectors of %u elements, %s; metric %.128s.", info->dim, type, metric);
    op_out_text(out, "description", text);
}

static void put_store(op_out *out, const op *o, const op_field *name_of, const evdb_store_info *info)
{
    char uri[OP_URI_BYTES_MAX], title[TEXT_BYTES];
    json_t *args = json_pack("{s:s}", name_of->name, info->name);
    if (!args || !op_uri(o, args, uri, sizeof uri)) out->failed = true; /* as any other want of memory, told by op_out_done() */
    else {
        snprintf(title, sizeof title, "%s %s", o->resource.title, info->name);
        op_out_open(out, NULL, '{');
        op_out_text(out, "uri", uri);
        op_out_text(out, "name", info->name);
        op_out_text(out, "title", title);
        put_description(out, info);
        op_out_text(out, "mimeType", MEDIA_TYPE);
        op_out_close(out, '}');
    }
    json_decref(args);
}

/* One page of them; the last of it when there is another, else NULL. */
static const char *put_stores(op_out *out, const op_call *call, evdb_store_info *const *list, size_t count, const char *after)
{
    const op_field *name_of;
    const op *o = resources_of_stores(&name_of);
    const char *last = NULL;
    size_t put = 0;
    for (size_t i = 0; o && i < count; i++) {
        if (strcmp(list[i]->name, after) <= 0 || !op_may_see(call, list[i]->name)) continue;
        if (put++ == PAGE) return last;
        put_store(out, o, name_of, list[i]);
        last = list[i]->name;
    }
    return NULL;
}

void resources_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    op_call call = operation_call(who);
    char after[EVDB_STORE_NAME_MAX + 1];
    evdb_store_info **list = NULL;
    size_t count = 0;
    evdb_error err;
    if (!params_page(m, reply, after, sizeof after)) return;
    if (evdb_store_list(who->db, &list, &count, &err) != EVDB_OK) {
        envelope_failure(m, reply, &err);
        return;
    }
    envelope_open(m, reply);
    op_out_open(&reply->text, "resources", '[');
    const char *last = put_stores(&reply->text, &call, list, count, after);
    if (!last && who->offer) who->offer->list(m->method, &reply->text);
    op_out_close(&reply->text, ']');
    if (last) params_next_page(&reply->text, last);
    evdb_store_list_free(list, count);
    envelope_cacheable(m, reply, 0, false);
    envelope_close(reply);
}

static void put_template(op_out *out, const op *o)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, "uriTemplate", o->resource.uri);
    op_out_text(out, "name", o->resource.name);
    op_out_text(out, "title", o->resource.title);
    op_out_text(out, "description", o->doc);
    op_out_text(out, "mimeType", MEDIA_TYPE);
    op_out_close(out, '}');
}

void resources_templates(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    if (!params_first_page(m, reply)) return;
    envelope_open(m, reply);
    op_out_open(&reply->text, "resourceTemplates", '[');
    for (const op *const *o = ops; *o; o++)
        if ((*o)->resource.uri) put_template(&reply->text, *o);
    if (who->offer) who->offer->list(m->method, &reply->text);
    op_out_close(&reply->text, ']');
    envelope_cacheable(m, reply, ENVELOPE_PROGRAM_TTL_MS, true);
    envelope_close(reply);
}

void resources_put(op_out *out, const char *key, const char *uri, const op_out *answer)
{
    op_out_open(out, key, '{');
    op_out_text(out, "uri", uri);
    op_out_text(out, "mimeType", MEDIA_TYPE);
    op_out_bytes(out, "text", answer->text, answer->size);
    op_out_close(out, '}');
}

evdb_status resources_find(const char *uri, const op **out, json_t **args, evdb_error *err)
{
    *out = NULL;
    *args = json_object();
    evdb_status rc = *args ? op_uri_find(uri, *args, out, err) : op_fail(err, EVDB_NO_MEMORY, "out of memory reading a URI");
    return rc == EVDB_OK && !*out ? op_fail(err, EVDB_NOT_FOUND, "there is no resource '%s'", uri) : rc;
}

static evdb_status read_one(const mcp_message *m, const mcp_caller *who, const char *uri, mcp_reply *reply, op_out *answer, evdb_error *err)
{
    const op *o;
    json_t *args;
    evdb_status rc = resources_find(uri, &o, &args, err);
    if (rc == EVDB_OK) rc = operation_run(o, args, m, who, reply, answer, err);
    json_decref(args);
    return rc;
}

void resources_read(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *uri = params_text(m, m->params, "uri");
    op_out answer = OP_OUT;
    evdb_error err;
    if (!uri) {
        envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.uri' must be a string, the URI of a resource");
        return;
    }
    evdb_status rc = read_one(m, who, uri, reply, &answer, &err);
    if (rc == EVDB_NOT_FOUND || rc == EVDB_INVALID) envelope_missing(m, reply, uri, &err);
    else if (rc != EVDB_OK) envelope_failure(m, reply, &err);
    else {
        envelope_open(m, reply);
        op_out_open(&reply->text, "contents", '[');
        resources_put(&reply->text, NULL, uri, &answer);
        op_out_close(&reply->text, ']');
        envelope_cacheable(m, reply, 0, false);
        envelope_close(reply);
    }
    op_out_free(&answer);
}
