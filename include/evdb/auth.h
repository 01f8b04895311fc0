/* auth.h - who may do what: clients with secrets, scopes, and the tokens they get for them (OAuth 2.1).
 *
 * The library keeps clients and refresh tokens in system.db and knows nothing of HTTP; evdbd's token endpoint is a
 * thin view of these calls. Nothing else in evdb.h asks for a token: whoever has the handle may do everything.
 *
 * Secrets are stored hashed only: generated ones (256 bits) as keyed BLAKE2b, secrets chosen by people as Argon2id
 * (RFC 9106; tens of milliseconds and 64 MB, two at a time for each handle; a right answer is remembered in memory). Who asks while
 * others wait for that is refused with EVDB_BUSY, so that who guesses does not stop all threads of a server. Who guesses
 * is not slowed down otherwise: limit attempts where they come in, and ask with evdb_token_options.made_only for those who have to
 * wait, since nobody guesses a generated secret. Refresh tokens are stored hashed, too. Access tokens
 * are not stored: they carry client, scopes and expiry under a signature, or a MAC, whose key lives in system.db. Whoever can read
 * that file, or a copy of it, can make tokens, so the call that makes the key (the first one with a secret or a token) takes
 * the file from all but its owner (mode 0600; EVDB_DENIED when it may not); who shares a database with a group on
 * purpose widens that afterwards. Client ids are not secret.
 *
 * All functions are thread-safe, and see what other processes changed. Beside the errors named below they answer
 * EVDB_FORKED, EVDB_CORRUPT (system.db), EVDB_IO, EVDB_FULL and EVDB_NO_MEMORY. */
#ifndef EVDB_AUTH_H
#define EVDB_AUTH_H
#include <evdb/database.h>
EVDB_BEGIN

/* Scopes, as bits, for all stores. write includes read, admin includes both: evdb_auth_scopes_parse("write") sets two bits. */
enum { EVDB_SCOPE_READ = 1, EVDB_SCOPE_WRITE = 2, EVDB_SCOPE_ADMIN = 4 };
/* Grants a client may use, as bits. */
enum { EVDB_GRANT_CLIENT_CREDENTIALS = 1, EVDB_GRANT_REFRESH_TOKEN = 2, EVDB_GRANT_AUTHORIZATION_CODE = 4 };
/* How a client shows who it is. */
typedef enum evdb_client_method {
    EVDB_CLIENT_SECRET = 1, /* by its secret */
    EVDB_CLIENT_PUBLIC = 2, /* not at all: a program on somebody's machine keeps no secret */
    EVDB_CLIENT_KEYS = 3    /* by assertions signed with a key of its own (private_key_jwt, RFC 7523); who calls these functions checks them */
} evdb_client_method;
/* As RFC 7591 calls them: "client_secret_basic", "none", "private_key_jwt"; NULL for what is none. "client_secret_post" is read as
 * the first. */
EVDB_API const char *evdb_client_method_name(evdb_client_method method);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_client_method_parse(const char *name, evdb_client_method *out, evdb_error *err);

#define EVDB_CLIENT_ID_MAX 128u       /* bytes: printable ASCII without space, ':', '"' and '\\' */
#define EVDB_SECRET_MAX 256u          /* bytes of a chosen secret, at least 8, without control characters */
#define EVDB_SECRET_BYTES 48u         /* room for a generated secret, with NUL */
#define EVDB_TOKEN_BYTES 4096u        /* room for an access token, with NUL */
#define EVDB_TOKEN_ID_BYTES 24u       /* room for the id of an access token (jti), with NUL */
#define EVDB_ISSUER_MAX 255u          /* bytes: printable ASCII without space, '"' and '\\' */
#define EVDB_AUDIENCE_MAX 511u        /* bytes of all audiences of a token, with the spaces between them; likewise */
#define EVDB_KEY_ID_BYTES 48u         /* room for the id of a signing key (kid), with NUL */
#define EVDB_STORE_SCOPES_BYTES 512u  /* room for the scopes of some stores, with NUL */
#define EVDB_SCOPES_BYTES 544u        /* room for any scopes as text, with NUL */
#define EVDB_REDIRECTS_MAX 4096u      /* bytes of a client's redirect URIs */
#define EVDB_JWKS_MAX 16384u          /* bytes of a client's public keys */
#define EVDB_CLIENTS_MAX 10000u       /* in a database */
#define EVDB_API_KEYS_MAX 10000u      /* in a database */
#define EVDB_API_KEY_BYTES 80u        /* room for an API key, with NUL */
#define EVDB_API_KEY_ID_BYTES 17u     /* for its id, likewise */
#define EVDB_API_KEY_TITLE_MAX 128u   /* bytes */
#define EVDB_REFRESH_TOKENS_MAX 1000u /* of a client, used ones included */
#define EVDB_REVOKED_MAX 10000u       /* access tokens of a client that were revoked and have not expired */
#define EVDB_TOKEN_LIFETIME_MAX_MS (INT64_C(10) * 365 * 86400000)

