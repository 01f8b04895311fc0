/* mcp.h - the Model Context Protocol as a view of the operation table: one JSON-RPC message in, at most one reply out.
 *
 * Knows no transport and no sessions: evdbd hands over the bodies of HTTP requests (proto/mcp_http.c), `evdb mcp` the lines
 * of standard input. Nothing is kept between messages, so any thread may answer any message.
 *
 * There are two eras of the protocol. Its legacy versions begin with initialize. The modern one has no beginning: each request names
 * its version in `_meta`, and so each is answered in the words of its own era. */
#ifndef MCP_H
#define MCP_H
#include "op/op.h"
#include "op/op_refusals.h"
#include "op/op_slices.h"

/* Versions of the protocol, newest first; ends with NULL. */
extern const char *const mcp_versions[];
typedef enum mcp_era {
    MCP_UNKNOWN = 0, /* no version of ours */
    MCP_LEGACY = 1,  /* begins with initialize */
    MCP_MODERN = 2   /* each request names its version, in _meta */
} mcp_era;
mcp_era mcp_era_of(const char *version);
extern const char *const mcp_legacy_newest;

#define MCP_DEPTH_MAX 128u /* nested values of a message; a tool's arguments have OP_DEPTH_MAX */

/* JSON-RPC's own codes. Others are those of server/op/status.def. */
enum { MCP_PARSE_ERROR = -32700, MCP_INVALID_REQUEST = -32600, MCP_METHOD_NOT_FOUND = -32601, MCP_INVALID_PARAMS = -32602 };
enum { MCP_RESOURCE_NOT_FOUND = -32002 }; /* in legacy versions only */
/* The modern protocol's own. */
enum { MCP_HEADER_MISMATCH = -32020, MCP_CAPABILITY_MISSING = -32021, MCP_VERSION_UNSUPPORTED = -32022 };

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
    const json_t *meta;   /* params._meta, an object, or NULL */
    const char *version;  /* that its _meta names, or NULL; need not be one of ours */
    bool modern;          /* to be answered in the words of the modern era: what it names is no legacy version. A transport sets it for a message
                             that names none, when it has been told by other means (a header) */
    const char *token;    /* of a member "auth": {"type": "bearer", "token": ...} of the message itself, or NULL */
    int code;             /* of a malformed one: the JSON-RPC code, and what is wrong */
    evdb_error fault;
    json_t *tree;         /* what the above is borrowed from */
    op_slices slices;
} mcp_message;

/* Reads one message. It cannot fail: what is wrong is part of the message. text must stay until mcp_forget(). */
void mcp_read(const char *text, size_t length, mcp_message *m);
void mcp_forget(mcp_message *m);
/* The text of a value of its tree; NULL for anything else, and for what only stands for a slice. */
const char *mcp_text(const mcp_message *m, const json_t *value);

/* A way to the client beside the reply, while its request is answered or, for a subscription, behind that. Any thread may use it. */
typedef struct mcp_channel {
    void *context;
    bool (*send)(void *context, const char *message, size_t size); /* one JSON-RPC message; false: the client has left */
    bool (*cancelled)(void *context); /* has the client left, or taken its request back? */
    /* Makes *out of it, which stays open behind the reply, for a subscription, until it is closed; NULL = there is no such thing. The
     * reply is the channel's then. */
    evdb_status (*keep)(void *context, struct mcp_channel *out, evdb_error *err);
    /* Of one that was kept, each may be NULL: who it is that listens, as of now (EVDB_DENIED: nobody any more); a sign of life; the end. */
    evdb_status (*renew)(void *context, evdb_principal *who, evdb_error *err);
    bool (*idle)(void *context);
    void (*close)(void *context);
} mcp_channel;

/* Who has subscribed to what (mcp/hub.h). */
typedef struct mcp_hub mcp_hub;

struct mcp_caller;
struct mcp_reply;

/* What is offered besides the operations. evdb has nothing; the server that stands model for the protocol's conformance suite does. */
typedef struct mcp_offer {
    bool lists_change, logs; /* tools and prompts may come and go; there may be notifications/message */
    /* Adds its items to the list that `method` (tools/list, resources/list, ...) is writing. */
    void (*list)(const char *method, op_out *out);
    /* Is it the URI of one of its resources, whose changes it announces? NULL: it has none. */
    bool (*watched)(const char *uri);
    /* Is asked first about every request: true when it was its own, and the reply is written. */
    bool (*answer)(const mcp_message *m, const struct mcp_caller *who, struct mcp_reply *reply);
} mcp_offer;

/* Who asks, against what. */
typedef struct mcp_caller {
    evdb *db;
    const evdb_principal *who;
    const unsigned char *backup_key; /* as in op_call, ... */
    const struct op_bucket *bucket;  /* ... and so is this */
    op_refusals *refusals; /* counts what `who` may not do; NULL = nobody does */
    struct op_meter *meter;          /* ... and this */
    const mcp_channel *channel;      /* NULL: the client takes one reply and nothing else */
    const mcp_offer *offer;          /* or NULL */
    mcp_hub *hub;                    /* NULL: nobody can subscribe */
    uint64_t session;                /* by which a legacy client's requests belong together; 0 = by nothing */
} mcp_caller;

typedef struct mcp_reply {
    op_out text;       /* to be sent; nothing in it = there is no reply */
    int code;          /* of an error; 0 = a result */
    bool rejected;     /* the error is about the message as such: version, headers, method, what every request must carry */
    bool refused;      /* the caller's scopes do not cover what was asked for; ... */
    char needed[OP_SCOPES_BYTES]; /* ... these would */
    bool kept;         /* the channel was: whatever there is to say goes there */
    bool sessionless;  /* what was asked for needs a session */
    bool throttled;    /* the caller has used up what he may; retry_s tells when there is more */
    uint32_t retry_s;
} mcp_reply;
#define MCP_REPLY { .text = OP_OUT }

/* Does what the message asks. Whether the caller may is said by op_allow() alone. EVDB_NO_MEMORY when not even an error could be
 * written. Free the reply's text with op_out_free(). */
evdb_status mcp_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply, evdb_error *err);
/* The same without doing it: the message is refused for this reason. Notifications are told, too. */
evdb_status mcp_refuse(const mcp_message *m, const evdb_error *why, mcp_reply *reply, evdb_error *err);
/* The same for what the protocol has a code for: the transport found the message at odds with what it came in. */
evdb_status mcp_reject(const mcp_message *m, int code, const char *message, mcp_reply *reply, evdb_error *err);
/* The same for a version, by whatever means it was named, that is none of ours. */
evdb_status mcp_reject_version(const mcp_message *m, const char *version, mcp_reply *reply, evdb_error *err);

#endif
