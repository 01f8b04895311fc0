/* client_auth.h - who asks the token endpoint: by a secret, by an assertion, or by name alone, as it was registered; by one of these a
 * request (RFC 6749, 2.3). */
#ifndef TOKEN_CLIENT_AUTH_H
#define TOKEN_CLIENT_AUTH_H
#include "proto/proto.h"

/* Texts are malloc'd or NULL. */
typedef struct client_auth {
    char *client, *secret;
    char *assertion_type, *assertion;
    bool known; /* client_auth_check() knows who it is, without a secret: evdb_token_options.authenticated */
} client_auth;

/* From header and form; the error code (RFC 6749, 5.2) of what is wrong, or NULL. To be freed in either case. */
const char *client_auth_read(const http_request *request, client_auth *out, const char **why);
/* Checks all but secrets, which the library does with the grant. EVDB_DENIED for whoever it is not, and for who is registered to show it in
 * another way; EVDB_THROTTLED as assertion_check(). */
evdb_status client_auth_check(const service *s, client_auth *a, evdb_error *err);
void client_auth_free(client_auth *a);

#endif
