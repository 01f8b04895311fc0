/* mcp_http.c - MCP over HTTP: one message a POST, answered by one JSON body, or by events when it takes long and the client wants to hear
 * of that, or when it is a subscription.
 *
 * Every message needs a token, initialize and ping too: a client learns from the 401 to its first request that, and where,
 * it must ask for one. Were initialize open, it would believe itself welcome and fail at its first call. */
#include "op/op_status.h"
#include "proto/mcp_events.h"
#include "proto/mcp_get.h"
#include "proto/mcp_headers.h"
#include "proto/mcp_sessions.h"
#include <string.h>

/* Until its sender is known a message may be this large: a tree of JSON takes many times the memory of its text. A token in the
 * Authorization header is looked at before the message is read; one in the message itself cannot be. */
#define UNIDENTIFIED_BYTES_MAX (2u << 20)

static void send_reply(http_response *response, int status, mcp_reply *reply)
{
    response->status = status;
    http_body_take(response, "application/json", reply->text.text, reply->text.size);
    reply->text = (op_out)OP_OUT;
}

/* Refuses the message in its own terms, under an HTTP status. */
static void refuse(const mcp_message *m, int status, const evdb_error *why, http_response *response)
{
    mcp_reply reply;
    evdb_error err;
    if (mcp_refuse(m, why, &reply, &err) == EVDB_OK) send_reply(response, status, &reply);
    else problem_send(response, &err);
}

/* Does the message say what its headers say? Notifications have none that must be there. */
static bool headers_fit(const http_request *request, mcp_message *m, http_response *response)
{
    mcp_reply reply;
    evdb_error err;
    if (mcp_headers_check(request, m, &reply, &err)) return true;
    if (reply.text.size) send_reply(response, 400, &reply);
    else problem_send(response, &err);
    return false;
}

static bool identify(const service *s, const http_request *request, const mcp_message *m, evdb_principal *who,
                     http_response *response)
{
    evdb_error err;
    bool given;
    evdb_status rc = access_identify(s, request, m->token, who, &given, &err);
    if (rc == EVDB_OK) return true;
    bool unknown = rc == EVDB_DENIED; /* else it is not the token that is at fault */
    refuse(m, unknown ? 401 : op_status(rc).http, &err, response);
    if (unknown) challenge_unauthorized(s, request, response, given);
    if (rc == EVDB_THROTTLED) retry_after(response, err.retry_s);
    return false;
}

/* Who sent the message, if its headers have not told that: then it may say the same as they. */
static bool same_sender(const service *s, const http_request *request, const mcp_message *m, bool by_header, evdb_principal *who,
                        http_response *response)
{
    evdb_error err;
    if (!by_header) return identify(s, request, m, who, response);
    evdb_status rc = m->token ? access_agree(s, request, m->token, &err) : EVDB_OK;
    if (rc != EVDB_OK) refuse(m, op_status(rc).http, &err, response);
    return rc == EVDB_OK;
}

/* Errors are answers to HTTP, but for those that a client has to act upon before it understands them. */
static int status_of(const http_request *request, const mcp_message *m, const mcp_reply *reply)
{
    if (reply->sessionless) return http_header(request, MCP_SESSION_HEADER) ? 404 : 400; /* with 404 clients begin another */
    if (reply->refused) return 403;
    if (reply->throttled) return 429;
    if (!m->modern || !reply->rejected) return 200;
    return reply->code == MCP_METHOD_NOT_FOUND ? 404 : 400;
}

/* A legacy client gets one when it is welcome. It may leave it unused. */
static void begin_session(const service *s, const evdb_principal *who, const mcp_message *m, const mcp_reply *reply, http_response *response)
{
    char id[MCP_SESSION_BYTES];
    if (!s->mcp || m->modern || m->kind != MCP_REQUEST || reply->code || strcmp(m->method, "initialize") != 0) return;
    mcp_session_begin(s->mcp, who, id);
    http_header_add(response, MCP_SESSION_HEADER, id);
}