/* "read write" <-> bits: names separated by single spaces, in any order, at least one. EVDB_INVALID names what is
 * unknown. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_scopes_parse(const char *text, uint32_t *out, evdb_error *err);
/* Writes the names of the bits ("read write admin"; other bits have none) to space, NUL-terminated, and returns it. It
 * has at least 32 bytes. */
EVDB_API const char *evdb_auth_scopes_text(uint32_t scopes, char *space);
/* Scopes of some stores stand beside the bits, as a text: "write:docs read:team-*", where '*' at the end stands for any rest of a
 * name and write includes read; admin is for all stores. evdb_auth_scopes_split() takes a text of both kinds apart (stores has
 * EVDB_STORE_SCOPES_BYTES; EVDB_INVALID, EVDB_LIMIT), evdb_auth_scopes_join() writes it (space has EVDB_SCOPES_BYTES). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_scopes_split(const char *text, uint32_t *scopes, char *stores, evdb_error *err);
EVDB_API const char *evdb_auth_scopes_join(uint32_t scopes, const char *stores, char *space);
/* 1 when somebody with these scopes (stores may be NULL) may do what needs `scope`, one bit, with that store; store NULL: with all of
 * them. */
EVDB_API int evdb_auth_scopes_allow(uint32_t scopes, const char *stores, uint32_t scope, const char *store);
/* "client_credentials refresh_token authorization_code" <-> bits, likewise; space has at least 64 bytes. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_grants_parse(const char *text, uint32_t *out, evdb_error *err);
EVDB_API const char *evdb_auth_grants_text(uint32_t grants, char *space);

typedef struct evdb_client {
    char id[EVDB_CLIENT_ID_MAX + 1];
    uint32_t scopes, grants;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores, "" = none */
    evdb_client_method method;
    int32_t chosen_secret; /* 1 = the secret was chosen by a person */
    int64_t created_ms;    /* Unix time */
    const char *title, *redirect_uris, *jwks; /* as in evdb_client_options; "" = none. Freed with the client */
} evdb_client;

typedef struct evdb_client_options {
    size_t size;               /* EVDB_CLIENT_OPTIONS sets it */
    const char *secret;        /* of EVDB_CLIENT_SECRET; NULL = one is made */
    uint32_t scopes, grants;   /* both 0 and stores NULL: read; grants 0 = client_credentials */
    const char *stores;        /* scopes of some stores, or NULL */
    evdb_client_method method; /* 0 = EVDB_CLIENT_SECRET */
    uint32_t reserved;
    const char *title;         /* what people are shown, or NULL */
    const char *redirect_uris; /* of authorization_code: where codes may be sent, separated by blanks, or NULL */
    const char *jwks;          /* of EVDB_CLIENT_KEYS: its public keys, a JWK set (RFC 7517), or NULL */
} evdb_client_options;
#define EVDB_CLIENT_OPTIONS { .size = sizeof(evdb_client_options) }

/* How much a client may ask and write, kept with it. The library only keeps it; evdbd enforces it, and has limits of its own for
 * those that have none here. Of each: 0 = not set, EVDB_QUOTA_NONE = no limit. */
#define EVDB_QUOTA_NONE INT64_C(-1)
#define EVDB_QUOTA_REQUESTS_MAX INT64_C(1000000)
typedef struct evdb_quota {
    int64_t requests; /* a second, up to EVDB_QUOTA_REQUESTS_MAX */
    int64_t records;  /* written a day */
    int64_t bytes;    /* of the requests that write, a day */
} evdb_quota;

