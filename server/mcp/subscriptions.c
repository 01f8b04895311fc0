/* subscriptions.c - implements mcp/subscriptions.h. What a URI leads to is said by the operation table, or by an offer. */
#include "mcp/subscriptions.h"
#include "mcp/envelope.h"
#include "mcp/hub.h"
#include "mcp/operation.h"
#include "mcp/params.h"
#include "mcp/resources.h"
#include <stdlib.h>
#include <string.h>

/* ---- URIs ---- */

typedef enum found { FOUND, MISSING /* why is in *err */, ANSWERED /* as an error */ } found;

static found failed(const mcp_message *m, mcp_reply *reply, const evdb_error *why)
{
    envelope_failure(m, reply, why);
    return ANSWERED;
}

/* What the URI leads to, if the caller may read that. Its arguments are to be freed. */
static found find_topic(const mcp_message *m, const mcp_caller *who, const char *uri, mcp_reply *reply, hub_topic *out, evdb_error *err)
{
    const op *o;
    json_t *args;
    *out = (hub_topic){ .uri = uri };
    if (who->offer && who->offer->watched && who->offer->watched(uri)) return FOUND;
    evdb_status rc = resources_find(uri, &o, &args, err);
    if (rc == EVDB_OK && op_allow(o, who->who, args, err) != EVDB_OK) {
        operation_refused(o, args, who, reply);
        rc = EVDB_DENIED;
    }
    if (rc == EVDB_OK) {
        out->op = o;
        out->args = args;
        return FOUND;
    }
    json_decref(args);
    return rc == EVDB_NOT_FOUND || rc == EVDB_INVALID ? MISSING : failed(m, reply, err);
}

static void free_topic(hub_topic *t) { json_decref((json_t *)t->args); }

/* ---- modern ---- */

static void misshapen(const mcp_message *m, mcp_reply *reply, const char *what, const char *must)
{
    evdb_error why;
    (void)op_fail(&why, EVDB_INVALID, "'params.notifications%s' must be %s", what, must);
    envelope_error(m, reply, MCP_INVALID_PARAMS, why.message);
}

static const struct { const char *name, *path; unsigned bit; } kinds[] = {
    { "toolsListChanged", ".toolsListChanged", MCP_TOOLS_CHANGED },
    { "promptsListChanged", ".promptsListChanged", MCP_PROMPTS_CHANGED },
    { "resourcesListChanged", ".resourcesListChanged", MCP_RESOURCES_CHANGED },
};

/* Lists of tools and prompts change with the program alone, unless somebody offers others. */
static bool read_lists(const mcp_message *m, const mcp_caller *who, const json_t *asked, mcp_reply *reply, unsigned *out)
{
    unsigned ours = MCP_RESOURCES_CHANGED | (who->offer && who->offer->lists_change ? MCP_TOOLS_CHANGED | MCP_PROMPTS_CHANGED : 0);
    *out = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const json_t *given = json_object_get(asked, kinds[i].name);
        if (given && !json_is_boolean(given)) {
            misshapen(m, reply, kinds[i].path, "true or false");
            return false;
        }
        if (json_is_true(given)) *out |= kinds[i].bit & ours;
    }
    return true;
}

static bool is_list_of_texts(const mcp_message *m, const json_t *uris)
{
    if (op_slice_of(&m->slices, uris) || !json_is_array(uris)) return false;
    for (size_t i = 0; i < json_array_size(uris); i++)
        if (!mcp_text(m, json_array_get(uris, i))) return false;
    return true;
}

static bool among(const hub_topic *topics, size_t count, const char *uri)
{
    size_t i = 0;
    while (i < count && strcmp(topics[i].uri, uri) != 0) i++;
    return i < count;
}

/* Those that lead somewhere: others are not honoured, which the acknowledgement tells. False when the request is answered: that it is refused
 * is told once, with all that it needs. */
static bool read_topics(const mcp_message *m, const mcp_caller *who, const json_t *uris, mcp_reply *reply, hub_topic *topics, size_t *count)
{
    evdb_error err;
    bool answered = false;
    for (size_t i = 0; i < json_array_size(uris); i++) {
        const char *uri = json_string_value(json_array_get(uris, i));
        if (among(topics, *count, uri)) continue;
        found f = find_topic(m, who, uri, reply, &topics[*count], &err);
        if (f == ANSWERED && !reply->refused) return false;
        answered |= f == ANSWERED;
        if (f == FOUND) ++*count;
    }
    return !answered;
}

static void open_subscription(const mcp_message *m, const mcp_caller *who, const json_t *uris, hub_filter *filter, mcp_reply *reply)
{
    hub_topic topics[MCP_URIS_MAX];
    evdb_error err;
    filter->topics = topics;
    if (read_topics(m, who, uris, reply, topics, &filter->count)) {
        if (hub_listen(who->hub, who, m->id, filter, &err) == EVDB_OK) reply->kept = true;
        else envelope_failure(m, reply, &err);
    }
    for (size_t i = 0; i < filter->count; i++) free_topic(&topics[i]);
}

void subscriptions_listen(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const json_t *asked = json_object_get(m->params, "notifications"), *uris = json_object_get(asked, "resourceSubscriptions");
    hub_filter filter = { .lists = 0 };
    evdb_error err;
    if (!json_is_object(asked)) misshapen(m, reply, "", "an object that says what to be told of");
    else if (uris && !is_list_of_texts(m, uris)) misshapen(m, reply, ".resourceSubscriptions", "an array of URIs");
    else if (json_array_size(uris) > MCP_URIS_MAX) {
        (void)op_fail(&err, EVDB_LIMIT, "a subscription may be of %d URIs", MCP_URIS_MAX);
        envelope_failure(m, reply, &err);
    } else if (read_lists(m, who, asked, reply, &filter.lists)) open_subscription(m, who, uris, &filter, reply);
}

/* ---- legacy ---- */

static const char *uri_of(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *uri = params_text(m, m->params, "uri");
    reply->sessionless = uri && !who->session;
    if (!uri) envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.uri' must be a string, the URI of a resource");
    if (reply->sessionless)
        envelope_error(m, reply, MCP_INVALID_REQUEST, "subscriptions are of a session: send the Mcp-Session-Id that initialize was answered with, "
                                                      "and listen with GET");
    return who->session ? uri : NULL;
}

static void done(const mcp_message *m, mcp_reply *reply)
{
    envelope_open(m, reply);
    envelope_close(reply);
}

void resources_subscribe(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *uri = uri_of(m, who, reply);
    hub_topic topic;
    evdb_error err;
    if (!uri) return;
    found f = find_topic(m, who, uri, reply, &topic, &err);
    if (f == MISSING) envelope_missing(m, reply, uri, &err);
    if (f != FOUND) return;
    if (hub_subscribe(who->hub, who, &topic, &err) == EVDB_OK) done(m, reply);
    else envelope_failure(m, reply, &err);
    free_topic(&topic);
}

void resources_unsubscribe(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *uri = uri_of(m, who, reply);
    if (!uri) return;
    hub_unsubscribe(who->hub, who->session, uri);
    done(m, reply);
}

/* ---- notifications ---- */

void subscriptions_notified(const mcp_message *m, const mcp_caller *who)
{
    if (!who->hub || !who->session) return;
    if (strcmp(m->method, "notifications/initialized") == 0) mcp_hub_begin(who->hub, who->session);
    else if (strcmp(m->method, "notifications/cancelled") == 0) hub_cancel(who->hub, who->session, json_object_get(m->params, "requestId"));
}
