/* revoke.c - POST /oauth/revoke (RFC 7009): a client ends a token of its own, and all that came from the same log-in when it is a refresh
 * token. A token that is no good, or somebody else's, is answered alike. */
#include "token/endpoints.h"
#include "token/reply.h"
#include <stdlib.h>

static void revoke(const service *s, const client_auth *who, const http_request *request, http_response *response)
{
    evdb_error err;
    bool twice = false;
    char *token = http_parameter(request->body, "token", &twice);
    if (!token || twice) reply_error(response, 400, "invalid_request", token ? "token is given twice" : "token is missing");
    else {
        evdb_status rc = evdb_auth_token_revoke(s->db, who->client, token, &err);
        if (rc == EVDB_OK || rc == EVDB_NOT_FOUND) {
            response->status = 200;
            http_header_add(response, "Cache-Control", "no-store");
        } else reply_failure(response, &err);
    }
    free(token);
}

void revoke_handle(const service *s, const http_request *request, http_response *response)
{
    client_auth who;
    if (!reply_form_admitted(request, response)) return;
    if (reply_identify(s, request, &who, response)) revoke(s, &who, request, response);
    client_auth_free(&who);
}