/* Registers a client. secret NULL makes one, written to secret_out (EVDB_SECRET_BYTES): it cannot be read again later.
 * When a secret is given secret_out is left alone, and may be NULL. scopes 0 = read; grants 0 = client_credentials.
 * EVDB_EXISTS; EVDB_INVALID for an id, a secret or bits that may not be; EVDB_LIMIT beyond EVDB_CLIENTS_MAX. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_add(evdb *db, const char *id, const char *secret,
                                                          uint32_t scopes, uint32_t grants, char *secret_out,
                                                          evdb_error *err);
/* The same with all there is to say of a client. A public one has no secret, and may not use client_credentials. EVDB_INVALID also for
 * redirect URIs that are not absolute, have a fragment, or are plain http to another machine. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_register(evdb *db, const char *id, const evdb_client_options *options,
                                                               char *secret_out, evdb_error *err);
/* One client; *out is freed with evdb_auth_client_list_free(). EVDB_NOT_FOUND, EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_find(evdb *db, const char *id, evdb_client **out, evdb_error *err);
/* A new secret, given or made as above; the old one and all of the client's tokens stop working. Scopes and grants
 * stay. EVDB_NOT_FOUND, EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_rotate(evdb *db, const char *id, const char *secret,
                                                             char *secret_out, evdb_error *err);
/* Its tokens stop working too, and do not work for a client that is given the same id later. EVDB_NOT_FOUND,
 * EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_remove(evdb *db, const char *id, evdb_error *err);
/* All clients sorted by id, bytewise; *out is freed with evdb_auth_client_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_list(evdb *db, evdb_client **out, size_t *count, evdb_error *err);
EVDB_API void evdb_auth_client_list_free(evdb_client *list);

/* Replaces the limits of a client; its tokens follow. They go when it is removed. EVDB_NOT_FOUND, EVDB_INVALID. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_quota_set(evdb *db, const char *client, const evdb_quota *quota, evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_quota_get(evdb *db, const char *client, evdb_quota *out, evdb_error *err);

/* What access tokens look like. A JWT (RFC 9068: signed with Ed25519, typ "at+jwt") can be read, and checked by the keys of
 * evdb_auth_jwks(), without this database. An opaque one says nothing to anybody else, and is good for any issuer and audience:
 * EVDB_UNSUPPORTED when it is to have them. Both are checked, revoked and inspected alike. */
typedef enum evdb_token_format { EVDB_TOKEN_JWT = 0, EVDB_TOKEN_OPAQUE = 1 } evdb_token_format;

typedef struct evdb_token_options {
    size_t size;                 /* EVDB_TOKEN_OPTIONS sets it */
    uint32_t scopes;             /* asked for, with those they include; 0 and stores NULL = all there are */
    uint32_t authenticated;      /* 1 = who calls has checked who asks, and no secret is looked at (EVDB_CLIENT_KEYS, _PUBLIC) */
    int64_t lifetime_ms;         /* of the access token, up to EVDB_TOKEN_LIFETIME_MAX_MS; 0 = 3600000. A JWT ends with a full second */
    int64_t refresh_lifetime_ms; /* of the refresh token, likewise; 0 = 86400000 */
    const char *stores;          /* scopes of some stores that are asked for, or NULL */
    evdb_token_format format;    /* of the access token */
    uint32_t made_only;          /* 1 = a secret that was chosen by a person is not looked at: EVDB_THROTTLED */
    const char *issuer;          /* of a JWT: who says so (iss); NULL = "evdb" */
    const char *audience;        /* of a JWT: for whom it is good (aud), several separated by a space; NULL = the issuer, and when it is
                                  * refreshed whatever was given before */
    int64_t key_lifetime_ms;     /* of a JWT: a signing key that is active for longer is rotated first; 0 = whatever its age */
    int64_t idle_lifetime_ms;    /* a refresh token that came of a code (evdb/user.h) ends when it is not used for so long; 0 = 28800000 */
} evdb_token_options;
#define EVDB_TOKEN_OPTIONS { .size = sizeof(evdb_token_options) }

typedef struct evdb_token {
    char access[EVDB_TOKEN_BYTES];
    char refresh[EVDB_SECRET_BYTES]; /* "" when the client may not use refresh_token */
    uint32_t scopes;                /* of the access token */
    int64_t expires_ms;             /* of the access token, Unix time */
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores, likewise */
} evdb_token;

