/* reply.h - answers of the endpoints of OAuth that are JSON, and never kept by anybody on the way (RFC 6749, 5). */
#ifndef TOKEN_REPLY_H
#define TOKEN_REPLY_H
#include "proto/proto.h"
#include "token/client_auth.h"
#include <jansson.h>

/* Takes over body. */
void reply_json(http_response *response, int status, json_t *body);
void reply_error(http_response *response, int status, const char *code, const char *description);
/* The client did not show who it is. */
void reply_unknown_client(http_response *response, const char *description);
/* What the library's answer is called in RFC 6749, 5.2. */
void reply_failure(http_response *response, const evdb_error *err);

/* POST with a form? Else the response is made. */
bool reply_form_admitted(const http_request *request, http_response *response);
/* Who asks, for endpoints where nothing but that is needed; false: the response is made. To be freed in either case. */
bool reply_identify(const service *s, const http_request *request, client_auth *who, http_response *response);

/* The client, if there is one of that name, else NULL: what somebody says who is refused may be anything, a secret too, and is not kept. */
const char *reply_known_client(const service *s, const char *client);

#endif
