/* auth_keys.c - the keys of evdb/auth.h that access tokens are signed with: made, rotated, published. */
#include "auth/base64url.h"
#include "auth/signing.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/signing_rows.h"
#include <evdb/auth.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

/* The two rooms do not see each other. */
_Static_assert((int)SIGNING_ROW_KID_BYTES == (int)JWS_KID_BYTES && (int)SIGNING_ROW_SEED_BYTES == (int)JWS_SEED_BYTES &&
               (int)SIGNING_ROWS_MAX == (int)SIGNING_KEYS_MAX && (int)SIGNING_ROW_NEXT == (int)SIGNING_NEXT &&
               (int)SIGNING_ROW_ACTIVE == (int)SIGNING_ACTIVE && (int)SIGNING_ROW_RETIRING == (int)SIGNING_RETIRING,
               "system.db keeps what auth/signing.h uses");

static evdb_status take_row(void *context, const signing_row *row, evdb_error *err)
{
    signing_key key = { .state = (signing_state)row->state, .created_ms = row->created_ms, .changed_ms = row->changed_ms,
                        .lifetime_ms = row->lifetime_ms };
    memcpy(key.kid, row->kid, sizeof(key.kid));
    return signing_take(context, &key, row->seed, err);
}

evdb_status auth_keys_read(evdb *db, evdb_error *err)
{
    uint64_t seen = system_seen(db->system);
    if (seen && seen == signing_seen(db->signing)) return EVDB_OK;
    signing_reading(db->signing);
    evdb_status rc = signing_rows_each(db->system, take_row, db->signing, err);
    signing_read(db->signing, rc == EVDB_OK, seen);
    return rc;
}

static void make_row(evdb *db, signing_row *out, int64_t state, int64_t now)
{
    unsigned char public_key[JWS_PUBLIC_BYTES], secret_key[JWS_SECRET_BYTES];
    *out = (signing_row){ .state = state, .created_ms = now, .changed_ms = now };
    db->platform.random(db->platform.random_context, out->seed, sizeof(out->seed));
    jws_key(out->seed, public_key, secret_key);
    jws_kid(public_key, out->kid);
    sodium_memzero(secret_key, sizeof(secret_key));
}

/* active: the kid that is to retire, "" where there is none. */
static evdb_status rotate(evdb *db, const char *active, evdb_error *err)
{
    signing_row fresh[2];
    int64_t now = auth_now_ms(db);
    make_row(db, &fresh[0], SIGNING_ROW_ACTIVE, now);
    make_row(db, &fresh[1], SIGNING_ROW_NEXT, now);
    evdb_status rc = signing_rows_rotate(db->system, active, fresh, now, now - SIGNING_SLACK_MS, err);
    sodium_memzero(fresh, sizeof(fresh));
    return rc;
}

/* One step towards an active key that is young enough and may sign tokens that live that long; *done when it is there. */
static evdb_status approach(evdb *db, int64_t lifetime_ms, int64_t key_lifetime_ms, signing_key *key, bool *done, evdb_error *err)
{
    evdb_status rc = auth_keys_read(db, err);
    if (rc != EVDB_OK) return rc;
    bool found = signing_active(db->signing, key);
    bool old = found && key_lifetime_ms && auth_now_ms(db) - key->changed_ms >= key_lifetime_ms;
    *done = found && !old && lifetime_ms <= key->lifetime_ms;
    if (*done) return EVDB_OK;
    if (!found || old) return rotate(db, found ? key->kid : "", err);
    rc = signing_rows_stretch(db->system, key->kid, lifetime_ms, err);
    return rc == EVDB_NOT_FOUND ? EVDB_OK : rc; /* rotated meanwhile */
}

evdb_status auth_active_key(evdb *db, int64_t lifetime_ms, int64_t key_lifetime_ms, signing_key *out, evdb_error *err)
{
    enum { STEPS = 16 }; /* it takes three, unless others rotate all the time */
    bool done = false;
    for (int i = 0; i < STEPS; i++) {
        evdb_status rc = approach(db, lifetime_ms, i < 2 ? key_lifetime_ms : 0, out, &done, err);
        if (rc != EVDB_OK || done) return rc;
    }
    return error_set(err, EVDB_BUSY, "the signing keys change all the time");
}

evdb_status evdb_auth_keys_rotate(evdb *db, evdb_error *err)
{
    signing_key key;
    evdb_status rc;
    TRY(auth_begin(db, err));
    TRY(auth_keys_read(db, err));
    TRY(rotate(db, signing_active(db->signing, &key) ? key.kid : "", err));
out:
    return rc;
}

/* All that are published, once there are any. */
static evdb_status published(evdb *db, signing_key list[SIGNING_KEYS_MAX], size_t *count, evdb_error *err)
{
    signing_key active;
    evdb_status rc;
    TRY(auth_begin(db, err));
    TRY(auth_active_key(db, 0, 0, &active, err));
    *count = signing_list(db->signing, auth_now_ms(db), list);
out:
    return rc;
}

evdb_status evdb_auth_keys_list(evdb *db, evdb_signing_key **out, size_t *count, evdb_error *err)
{
    signing_key list[SIGNING_KEYS_MAX];
    size_t found;
    evdb_status rc = published(db, list, &found, err);
    if (rc != EVDB_OK) return rc;
    evdb_signing_key *keys = mem_owned(&db->platform.mem, found * sizeof(*keys));
    if (!keys) return error_no_memory(err, found * sizeof(*keys), "a list of keys");
    for (size_t i = 0; i < found; i++) {
        keys[i] = (evdb_signing_key){ .state = (evdb_key_state)list[i].state, .created_ms = list[i].created_ms, .changed_ms = list[i].changed_ms,
                                      .ends_ms = list[i].state == SIGNING_RETIRING ? signing_end(&list[i]) : 0 };
        memcpy(keys[i].id, list[i].kid, JWS_KID_BYTES);
    }
    *out = keys;
    *count = found;
    return EVDB_OK;
}

void evdb_auth_keys_list_free(evdb_signing_key *list) { mem_owned_free(list); }

/* RFC 7517 and RFC 8037, section 2. */
static json_t *jwk(const signing_key *key)
{
    char x[BASE64URL_LENGTH(JWS_PUBLIC_BYTES) + 1];
    base64url_write(key->public_key, sizeof(key->public_key), x);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "alg", JWS_ALGORITHM, "use", "sig", "kid", key->kid,
                     "x", x);
}

evdb_status evdb_auth_jwks(evdb *db, char **out, evdb_error *err)
{
    enum { KEY_BYTES = 256 };
    signing_key list[SIGNING_KEYS_MAX];
    json_t *keys = NULL, *root = NULL;
    size_t count, room;
    evdb_status rc;
    TRY(published(db, list, &count, err));
    room = 64 + count * KEY_BYTES;
    keys = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(keys, jwk(&list[i]))) TRY(error_no_memory(err, room, "a list of keys"));
    root = json_pack("{s:O}", "keys", keys);
    char *text = root ? mem_owned(&db->platform.mem, room) : NULL;
    size_t length = text ? json_dumpb(root, text, room - 1, JSON_COMPACT) : 0; /* and a NUL, for it is zeroed */
    if (!length || length >= room) {
        mem_owned_free(text);
        TRY(error_no_memory(err, room, "a list of keys"));
    }
    *out = text;
out:
    json_decref(keys);
    json_decref(root);
    return rc;
}

void evdb_auth_jwks_free(char *text) { mem_owned_free(text); }