/* Is it that client, with that secret? secret and authenticated as in evdb_auth_token_issue(), which asks the same. EVDB_DENIED. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_client_check(evdb *db, const char *id, const char *secret, const evdb_token_options *options,
                                                            evdb_error *err);

/* client_credentials: id and secret for a token. EVDB_DENIED for an unknown client and for a wrong secret alike;
 * EVDB_THROTTLED with made_only; EVDB_UNSUPPORTED when the client may not use the grant; EVDB_INVALID when it asks for scopes that it does not have,
 * or for a lifetime out of bounds. A client that may use refresh_token gets one of those, too; if it has
 * EVDB_REFRESH_TOKENS_MAX already, the one that would expire first ends. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_token_issue(evdb *db, const char *client, const char *secret,
                                                           const evdb_token_options *options, evdb_token *out,
                                                           evdb_error *err);
/* refresh_token: works once; a new pair replaces it, each of its own full lifetime, but for what came of a code (evdb/user.h), whose end
 * stays. Fewer scopes may be asked for, but
 * not more (EVDB_INVALID; the token is not used up). They are the access token's alone: the new refresh token has those
 * of the old one. An audience that the old one was not for is EVDB_INVALID, too. EVDB_GONE when the token is unknown, another
 * client's, expired, or used before. The last means that somebody has a copy: all that came from the same log-in is revoked, access
 * tokens that are JWTs included. A token counts as used before its successor is handed over; if that never arrives, log in again with
 * the secret. Else as above. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_token_refresh(evdb *db, const char *client, const char *secret,
                                                             const char *refresh, const evdb_token_options *options,
                                                             evdb_token *out, evdb_error *err);

/* Who a token speaks for. */
typedef struct evdb_principal {
    char client[EVDB_CLIENT_ID_MAX + 1];
    uint32_t scopes;
    int64_t expires_ms;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores, "" = none */
    char subject[EVDB_CLIENT_ID_MAX + 1]; /* for whom the client acts: itself, or a person */
    evdb_quota quota;                     /* of the client */
} evdb_principal;

typedef struct evdb_check_options {
    size_t size;          /* EVDB_CHECK_OPTIONS sets it */
    const char *issuer;   /* a JWT must be of this one; NULL = of whomever this database made it for */
    const char *audience; /* a JWT must be for one of these, separated by spaces; NULL = for whomever */
    uint32_t whole;       /* 1 = or for its issuer, as one is that was asked for without an audience: that is good for all there is */
    uint32_t reserved;
} evdb_check_options;
#define EVDB_CHECK_OPTIONS { .size = sizeof(evdb_check_options) }

/* EVDB_DENIED for a token (NULL, too) that is malformed, forged, expired, revoked, of another issuer or for another audience, or
 * whose client was removed or has a new secret since, and likewise for an API key. What this or another process revokes is refused from then on. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_token_check(evdb *db, const char *token, const evdb_check_options *options,
                                                           evdb_principal *out, evdb_error *err);

/* What a token is, for those who may know (RFC 7662). */
typedef struct evdb_token_info {
    int32_t refresh; /* 1 = it is a refresh token */
    int32_t reserved;
    char client[EVDB_CLIENT_ID_MAX + 1], subject[EVDB_CLIENT_ID_MAX + 1];
    char id[EVDB_TOKEN_ID_BYTES];                                       /* jti; "" for a refresh token */
    char issuer[EVDB_ISSUER_MAX + 1], audience[EVDB_AUDIENCE_MAX + 1]; /* "" for a token that is no JWT */
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores */
    int64_t issued_ms, expires_ms;        /* issued_ms 0 = that is not known */
} evdb_token_info;

