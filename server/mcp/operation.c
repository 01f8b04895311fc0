/* operation.c - implements mcp/operation.h. */
#include "mcp/operation.h"
#include "mcp/call_progress.h"
#include <stdio.h>
#include <string.h>

op_call operation_call(const mcp_caller *who)
{
    return (op_call){ .db = who->db, .who = who->who, .protocol = "mcp", .backup_key = who->backup_key, .bucket = who->bucket,
                      .meter = who->meter, .inlined = true };
}

/* Is it one of the words? */
static bool among(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && strncmp(at, word, length) == 0) return true;
    return false;
}

void operation_refused(const op *o, const json_t *arguments, const mcp_caller *who, mcp_reply *reply)
{
    char space[OP_SCOPES_BYTES];
    const char *needed = op_scopes_needed(o, who->who, arguments, space);
    size_t used = strlen(reply->needed);
    reply->refused = true;
    if (!among(reply->needed, needed) && used + strlen(needed) + 2 <= sizeof reply->needed)
        snprintf(reply->needed + used, sizeof reply->needed - used, "%s%s", used ? " " : "", needed);
    op_refusals_count(who->refusals, who->who->client, "mcp", o->name);
}

evdb_status operation_run(const op *o, const json_t *arguments, const mcp_message *m, const mcp_caller *who, mcp_reply *reply, op_out *answer,
                          evdb_error *err)
{
    op_call call = operation_call(who);
    call_progress progress;
    call_progress_begin(&progress, m, who->channel, &call);
    evdb_status rc = op_allow(o, who->who, arguments, err);
    if (rc != EVDB_OK) {
        operation_refused(o, arguments, who, reply);
        return rc;
    }
    rc = op_run(o, &call, arguments, &m->slices, answer, err);
    if (rc == EVDB_OK) return rc;
    reply->throttled = rc == EVDB_THROTTLED;
    reply->retry_s = err->retry_s;
    return rc;
}
