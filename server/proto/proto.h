/* proto.h - what every protocol of the daemon shares: the service they stand on, and who is asking.
 *
 * Protocol files translate envelopes and never name an operation: what there is to call, what it takes
 * and which scope it needs is read from the operation table. */
#ifndef PROTO_H
#define PROTO_H
#include "http/http.h"
#include "limit/throttle.h"
#include "op/op.h"
#include "op/op_meter.h"
#include "op/op_refusals.h"

/* `evdbd --dev` alone accepts this client with this secret; it is published, and refused everywhere else. */
#define DEV_CLIENT "admin"
#define DEV_SECRET OP_PUBLISHED_SECRET

/* Those who know tokens that are not ours (token/issuer.h). EVDB_NOT_FOUND: nor is it one of theirs. */
typedef struct access_foreign {
    void *context;
    evdb_status (*identify)(void *context, const char *token, evdb_principal *out, evdb_error *err);
} access_foreign;

typedef struct service {
    evdb *db;
    const unsigned char *backup_key; /* EVDB_BACKUP_KEY_BYTES, or NULL */
    const struct op_bucket *bucket;  /* the target "s3" of backups, or NULL */
    const access_foreign *foreign;   /* NULL = our own tokens alone */
    const char *issuer;              /* URL that clients know the token endpoint's server by; NULL = its port on loopback */
    struct replay *used;             /* assertions that were used (token/replay.h); NULL = none are taken */
    bool oauth_enabled, dev;
    throttle *throttle; /* of wrong secrets and tokens; NULL = none */
    quotas *quotas;     /* NULL = nobody has one */
    evdb_token_format token_format;
    int64_t token_lifetime_ms, refresh_lifetime_ms, signing_key_lifetime_ms;
    uint16_t mcp_port, oauth_port, rest_port; /* may be equal: then paths decide alone */
    bool rest_enabled, tls, registration;
    const char *address;                 /* that it listens on */
    const char *mcp_url, *rest_url;      /* as clients know them; "" = made of what a request names as its host, and the port */
    int64_t refresh_idle_ms;
    struct session_keys *sessions; /* of log-ins at the authorization endpoint (token/session.h) */
    const char *allowed_hosts; /* names, separated by blanks or commas; NULL = none (origin.c) */
    op_refusals *refusals; /* counted for the audit log; NULL = they are not */
    const struct mcp_offer *offer; /* what MCP has besides the operations (mcp/mcp.h); NULL = nothing, as in evdbd */
    struct mcp_sessions *mcp; /* proto/mcp_sessions.h; NULL = nobody is told of changes */
} service;

/* Answers one HTTP request on whichever endpoint its port and path name (router.c):
 *   /healthz, /readyz on every port; /oauth/..., /.well-known/oauth-authorization-server and /.well-known/jwks.json on the OAuth port; /api/v1/... on the REST port; /mcp on the MCP port. */
void service_handle(void *context, const http_request *request, http_response *response);

bool jwks_at(const char *path); /* token/jwks.c: is this where keys are published? */
void jwks_handle(const service *s, const http_request *request, http_response *response);
/* The document of RFC 9728 of the endpoint whose port and path it is; false when it is none (proto/resource.c). */
bool resource_handle(const service *s, const http_request *request, http_response *response);
bool metadata_at(const char *path); /* token/metadata.c: the one of RFC 8414 */
void metadata_handle(const service *s, const http_request *request, http_response *response);
void oauth_handle(const service *s, const http_request *request, http_response *response); /* token/oauth.c */
void rest_handle(const service *s, const http_request *request, http_response *response);  /* proto/rest.c */
void mcp_handle(const service *s, const http_request *request, http_response *response);   /* proto/mcp_http.c */

/* The caller of a request: from the access token or API key in its headers, or `token`, which the message itself may have
 * (else NULL). With oauth off everyone is admin. EVDB_DENIED with a message when there is none or it is no good, EVDB_INVALID
 * when there are two that differ, EVDB_BUSY while nothing can be said of an issuer's tokens, EVDB_THROTTLED when bad ones came from
 * the same address too often, or the caller asks more often than his quota is; *given tells "no token" from "bad token". */
evdb_status access_identify(const service *s, const http_request *request, const char *token, evdb_principal *out,
                            bool *given, evdb_error *err);

/* Once the headers have told who asks: does the message itself have the same token? EVDB_INVALID: another. That is no second request. */
evdb_status access_agree(const service *s, const http_request *request, const char *token, evdb_error *err);

/* Whom the token of a request speaks for, to be asked again behind the request: it may expire or be revoked. EVDB_DENIED then; that counts
 * as no attempt. */
typedef struct access_lease { char *token, *audience; /* NULL = everyone may do everything */ } access_lease;
evdb_status access_lease_take(const service *s, const http_request *request, const char *token, access_lease *out, evdb_error *err);
evdb_status access_lease_renew(const service *s, const access_lease *lease, evdb_principal *out, evdb_error *err);
void access_lease_drop(access_lease *lease);

/* Counts a refused request for the audit log, as op_refusals_count() says. who NULL: nobody knows, so it is the address it came from. Whoever
 * refuses for lack of a token, a scope, a secret or patience calls it once a request. */
void audit_refused(const service *s, const http_request *request, const char *who, const char *via, const char *what);

/* Every refusal of who somebody is, and of how often he asks, is noted here. client: whom he says he is; NULL = nobody, he has a token
 * that is no good. why: EVDB_DENIED, which counts for the throttle, or EVDB_THROTTLED. */
void access_refused(const service *s, const http_request *request, const char *client, evdb_status why);

/* The header that says when to come again; 0 = soon. */
void retry_after(http_response *response, uint32_t seconds);
/* Does a header have a credential, good or bad? */
bool access_by_header(const http_request *request);

/* RFC 9457 problem JSON for a status (problem.c). */
void problem_send(http_response *response, const evdb_error *err);
/* The same for what no library status says: a path, a method, a media type. */
void problem_status(http_response *response, int status, const char *title, const char *detail);
/* 401 with WWW-Authenticate, 403 with the scopes that would do (op_scopes_needed()). */
void problem_unauthorized(const service *s, const http_request *request, http_response *response, bool token_given, const evdb_error *err);
void problem_forbidden(const service *s, const http_request *request, http_response *response, const char *scopes, const evdb_error *err);
/* The WWW-Authenticate header of either alone: with where a client learns whom to ask for a token (RFC 9728, 5.1). */
void challenge_unauthorized(const service *s, const http_request *request, http_response *response, bool token_given);
void challenge_forbidden(const service *s, const http_request *request, http_response *response, const char *scopes);

/* Is the body of this media type? May the answer be (media.c)? */
bool media_is(const http_request *request, const char *type);
bool media_accepted(const http_request *request, const char *type);
/* false, with 403 in response, for a request of a web page's origin or to a host name that is neither loopback nor one of
 * allowed_hosts. Addresses are fine as Host: they cannot be rebound. */
bool origin_check(const service *s, const http_request *request, http_response *response);
/* Is "NAME[:PORT]" loopback, an address, or one of allowed_hosts? */
bool origin_host_known(const service *s, const char *host);

#endif
