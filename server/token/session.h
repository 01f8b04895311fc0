/* session.h - who is logged in at the authorization endpoint: a cookie that says so under a MAC, for some minutes. Nothing is kept here.
 *
 * A session has a number, which is drawn anew when somebody logs in: whoever planted a cookie before knows nothing of it. A form carries
 * a token that fits to one session and one request alone (CSRF). The key is made at each start. */
#ifndef TOKEN_SESSION_H
#define TOKEN_SESSION_H
#include "proto/proto.h"

enum { SESSION_ID_BYTES = 16, SESSION_SECONDS = 600, SESSION_FORM_BYTES = 44 };

typedef struct session_keys session_keys;
session_keys *session_keys_create(void); /* NULL without memory */
void session_keys_free(session_keys *k);

typedef struct session {
    char user[EVDB_USER_NAME_MAX + 1]; /* "" = nobody has logged in yet */
    unsigned char id[SESSION_ID_BYTES];
    int64_t expires_ms;
    int64_t generation; /* evdb_user.generation: another password ends what was begun with the one before */
} session;

/* false: there is none that is still good. */
bool session_read(const service *s, const http_request *request, session *out);
/* A new one, for user (NULL = nobody yet), into the response. */
void session_begin(const service *s, const evdb_user *user, session *out, http_response *response);
void session_end(const service *s, http_response *response);

/* What a form of this session about this request carries. */
void session_form(const service *s, const session *is, const char *about, char out[SESSION_FORM_BYTES]);
bool session_form_fits(const service *s, const session *is, const char *about, const char *given);

#endif
