/* auth.c - implements evdb/auth.h: scopes, grants and clients. Tokens are in auth_token.c. */
#include <evdb/auth.h>
#include "auth/token.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include <sodium.h>
#include <string.h>

enum { SECRET_MIN = 8, ALL_SCOPES = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN,
       ALL_GRANTS = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN };

/* ---- names and bits ---- */

typedef struct bit_name {
    const char *name;
    uint32_t bit, sets; /* what it is written for; what it stands for */
} bit_name;

static const bit_name scope_names[] = {
    { "read", EVDB_SCOPE_READ, EVDB_SCOPE_READ },
    { "write", EVDB_SCOPE_WRITE, EVDB_SCOPE_WRITE | EVDB_SCOPE_READ },
    { "admin", EVDB_SCOPE_ADMIN, ALL_SCOPES },
    { NULL, 0, 0 }
};
static const bit_name grant_names[] = {
    { "client_credentials", EVDB_GRANT_CLIENT_CREDENTIALS, EVDB_GRANT_CLIENT_CREDENTIALS },
    { "refresh_token", EVDB_GRANT_REFRESH_TOKEN, EVDB_GRANT_REFRESH_TOKEN },
    { NULL, 0, 0 }
};

static evdb_status parse(const bit_name *names, const char *what, const char *text, uint32_t *out, evdb_error *err)
{
    uint32_t bits = 0;
    if (!text || !*text) return error_set(err, EVDB_INVALID, "no %s is named", what);
    for (const char *at = text;;) {
        size_t length = strcspn(at, " ");
        const bit_name *n = names;
        while (n->name && !(strlen(n->name) == length && memcmp(n->name, at, length) == 0)) n++;
        if (!n->name) return error_set(err, EVDB_INVALID, "there is no %s '%.*s'", what, (int)(length < 80 ? length : 80), at);
        bits |= n->sets;
        at += length;
        if (!*at) break;
        at++;
    }
    *out = bits;
    return EVDB_OK;
}

static const char *write_names(const bit_name *names, uint32_t bits, char *space)
{
    char *at = space;
    for (const bit_name *n = names; n->name; n++) {
        size_t length = strlen(n->name);
        if (!(bits & n->bit)) continue;
        if (at > space) *at++ = ' ';
        memcpy(at, n->name, length);
        at += length;
    }
    *at = 0;
    return space;
}

evdb_status evdb_auth_scopes_parse(const char *text, uint32_t *out, evdb_error *err)
{
    return parse(scope_names, "scope", text, out, err);
}

const char *evdb_auth_scopes_text(uint32_t scopes, char *space) { return write_names(scope_names, scopes, space); }

uint32_t auth_scopes_whole(uint32_t scopes)
{
    uint32_t whole = scopes;
    for (const bit_name *n = scope_names; n->name; n++)
        if (scopes & n->bit) whole |= n->sets;
    return whole;
}

evdb_status evdb_auth_grants_parse(const char *text, uint32_t *out, evdb_error *err)
{
    return parse(grant_names, "grant type", text, out, err);
}

const char *evdb_auth_grants_text(uint32_t grants, char *space) { return write_names(grant_names, grants, space); }

/* ---- clients ---- */

/* The two rooms do not see each other. */
_Static_assert((int)CLIENT_HASH_BYTES == (int)SECRET_HASH_BYTES && (int)CLIENTS_KEY_BYTES == (int)SECRET_KEY_BYTES,
               "system.db keeps what auth/secret.h makes");

evdb_status auth_begin(evdb *db, evdb_error *err)
{
    unsigned char fresh[CLIENTS_KEY_BYTES], key[CLIENTS_KEY_BYTES];
    evdb_status rc = db_usable(db, err);
    if (rc != EVDB_OK || secrets_ready(db->secrets)) return rc;
    db->platform.random(db->platform.random_context, fresh, sizeof(fresh));
    rc = clients_key(db->system, fresh, key, err);
    if (rc == EVDB_OK) secrets_set_key(db->secrets, key);
    sodium_memzero(fresh, sizeof(fresh));
    sodium_memzero(key, sizeof(key));
    return rc;
}

static evdb_status check_id(const char *id, evdb_error *err)
{
    size_t length = id ? strlen(id) : 0;
    bool good = length >= 1 && length <= EVDB_CLIENT_ID_MAX;
    for (size_t i = 0; good && i < length; i++) good = id[i] > ' ' && id[i] < 0x7f && !strchr(":\"\\", id[i]);
    if (good) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "a client's id is 1 to %u printable ASCII characters without space, ':', '\"' and '\\'",
                     EVDB_CLIENT_ID_MAX);
}

static evdb_status check_secret(const char *secret, evdb_error *err)
{
    size_t length = strlen(secret);
    if (length < SECRET_MIN || length > EVDB_SECRET_MAX)
        return error_set(err, EVDB_INVALID, "a secret has %d to %u bytes, not %zu", SECRET_MIN, EVDB_SECRET_MAX, length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)secret[i] < 0x20 || secret[i] == 0x7f)
            return error_set(err, EVDB_INVALID, "a secret has no control characters");
    return EVDB_OK;
}

