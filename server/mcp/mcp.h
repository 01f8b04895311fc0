/* mcp.h - the Model Context Protocol as a view of the operation table: one JSON-RPC message in, at most one reply out.
 *
 * Knows no transport and no sessions: evdbd hands over the bodies of HTTP requests (proto/mcp_http.c), `evdb mcp` the lines
 * of standard input. Nothing is kept between messages, so any thread may answer any message. */
#ifndef MCP_H
#define MCP_H
#include "op/op.h"
#include "op/op_refusals.h"
#include "op/op_slices.h"

/* Versions of the protocol, newest first; ends with NULL. All of them begin with initialize. */
extern const char *const mcp_versions[];
bool mcp_version_known(const char *version);

#define MCP_DEPTH_MAX 128u /* nested values of a message; a tool's arguments have OP_DEPTH_MAX */

/* JSON-RPC's own codes. Others are those of server/op/status.def. */
enum { MCP_PARSE_ERROR = -32700, MCP_INVALID_REQUEST = -32600, MCP_METHOD_NOT_FOUND = -32601, MCP_INVALID_PARAMS = -32602 };

typedef enum mcp_kind {
    MCP_MALFORMED,    /* to be answered with what is wrong */
    MCP_REQUEST,      /* to be answered */
    MCP_NOTIFICATION, /* no reply */
    MCP_RESPONSE      /* to a request that we never sent; no reply */
} mcp_kind;

typedef struct mcp_message {
    mcp_kind kind;
    const json_t *id;     /* a string or an integer; NULL = none, or none that could be read */
    const char *method;
    const json_t *params; /* an object, or NULL */
    const char *token;    /* of a member "auth": {"type": "bearer", "token": ...} of the message itself, or NULL */
    int code;             /* of a malformed one: the JSON-RPC code, and what is wrong */
    evdb_error fault;
    json_t *tree;         /* what the above is borrowed from */
    op_slices slices;
} mcp_message;

/* Reads one message. It cannot fail: what is wrong is part of the message. text must stay until mcp_forget(). */
void mcp_read(const char *text, size_t length, mcp_message *m);
void mcp_forget(mcp_message *m);

/* Who asks, against what. */
typedef struct mcp_caller {
    evdb *db;
    const evdb_principal *who;
    const unsigned char *backup_key; /* as in op_call, ... */
    const struct op_bucket *bucket;  /* ... and so is this */
    op_refusals *refusals; /* counts what `who` may not do; NULL = nobody does */
    struct op_meter *meter;          /* ... and this */
} mcp_caller;

typedef struct mcp_reply {
    op_out text;       /* to be sent; nothing in it = there is no reply */
    int code;          /* of an error; 0 = a result */
    const op *refused; /* operation that the caller's scopes do not cover, or NULL */
    bool throttled;    /* the caller has used up what he may; retry_s tells when there is more */
    uint32_t retry_s;
} mcp_reply;
#define MCP_REPLY { .text = OP_OUT }

/* Does what the message asks. Whether the caller may is said by op_allow() alone. EVDB_NO_MEMORY when not even an error could be
 * written. Free the reply's text with op_out_free(). */
evdb_status mcp_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply, evdb_error *err);
/* The same without doing it: the message is refused for this reason. Notifications are told, too. */
evdb_status mcp_refuse(const mcp_message *m, const evdb_error *why, mcp_reply *reply, evdb_error *err);

#endif
