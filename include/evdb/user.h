/* user.h - people who may log in, and the codes that clients get when one of them says yes (OAuth 2.1, authorization_code with PKCE).
 *
 * A user is a name, a password (kept as Argon2id, as chosen secrets of clients are) and scopes: what a client gets for somebody is
 * what the user may do, the client may do, and the client asked for, all three. Who guesses passwords is not slowed down here: limit
 * attempts where they come in. Tokens that come of a code speak for "user:NAME" (evdb_principal.subject), which is no client's id.
 *
 * All functions are thread-safe, and see what other processes changed. Beside the errors named below they answer
 * those of evdb/auth.h. */
#ifndef EVDB_USER_H
#define EVDB_USER_H
#include <evdb/auth.h>
EVDB_BEGIN

#define EVDB_USER_NAME_MAX 64u /* bytes: as ids of clients are */
#define EVDB_USERS_MAX 10000u  /* in a database */
#define EVDB_SUBJECT_USER "user:" /* what the subject of a token for a user begins with */

typedef struct evdb_user {
    char name[EVDB_USER_NAME_MAX + 1];
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores, "" = none */
    int64_t created_ms;                   /* Unix time */
    int64_t generation;                   /* a number drawn with each password: who remembers a log-in remembers of which it was */
} evdb_user;

/* password: 8 bytes to EVDB_SECRET_MAX, without control characters. scopes 0 and stores NULL or "" = read. EVDB_EXISTS; EVDB_INVALID for
 * a name, a password or scopes that may not be; EVDB_LIMIT beyond EVDB_USERS_MAX. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_user_add(evdb *db, const char *name, const char *password, uint32_t scopes, const char *stores,
                                                        evdb_error *err);
/* Another password; what clients were given for this user ends. EVDB_NOT_FOUND, EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_user_change_password(evdb *db, const char *name, const char *password, evdb_error *err);
/* What clients were given for this user ends, too. EVDB_NOT_FOUND, EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_user_remove(evdb *db, const char *name, evdb_error *err);
/* All users sorted by name, bytewise; *out is freed with evdb_auth_user_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_user_list(evdb *db, evdb_user **out, size_t *count, evdb_error *err);
EVDB_API void evdb_auth_user_list_free(evdb_user *list);
/* Is it that user's password? EVDB_DENIED for an unknown name and a wrong password alike, after the same work. out may be NULL. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_user_check(evdb *db, const char *name, const char *password, evdb_user *out, evdb_error *err);

/* Is uri one of these redirect URIs (evdb_client.redirect_uris)? Byte by byte, but that the port of one on loopback (127.0.0.1, [::1],
 * localhost) may be any: a program on the user's machine gets it from the system (RFC 8252, 7.3). */
EVDB_API int evdb_auth_redirect_allowed(const char *redirect_uris, const char *uri);

typedef struct evdb_code_options {
    size_t size;              /* EVDB_CODE_OPTIONS sets it */
    const char *client;       /* who asks */
    const char *user;         /* who said yes */
    const char *redirect_uri; /* where the code goes: one of the client's */
    const char *challenge;    /* base64url of the SHA-256 of what evdb_auth_code_redeem() must be shown (RFC 7636, S256) */
    const char *stores;       /* scopes of some stores that are asked for, or NULL */
    uint32_t scopes;          /* asked for; 0 and no stores = all there are */
    uint32_t reserved;
    const char *audience;     /* what tokens may be for at most, as evdb_token_options.audience; NULL = anything */
    int64_t lifetime_ms;      /* up to 600000; 0 = 60000 */
    int64_t user_generation;  /* evdb_user.generation of when the user logged in: one who has another password since, or was removed
                               * and added again, is unknown; 0 = whichever */
} evdb_code_options;
#define EVDB_CODE_OPTIONS { .size = sizeof(evdb_code_options) }

/* What a code would be good for: stores has EVDB_STORE_SCOPES_BYTES. EVDB_DENIED when the client or the user is unknown, or the redirect
 * URI is not the client's; EVDB_UNSUPPORTED when the client may not use authorization_code; EVDB_INVALID for anything else that may not
 * be, and when nothing is left of the scopes. Code, challenge and audience are not looked at. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_code_scopes(evdb *db, const evdb_code_options *options, uint32_t *scopes, char *stores,
                                                           evdb_error *err);
/* A code, for the client to be told by way of the user's browser; out has EVDB_SECRET_BYTES. Errors as above. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_code_issue(evdb *db, const evdb_code_options *options, char *out, evdb_error *err);
/* authorization_code: a code for tokens, once. secret and options as in evdb_auth_token_issue(), but that scopes are those of the code, and
 * an audience must be among the code's. EVDB_GONE when the code is unknown, another client's, expired, or used before, or when
 * redirect_uri or verifier are not those it was made for: then it is not used up. A code that is used twice was stolen: what came of it ends,
 * access tokens that are JWTs included. A client that may use refresh_token gets one of those, too. It and those that replace it end
 * together, refresh_lifetime_ms after this call, or when one of them was not used for idle_lifetime_ms. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_code_redeem(evdb *db, const char *client, const char *secret, const char *code,
                                                           const char *redirect_uri, const char *verifier,
                                                           const evdb_token_options *options, evdb_token *out, evdb_error *err);

EVDB_END
#endif