/* Of an access token as evdb_auth_token_check() would answer it, or of a refresh token that was not used yet. EVDB_DENIED for what is
 * neither, or no longer good. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_token_inspect(evdb *db, const char *token, evdb_token_info *out, evdb_error *err);
/* Ends an access token, given as it is or by its id (jti), or a refresh token, with all that came from the same log-in (RFC 7009).
 * client: whose it must be; NULL = anybody's. A token that is given by its id is of no client: that takes NULL. EVDB_NOT_FOUND for what
 * is no good anyway, and for a token of another client; EVDB_LIMIT beyond EVDB_REVOKED_MAX. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_token_revoke(evdb *db, const char *client, const char *token, evdb_error *err);

/* ---- API keys ----
 *
 * For programs that do without OAuth: one text that is good until it expires or is removed, everywhere where an access token is, for
 * evdb_auth_token_check() knows it. It has the form "evdbkey_ID_SECRET": 8 + 16 + 1 + 49 characters, of which ID, in hexadecimal digits,
 * names it and is not secret; ID and SECRET are drawn, and the last six characters are a checksum of the others, by which programs
 * that look for secrets can tell one (base64url of the first four bytes of SHA-256). What is kept of it is a keyed BLAKE2b. Who asks with
 * one is the client "key:ID", which no client's id can be. */
typedef struct evdb_api_key_options {
    size_t size;         /* EVDB_API_KEY_OPTIONS sets it */
    const char *title;   /* what it is for, in people's words, or NULL */
    uint32_t scopes;     /* 0 and stores NULL: read */
    uint32_t reserved;
    const char *stores;  /* scopes of some stores, or NULL */
    int64_t expires_ms;  /* Unix time; 0 = never */
} evdb_api_key_options;
#define EVDB_API_KEY_OPTIONS { .size = sizeof(evdb_api_key_options) }

typedef struct evdb_api_key {
    char id[EVDB_API_KEY_ID_BYTES];
    char title[EVDB_API_KEY_TITLE_MAX + 1];
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* scopes of some stores, "" = none */
    int64_t created_ms, expires_ms;       /* Unix time; expires_ms 0 = never */
} evdb_api_key;

/* Makes a key: its text goes to key_out (EVDB_API_KEY_BYTES) and cannot be read again later, its id to id_out (EVDB_API_KEY_ID_BYTES,
 * may be NULL). EVDB_INVALID for scopes that may not be and a time that is past, EVDB_LIMIT for a title that is too long and beyond
 * EVDB_API_KEYS_MAX, those that have expired included. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_api_key_add(evdb *db, const evdb_api_key_options *options, char *id_out, char *key_out,
                                                           evdb_error *err);
/* It is refused from then on, by every process. EVDB_NOT_FOUND; EVDB_INVALID for what is no id of a key. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_api_key_remove(evdb *db, const char *id, evdb_error *err);
/* All of them, sorted by id; *out is freed with evdb_auth_api_key_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_api_key_list(evdb *db, evdb_api_key **out, size_t *count, evdb_error *err);
EVDB_API void evdb_auth_api_key_list_free(evdb_api_key *list);

/* ---- the keys of JWTs ----
 *
 * One key is active: it signs. The next one is published already, so that whoever keeps a list of keys has it by the time it signs;
 * those before stay until the last token that they signed has expired. Keys are made by the first call that needs one; what they
 * are made of is kept in system.db, as the key of opaque tokens is, and handed out by nothing. */
typedef enum evdb_key_state { EVDB_KEY_NEXT = 0, EVDB_KEY_ACTIVE = 1, EVDB_KEY_RETIRING = 2 } evdb_key_state;

typedef struct evdb_signing_key {
    char id[EVDB_KEY_ID_BYTES]; /* kid: the key's thumbprint (RFC 7638) */
    evdb_key_state state;
    int32_t reserved;
    int64_t created_ms, changed_ms; /* Unix time; changed_ms: since when it is in this state */
    int64_t ends_ms;                /* of a retiring one: when it goes; else 0 */
} evdb_signing_key;

/* The active key retires, the next one becomes active, and another one is made. EVDB_LIMIT when too many have not ended. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_keys_rotate(evdb *db, evdb_error *err);
/* Active, next, retiring; *out is freed with evdb_auth_keys_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_keys_list(evdb *db, evdb_signing_key **out, size_t *count, evdb_error *err);
EVDB_API void evdb_auth_keys_list_free(evdb_signing_key *list);
/* The public halves of the same, as a JSON Web Key Set (RFC 7517); *out is freed with evdb_auth_jwks_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_auth_jwks(evdb *db, char **out, evdb_error *err);
EVDB_API void evdb_auth_jwks_free(char *text);

EVDB_END
#endif
