/* auth_api_keys.c - the part of evdb/auth.h that is about API keys. */
#include "auth/api_key.h"
#include "auth_private.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "disk/api_keys.h"
#include <evdb/auth.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- making and removing ---- */

static evdb_status take_options(evdb *db, const evdb_api_key_options *given, evdb_api_key *out, evdb_error *err)
{
    evdb_api_key_options o = EVDB_API_KEY_OPTIONS;
    evdb_status rc;
    TRY(options_import(&o, sizeof(o), given, "evdb_api_key_options", err));
    if (o.scopes & ~(uint32_t)(EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN))
        TRY(error_set(err, EVDB_INVALID, "unknown bits in scopes %#x", o.scopes));
    TRY(auth_stores_take(o.stores, out->stores, err));
    if (o.title && strlen(o.title) > EVDB_API_KEY_TITLE_MAX)
        TRY(error_set(err, EVDB_LIMIT, "the title of an API key may have %u bytes", EVDB_API_KEY_TITLE_MAX));
    out->created_ms = auth_now_ms(db);
    out->expires_ms = o.expires_ms;
    if (o.expires_ms && o.expires_ms <= out->created_ms) TRY(error_set(err, EVDB_INVALID, "an API key cannot expire in the past"));
    out->scopes = o.scopes || *out->stores ? auth_scopes_whole(o.scopes) : EVDB_SCOPE_READ;
    if (o.title) memcpy(out->title, o.title, strlen(o.title) + 1);
out:
    return rc;
}

evdb_status evdb_auth_api_key_add(evdb *db, const evdb_api_key_options *options, char *id_out, char *key_out, evdb_error *err)
{
    char text[EVDB_API_KEY_BYTES] = "";
    api_key_row row = { .key.scopes = 0 };
    evdb_status rc;
    if (!key_out) return error_set(err, EVDB_INVALID, "key_out is missing: where would the new key go?");
    TRY(auth_begin(db, err));
    TRY(take_options(db, options, &row.key, err));
    api_key_draw(&db->platform, row.key.id, text);
    secret_mac(db->secrets, SECRET_FOR_API_KEYS, text, strlen(text), row.hash);
    TRY(api_keys_add(db->system, &row, err));
    if (id_out) memcpy(id_out, row.key.id, sizeof(row.key.id));
    memcpy(key_out, text, sizeof(text));
out:
    sodium_memzero(text, sizeof(text));
    return rc;
}

evdb_status evdb_auth_api_key_remove(evdb *db, const char *id, evdb_error *err)
{
    evdb_status rc = db_usable(db, err);
    if (rc != EVDB_OK) return rc;
    if (!id || !api_key_id_good(id)) /* it may be the key itself, and is not repeated */
        return error_set(err, EVDB_INVALID, "an API key's id is %u hexadecimal digits, those behind 'evdbkey_'", EVDB_API_KEY_ID_BYTES - 1);
    return api_keys_remove(db->system, id, err);
}

/* ---- lists ---- */

static evdb_status list_one(void *context, const api_key_row *row, evdb_error *err)
{
    return buf_add(context, &row->key, sizeof(row->key)) ? EVDB_OK : error_no_memory(err, sizeof(row->key), "a list of API keys");
}

evdb_status evdb_auth_api_key_list(evdb *db, evdb_api_key **out, size_t *count, evdb_error *err)
{
    buf keys;
    evdb_status rc;
    buf_init(&keys, &db->platform.mem);
    TRY(db_usable(db, err));
    TRY(api_keys_each(db->system, NULL, list_one, &keys, err));
    evdb_api_key *list = mem_owned(&db->platform.mem, keys.size + 1);
    if (!list) TRY(error_no_memory(err, keys.size, "a list of API keys"));
    if (keys.size) memcpy(list, keys.at, keys.size);
    *out = list;
    *count = keys.size / sizeof(*list);
out:
    buf_free(&keys);
    return rc;
}

void evdb_auth_api_key_list_free(evdb_api_key *list) { mem_owned_free(list); }

/* ---- checking ---- */

static evdb_status take_row(void *context, const api_key_row *row, evdb_error *err)
{
    (void)err;
    *(api_key_row *)context = *row;
    return EVDB_OK;
}

/* What system.db says of it, as claims: those are what is remembered of any bearer's text. */
static evdb_status look_up(evdb *db, const char *id, const char *text, jwt_claims *out, evdb_error *err)
{
    unsigned char hash[API_KEY_HASH_BYTES];
    api_key_row row = { .key.id = "" };
    evdb_status rc = api_keys_each(db->system, id, take_row, &row, err);
    if (rc != EVDB_OK) return rc;
    secret_mac(db->secrets, SECRET_FOR_API_KEYS, text, strlen(text), hash);
    bool right = sodium_memcmp(hash, row.hash, sizeof(hash)) == 0 && *row.key.id;
    sodium_memzero(hash, sizeof(hash));
    if (!right) return error_set(err, EVDB_DENIED, "the API key is unknown or was removed");
    *out = (jwt_claims){ .scopes = row.key.scopes, .expires_ms = row.key.expires_ms ? row.key.expires_ms : INT64_MAX };
    snprintf(out->client, sizeof(out->client), "key:%s", row.key.id);
    memcpy(out->stores, row.key.stores, sizeof(out->stores));
    return EVDB_OK;
}

evdb_status auth_api_key_check(evdb *db, const char *text, evdb_principal *out, evdb_error *err)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    char id[EVDB_API_KEY_ID_BYTES];
    jwt_claims claims;
    uint64_t seen = 0;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (!api_key_read(text, id)) TRY(error_set(err, EVDB_DENIED, "the API key is malformed"));
    token_cache_hash(db->tokens, text, strlen(text), hash);
    uint64_t now_seen = system_seen(db->system); /* before anything is read of it */
    if (!token_cache_find(db->tokens, hash, &claims, &seen) || !now_seen || seen != now_seen) {
        TRY(look_up(db, id, text, &claims, err));
        token_cache_keep(db->tokens, hash, &claims, now_seen);
    }
    if (claims.expires_ms <= auth_now_ms(db)) TRY(error_set(err, EVDB_DENIED, "the API key has expired"));
    *out = (evdb_principal){ .scopes = claims.scopes, .expires_ms = claims.expires_ms };
    memcpy(out->client, claims.client, sizeof(out->client));
    memcpy(out->subject, claims.client, sizeof(out->subject));
    memcpy(out->stores, claims.stores, sizeof(out->stores));
out:
    return rc;
}