/* What its client has ended is ended. Ids that are unknown otherwise may be of before a restart. */
static bool session_open(const service *s, const http_request *request, const mcp_message *m, http_response *response)
{
    const char *id = m->modern ? NULL : http_header(request, MCP_SESSION_HEADER);
    mcp_reply reply;
    evdb_error err;
    if (!id || !s->mcp || !mcp_session_ended(s->mcp, id)) return true;
    if (mcp_reject(m, MCP_INVALID_REQUEST, "this session has ended: begin another with initialize", &reply, &err) == EVDB_OK)
        send_reply(response, 404, &reply);
    else problem_send(response, &err);
    return false;
}

static uint64_t session_of(const service *s, const http_request *request, const evdb_principal *who, const mcp_message *m)
{
    const char *id = m->modern ? NULL : http_header(request, MCP_SESSION_HEADER);
    return id && s->mcp ? mcp_session_find(s->mcp, id, who) : 0;
}

static void answer(const service *s, const http_request *request, const evdb_principal *who, const mcp_message *m, http_response *response)
{
    op_meter meter = { s->quotas, who, request->body_size };
    mcp_caller caller = { .db = s->db, .backup_key = s->backup_key, .bucket = s->bucket, .who = who, .refusals = s->refusals,
                          .meter = s->quotas ? &meter : NULL, .offer = s->offer, .hub = mcp_sessions_hub(s->mcp),
                          .session = session_of(s, request, who, m) };
    mcp_events events;
    mcp_reply reply;
    evdb_error err;
    caller.channel = mcp_events_channel(&events, s, request, m, response);
    evdb_status rc = mcp_answer(m, &caller, &reply, &err);
    if (caller.session) mcp_session_settle(s->mcp, caller.session);
    if (mcp_events_end(&events, &reply)) op_out_free(&reply.text);
    else if (rc != EVDB_OK) problem_send(response, &err);
    else if (reply.kept) return;
    else if (!reply.text.size) response->status = 202;
    else {
        send_reply(response, status_of(request, m, &reply), &reply);
        begin_session(s, who, m, &reply, response);
        if (reply.refused) challenge_forbidden(s, request, response, reply.needed);
        if (reply.throttled) retry_after(response, reply.retry_s);
    }
}

/* What HTTP alone decides; false when the response is made already. */
static bool admit(const service *s, const http_request *request, http_response *response)
{
    if (!origin_check(s, request, response)) return false;
    if (strcmp(request->method, "POST") != 0) {
        problem_status(response, 405, "method not allowed", "messages are sent with POST; there is nothing to GET or DELETE but a legacy client's session");
        http_header_add(response, "Allow", "POST");
    } else if (!media_is(request, "application/json"))
        problem_status(response, 415, "unsupported media type", "the body must be application/json");
    else if (!media_accepted(request, "application/json"))
        problem_status(response, 406, "not acceptable", "answers are application/json: the Accept header must allow that");
    else if (s->oauth_enabled && !access_by_header(request) && request->body_size > UNIDENTIFIED_BYTES_MAX)
        problem_status(response, 413, "content too large",
                       "a message without an Authorization header may have 2 MiB: send the token in that header");
    else return true;
    return false;
}

void mcp_handle(const service *s, const http_request *request, http_response *response)
{
    mcp_message m = { .kind = MCP_MALFORMED }; /* nothing of it is known yet */
    evdb_principal who;
    bool by_header = access_by_header(request);
    if (mcp_get_is(s, request)) {
        if (origin_check(s, request, response) && identify(s, request, &m, &who, response)) mcp_get_answer(s, request, &who, response);
        return;
    }
    if (!admit(s, request, response) || (by_header && !identify(s, request, &m, &who, response))) return;
    mcp_read(request->body, request->body_size, &m);
    if (same_sender(s, request, &m, by_header, &who, response) && headers_fit(request, &m, response) && session_open(s, request, &m, response)) answer(s, request, &who, &m, response);
    mcp_forget(&m);
}
