/* mcp_get.c - implements proto/mcp_get.h. */
#include "proto/mcp_get.h"
#include "mcp/hub.h"
#include "proto/mcp_events.h"
#include "proto/mcp_headers.h"
#include "proto/mcp_sessions.h"
#include <string.h>

static bool is(const http_request *request, const char *method) { return strcmp(request->method, method) == 0; }

bool mcp_get_is(const service *s, const http_request *request)
{
    return s->mcp && (is(request, "GET") || is(request, "DELETE")) && http_header(request, MCP_SESSION_HEADER) &&
           mcp_header_era(request, NULL) != MCP_MODERN;
}

/* Another stream of the session's ends: its client has lost it, or would not have asked. */
static void open_stream(const service *s, const http_request *request, const evdb_principal *who, uint64_t session, http_response *response)
{
    const mcp_message none = { .kind = MCP_MALFORMED };
    mcp_events events;
    mcp_caller caller = { .db = s->db, .who = who, .channel = mcp_events_channel(&events, s, request, &none, response),
                          .hub = mcp_sessions_hub(s->mcp), .session = session };
    evdb_error err;
    if (!caller.channel)
        problem_status(response, 406, "not acceptable", "what a session is told is " MCP_EVENTS ": the Accept header must allow that");
    else if (mcp_hub_attach(caller.hub, &caller, &err) == EVDB_OK) mcp_hub_begin(caller.hub, session);
    else problem_send(response, &err);
    mcp_session_settle(s->mcp, session);
}

void mcp_get_answer(const service *s, const http_request *request, const evdb_principal *who, http_response *response)
{
    bool versioned;
    mcp_era era = mcp_header_era(request, &versioned);
    uint64_t session = mcp_session_find(s->mcp, http_header(request, MCP_SESSION_HEADER), who);
    if (versioned && era == MCP_UNKNOWN) problem_status(response, 400, "bad request", "the header MCP-Protocol-Version names no version that is known here");
    else if (!session) problem_status(response, 404, "not found", "there is no such session: begin another with initialize");
    else if (is(request, "GET")) open_stream(s, request, who, session, response);
    else {
        mcp_session_end(s->mcp, session);
        response->status = 204;
    }
}
