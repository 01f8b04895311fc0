/* auth_private.h - what the parts of evdb/auth.h share. */
#ifndef EVDB_AUTH_PRIVATE_H
#define EVDB_AUTH_PRIVATE_H
#include "auth/secret.h"
#include "auth/signing.h"
#include "auth/token_cache.h"
#include "disk/clients.h"
#include "disk/refresh.h"
#include "engine/engine.h"

static inline int64_t auth_now_ms(const evdb *db) { return db->platform.clock_ms(db->platform.clock_context); }

/* The handle may be used, and the database's key is known. */
evdb_status auth_begin(evdb *db, evdb_error *err);

/* With the scopes that these include. */
uint32_t auth_scopes_whole(uint32_t scopes);
/* Is all that is asked for, in bits and for some stores, among what is held? */
bool auth_scopes_cover(uint32_t scopes, const char *stores, uint32_t asked, const char *asked_stores);
/* Takes a text of scopes of stores as evdb_auth_scopes_split() does, which may hold no others; NULL and "" are none. */
evdb_status auth_stores_take(const char *text, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err);

/* What both hold. LIMIT when that takes more than fits. */
evdb_status auth_scopes_meet(uint32_t a, const char *a_stores, uint32_t b, const char *b_stores, uint32_t *scopes,
                             char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err);

/* auth.c: may a person choose this for a secret? A number for it, which no other secret has; what an id of a client may be. */
evdb_status auth_secret_check(const char *secret, evdb_error *err);
int64_t auth_new_generation(const evdb *db);
bool auth_name_good(const char *name, size_t most);

/* Redirect URIs, separated by blanks: absolute, without a fragment, and nowhere that others can listen. INVALID, LIMIT. */
evdb_status auth_redirects_check(const char *uris, evdb_error *err);

/* auth_keys.c: db->signing is as system.db has it; and has an active key that was so for less than key_lifetime_ms (0 = whatever its
 * age), and is kept as long as tokens of that lifetime take. */
evdb_status auth_keys_read(evdb *db, evdb_error *err);
evdb_status auth_active_key(evdb *db, int64_t lifetime_ms, int64_t key_lifetime_ms, signing_key *out, evdb_error *err);

/* auth_token.c: options with their defaults; stores: those of the scopes that are asked for. */
evdb_status auth_options_take(const evdb_token_options *given, evdb_token_options *o, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err);
/* The client with this secret, if it may use this grant (0 = whichever). */
evdb_status auth_client_admit(evdb *db, const char *id, const char *secret, const evdb_token_options *o, uint32_t grant, client_row *out,
                              evdb_error *err);
evdb_status auth_audience_check(const char *audience, evdb_error *err);
/* What somebody was given, and the tokens of it. Options are complete; *out is otherwise empty. */
typedef struct auth_grant {
    const client_row *client;
    const char *subject;  /* for whom the client acts; NULL or "" = itself */
    uint32_t scopes;
    const char *stores;   /* "" = none */
    const char *audience; /* NULL or "" = the issuer */
    int64_t user_generation; /* of the user that the subject is; 0 = it is none */
    const unsigned char *family; /* REFRESH_FAMILY_BYTES of the log-in that it came from; NULL = of none, and a refresh token draws one */
} auth_grant;
evdb_status auth_make_access(evdb *db, const auth_grant *g, const evdb_token_options *o, evdb_token *out, evdb_error *err);
void auth_make_refresh(evdb *db, const auth_grant *g, int64_t lifetime_ms, char text[EVDB_SECRET_BYTES], refresh_row *row);

/* user.c: the generation of the password of the user that a subject is; 0 when it is none. *found is false when that user is gone. */
evdb_status auth_user_generation(evdb *db, const char *subject, int64_t *out, bool *found, evdb_error *err);
/* auth_api_keys.c: whom an API key speaks for. EVDB_DENIED. */
evdb_status auth_api_key_check(evdb *db, const char *text, evdb_principal *out, evdb_error *err);

/* auth_check.c: are all words of `asked`, separated by spaces, among `held`? */
bool auth_words_within(const char *held, const char *asked);
/* What an access token of either form says, once it is known to be good, and its client's row. */
evdb_status auth_believe(evdb *db, const char *token, jwt_claims *claims, client_row *row, evdb_error *err);

#endif
