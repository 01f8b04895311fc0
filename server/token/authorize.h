/* authorize.h - what a request for a code says (token/authorize.c). */
#ifndef TOKEN_AUTHORIZE_H
#define TOKEN_AUTHORIZE_H
#include "proto/proto.h"

enum authorize_parameter {
    CLIENT_ID, REDIRECT_URI, RESPONSE_TYPE, SCOPE, STATE, CHALLENGE, CHALLENGE_METHOD, RESPONSE_MODE, REQUEST, REQUEST_URI, AUTHORIZE_PARAMETERS
};

typedef struct authorize_asked {
    char *value[AUTHORIZE_PARAMETERS]; /* malloc'd, or NULL */
    bool twice[AUTHORIZE_PARAMETERS], repeated;
    evdb_client *client; /* once it is known */
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES], audience[EVDB_AUDIENCE_MAX + 1];
} authorize_asked;

/* From the query. To be freed. */
void authorize_read(const http_request *request, authorize_asked *out);
void authorize_free(authorize_asked *a);

#endif
