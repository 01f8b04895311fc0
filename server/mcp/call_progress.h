/* call_progress.h - what a client hears of a call that takes long, and how it takes one back. */
#ifndef MCP_CALL_PROGRESS_H
#define MCP_CALL_PROGRESS_H
#include "mcp/mcp.h"

typedef struct call_progress {
    const op_call *call;
    const mcp_channel *channel;
    const json_t *token; /* that notifications carry; NULL = the client wants none */
    evdb_transfer_phase phase;
    uint64_t base, last; /* counted in earlier phases, and in this one */
    uint64_t told;
    int64_t tell_ms, ask_ms; /* when next */
    bool cancelled;
} call_progress;

/* Has `call` tell and ask by the channel of the caller, where there is one. *p must stay until it has run. */
void call_progress_begin(call_progress *p, const mcp_message *m, const mcp_channel *channel, op_call *call);

#endif