/* Drawn, not counted: no token of another secret may fit, be it of a removed client of the same id or of one that a copy of the
 * database has had. */
static int64_t new_generation(const evdb *db)
{
    uint64_t drawn;
    db->platform.random(db->platform.random_context, &drawn, sizeof(drawn));
    return (int64_t)(drawn >> 1);
}

/* Fills in kind, hash and generation from a chosen secret, or from one made into made. */
static evdb_status take_secret(evdb *db, const char *secret, char made[EVDB_SECRET_BYTES], client_row *row, evdb_error *err)
{
    evdb_status rc = secret ? check_secret(secret, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    if (!secret) token_random(&db->platform, made);
    row->generation = new_generation(db);
    row->kind = secret ? SECRET_CHOSEN : SECRET_GENERATED;
    return secret_hash(db->secrets, row->kind, secret ? secret : made, row->hash, err);
}

/* Stores a client with a new secret through `store`, and then shows the secret if one was made. */
static evdb_status with_secret(evdb *db, const char *secret, client_row *row, char *secret_out,
                               evdb_status (*store)(system_db *s, const client_row *row, evdb_error *err), evdb_error *err)
{
    char made[EVDB_SECRET_BYTES] = "";
    evdb_status rc;
    if (!secret && !secret_out) return error_set(err, EVDB_INVALID, "secret_out is missing: where would the new secret go?");
    TRY(auth_begin(db, err));
    TRY(take_secret(db, secret, made, row, err));
    TRY(store(db->system, row, err));
    if (!secret) memcpy(secret_out, made, sizeof(made));
out:
    sodium_memzero(made, sizeof(made));
    return rc;
}

evdb_status evdb_auth_client_add(evdb *db, const char *id, const char *secret, uint32_t scopes, uint32_t grants,
                                 char *secret_out, evdb_error *err)
{
    client_row row = { .scopes = scopes ? auth_scopes_whole(scopes) : EVDB_SCOPE_READ,
                       .grants = grants ? grants : EVDB_GRANT_CLIENT_CREDENTIALS };
    evdb_status rc = check_id(id, err);
    if (rc != EVDB_OK) return rc;
    if (scopes & ~(uint32_t)ALL_SCOPES || grants & ~(uint32_t)ALL_GRANTS)
        return error_set(err, EVDB_INVALID, "unknown bits in scopes %#x or grants %#x", scopes, grants);
    memcpy(row.id, id, strlen(id) + 1);
    row.created_ms = db->platform.clock_ms(db->platform.clock_context);
    return with_secret(db, secret, &row, secret_out, clients_add, err);
}

evdb_status evdb_auth_client_rotate(evdb *db, const char *id, const char *secret, char *secret_out, evdb_error *err)
{
    client_row row = { 0 };
    evdb_status rc = check_id(id, err);
    if (rc != EVDB_OK) return rc;
    memcpy(row.id, id, strlen(id) + 1);
    return with_secret(db, secret, &row, secret_out, clients_change_secret, err);
}

evdb_status evdb_auth_client_remove(evdb *db, const char *id, evdb_error *err)
{
    evdb_status rc = db_usable(db, err);
    if (rc == EVDB_OK) rc = check_id(id, err);
    return rc == EVDB_OK ? clients_remove(db->system, id, err) : rc;
}

typedef struct listing {
    const evdb_allocator *mem;
    evdb_client *at;
    size_t count, capacity;
} listing;

static evdb_status list_one(void *context, const client_row *row, evdb_error *err)
{
    listing *l = context;
    if (l->count == l->capacity) {
        size_t more = l->capacity ? l->capacity * 2 : 16;
        evdb_client *grown = mem_resize(l->mem, l->at, more, sizeof(*grown));
        if (!grown) return error_no_memory(err, more * sizeof(*grown), "a list of clients");
        l->at = grown;
        l->capacity = more;
    }
    evdb_client *c = &l->at[l->count++];
    *c = (evdb_client){ .scopes = row->scopes, .grants = row->grants, .chosen_secret = row->kind == SECRET_CHOSEN,
                        .created_ms = row->created_ms };
    memcpy(c->id, row->id, sizeof(c->id));
    return EVDB_OK;
}

evdb_status evdb_auth_client_list(evdb *db, evdb_client **out, size_t *count, evdb_error *err)
{
    listing l = { .mem = &db->platform.mem };
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(clients_each(db->system, list_one, &l, err));
    evdb_client *list = mem_owned(l.mem, l.count * sizeof(*list) + 1);
    if (!list) TRY(error_no_memory(err, l.count * sizeof(*list), "a list of clients"));
    if (l.count) memcpy(list, l.at, l.count * sizeof(*list));
    *out = list;
    *count = l.count;
out:
    mem_free(l.mem, l.at);
    return rc;
}

void evdb_auth_client_list_free(evdb_client *list) { mem_owned_free(list); }
