/* auth.c - implements evdb/auth.h: clients. Scopes are in auth_scopes.c, tokens in auth_token.c. */
#include <evdb/auth.h>
#include "auth/token.h"
#include "auth_private.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include <sodium.h>
#include <string.h>

enum { SECRET_MIN = 8, TITLE_MAX = 128 };

/* ---- methods ---- */

static const char *const method_names[] = { NULL, "client_secret_basic", "none", "private_key_jwt" };
enum { METHODS = sizeof(method_names) / sizeof(*method_names) };

const char *evdb_client_method_name(evdb_client_method method) { return (size_t)method < METHODS ? method_names[method] : NULL; }

evdb_status evdb_client_method_parse(const char *name, evdb_client_method *out, evdb_error *err)
{
    if (name && strcmp(name, "client_secret_post") == 0) name = method_names[EVDB_CLIENT_SECRET];
    for (int i = 1; i < METHODS; i++)
        if (name && strcmp(name, method_names[i]) == 0) {
            *out = (evdb_client_method)i;
            return EVDB_OK;
        }
    return error_set(err, EVDB_INVALID, "there is no client method '%.40s': use client_secret_basic, none or private_key_jwt", name ? name : "");
}

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

bool auth_name_good(const char *name, size_t most)
{
    size_t length = name ? strlen(name) : 0;
    bool good = length >= 1 && length <= most;
    for (size_t i = 0; good && i < length; i++) good = name[i] > ' ' && name[i] < 0x7f && !strchr(":\"\\", name[i]);
    return good;
}

static evdb_status check_id(const char *id, evdb_error *err)
{
    if (auth_name_good(id, EVDB_CLIENT_ID_MAX)) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "a client's id is 1 to %u printable ASCII characters without space, ':', '\"' and '\\'",
                     EVDB_CLIENT_ID_MAX);
}

evdb_status auth_secret_check(const char *secret, evdb_error *err)
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
int64_t auth_new_generation(const evdb *db)
{
    uint64_t drawn;
    db->platform.random(db->platform.random_context, &drawn, sizeof(drawn));
    return (int64_t)(drawn >> 1);
}

/* Fills in kind, hash and generation from a chosen secret, or from one made into made; who has none gets a generation alone. */
static evdb_status take_secret(evdb *db, const char *secret, char made[EVDB_SECRET_BYTES], client_row *row, evdb_error *err)
{
    evdb_status rc = secret ? auth_secret_check(secret, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    row->generation = auth_new_generation(db);
    if (row->method != EVDB_CLIENT_SECRET) return EVDB_OK;
    if (!secret) token_random(&db->platform, made);
    row->kind = secret ? SECRET_CHOSEN : SECRET_GENERATED;
    return secret_hash(db->secrets, row->kind, secret ? secret : made, row->hash, err);
}

/* How a client with a new secret is stored. texts are those of a new one, else NULL. */
typedef evdb_status store_fn(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err);

static evdb_status change_secret(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    (void)texts;
    return clients_change_secret(s, row, err);
}

/* Stores a client with a new secret, and then shows the secret if one was made. */
static evdb_status with_secret(evdb *db, const char *secret, client_row *row, const client_texts *texts, char *secret_out,
                               store_fn *store, evdb_error *err)
{
    char made[EVDB_SECRET_BYTES] = "";
    bool makes = !secret && row->method == EVDB_CLIENT_SECRET;
    evdb_status rc;
    if (makes && !secret_out) return error_set(err, EVDB_INVALID, "secret_out is missing: where would the new secret go?");
    TRY(auth_begin(db, err));
    TRY(take_secret(db, secret, made, row, err));
    TRY(store(db->system, row, texts, err));
    if (makes) memcpy(secret_out, made, sizeof(made));
out:
    sodium_memzero(made, sizeof(made));
    return rc;
}

static evdb_status check_bits(const evdb_client_options *o, evdb_error *err)
{
    const uint32_t scopes = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN;
    const uint32_t grants = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN | EVDB_GRANT_AUTHORIZATION_CODE;
    if (o->scopes & ~scopes || o->grants & ~grants)
        return error_set(err, EVDB_INVALID, "unknown bits in scopes %#x or grants %#x", o->scopes, o->grants);
    if (!evdb_client_method_name(o->method)) return error_set(err, EVDB_INVALID, "there is no client method %u", (unsigned)o->method);
    return EVDB_OK;
}

/* What does not go together. */
static evdb_status check_method(const evdb_client_options *o, evdb_error *err)
{
    bool keys = o->method == EVDB_CLIENT_KEYS, codes = o->grants & EVDB_GRANT_AUTHORIZATION_CODE;
    if (o->secret && o->method != EVDB_CLIENT_SECRET) return error_set(err, EVDB_INVALID, "a client of this method has no secret");
    if (o->method == EVDB_CLIENT_PUBLIC && o->grants & EVDB_GRANT_CLIENT_CREDENTIALS)
        return error_set(err, EVDB_INVALID, "a public client cannot show who it is: it may not use client_credentials");
    if (keys != (o->jwks && *o->jwks))
        return error_set(err, EVDB_INVALID, keys ? "a client with keys needs a JWK set" : "a JWK set is for clients with keys");
    if (codes != (o->redirect_uris && *o->redirect_uris))
        return error_set(err, EVDB_INVALID, codes ? "a client that may use authorization_code needs a redirect URI"
                                                  : "redirect URIs are for clients that may use authorization_code");
    if (o->jwks && strlen(o->jwks) > EVDB_JWKS_MAX)
        return error_set(err, EVDB_LIMIT, "a client's JWK set may have %u bytes", EVDB_JWKS_MAX);
    if (o->title && strlen(o->title) > TITLE_MAX) return error_set(err, EVDB_LIMIT, "a client's title may have %d bytes", TITLE_MAX);
    return o->redirect_uris ? auth_redirects_check(o->redirect_uris, err) : EVDB_OK;
}

evdb_status evdb_auth_client_register(evdb *db, const char *id, const evdb_client_options *options, char *secret_out, evdb_error *err)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    client_row row = { 0 };
    evdb_status rc;
    TRY(options_import(&o, sizeof(o), options, "evdb_client_options", err));
    if (!o.method) o.method = EVDB_CLIENT_SECRET;
    TRY(check_id(id, err));
    TRY(check_bits(&o, err));
    TRY(auth_stores_take(o.stores, row.stores, err));
    row.grants = o.grants ? o.grants : EVDB_GRANT_CLIENT_CREDENTIALS;
    o.grants = row.grants;
    TRY(check_method(&o, err));
    row.scopes = o.scopes || *row.stores ? auth_scopes_whole(o.scopes) : EVDB_SCOPE_READ;
    row.method = o.method;
    memcpy(row.id, id, strlen(id) + 1);
    row.created_ms = db->platform.clock_ms(db->platform.clock_context);
    const client_texts texts = { o.title ? o.title : "", o.redirect_uris ? o.redirect_uris : "", o.jwks ? o.jwks : "" };
    rc = with_secret(db, o.secret, &row, &texts, secret_out, clients_add, err);
out:
    return rc;
}

evdb_status evdb_auth_client_add(evdb *db, const char *id, const char *secret, uint32_t scopes, uint32_t grants,
                                 char *secret_out, evdb_error *err)
{
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    o.secret = secret;
    o.scopes = scopes;
    o.grants = grants;
    return evdb_auth_client_register(db, id, &o, secret_out, err);
}

static evdb_status read_row(void *context, const client_row *row, const client_texts *texts, evdb_error *err)
{
    (void)texts, (void)err;
    *(client_row *)context = *row;
    return EVDB_OK;
}

evdb_status evdb_auth_client_rotate(evdb *db, const char *id, const char *secret, char *secret_out, evdb_error *err)
{
    client_row row = { 0 };
    evdb_status rc = check_id(id, err);
    if (rc == EVDB_OK) rc = db_usable(db, err);
    if (rc == EVDB_OK) rc = clients_each(db->system, id, read_row, &row, err);
    if (rc != EVDB_OK) return rc;
    if (!row.method) return error_set(err, EVDB_NOT_FOUND, "there is no client '%s'", id);
    if (row.method != EVDB_CLIENT_SECRET) return error_set(err, EVDB_INVALID, "client '%s' has no secret", id);
    memcpy(row.id, id, strlen(id) + 1);
    return with_secret(db, secret, &row, NULL, secret_out, change_secret, err);
}

evdb_status evdb_auth_client_remove(evdb *db, const char *id, evdb_error *err)
{
    evdb_status rc = db_usable(db, err);
    if (rc == EVDB_OK) rc = check_id(id, err);
    return rc == EVDB_OK ? clients_remove(db->system, id, err) : rc;
}

/* ---- lists ---- */

/* Clients, and their texts, which are offsets into `texts` until all are there. */
typedef struct listing {
    const evdb_allocator *mem;
    buf clients, texts;
} listing;

static bool keep(listing *l, const char *text, const char **out)
{
    *out = (const char *)(uintptr_t)l->texts.size;
    return buf_add(&l->texts, text, strlen(text) + 1);
}

static evdb_status list_one(void *context, const client_row *row, const client_texts *texts, evdb_error *err)
{
    listing *l = context;
    evdb_client c = { .scopes = row->scopes, .grants = row->grants, .method = (evdb_client_method)row->method,
                      .chosen_secret = row->method == EVDB_CLIENT_SECRET && row->kind == SECRET_CHOSEN, .created_ms = row->created_ms };
    memcpy(c.id, row->id, sizeof(c.id));
    memcpy(c.stores, row->stores, sizeof(c.stores));
    bool kept = keep(l, texts->title, &c.title) && keep(l, texts->redirects, &c.redirect_uris) && keep(l, texts->jwks, &c.jwks);
    return kept && buf_add(&l->clients, &c, sizeof(c)) ? EVDB_OK : error_no_memory(err, sizeof(c), "a list of clients");
}

/* In one block: the clients, then their texts. */
static evdb_status list_as_block(const listing *l, evdb_client **out, evdb_error *err)
{
    evdb_client *list = mem_owned(l->mem, l->clients.size + l->texts.size + 1);
    if (!list) return error_no_memory(err, l->clients.size + l->texts.size, "a list of clients");
    char *texts = (char *)list + l->clients.size;
    if (l->clients.size) memcpy(list, l->clients.at, l->clients.size);
    if (l->texts.size) memcpy(texts, l->texts.at, l->texts.size);
    for (evdb_client *c = list; (char *)c < texts; c++) {
        c->title = texts + (uintptr_t)c->title;
        c->redirect_uris = texts + (uintptr_t)c->redirect_uris;
        c->jwks = texts + (uintptr_t)c->jwks;
    }
    *out = list;
    return EVDB_OK;
}

static evdb_status list_clients(evdb *db, const char *id, evdb_client **out, size_t *count, evdb_error *err)
{
    listing l = { .mem = &db->platform.mem };
    evdb_status rc;
    buf_init(&l.clients, l.mem);
    buf_init(&l.texts, l.mem);
    TRY(clients_each(db->system, id, list_one, &l, err));
    *count = l.clients.size / sizeof(evdb_client);
    if (!id || *count) TRY(list_as_block(&l, out, err));
out:
    buf_free(&l.clients);
    buf_free(&l.texts);
    return rc;
}

evdb_status evdb_auth_client_list(evdb *db, evdb_client **out, size_t *count, evdb_error *err)
{
    evdb_status rc = db_usable(db, err);
    return rc == EVDB_OK ? list_clients(db, NULL, out, count, err) : rc;
}

evdb_status evdb_auth_client_find(evdb *db, const char *id, evdb_client **out, evdb_error *err)
{
    size_t count = 0;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(check_id(id, err));
    TRY(list_clients(db, id, out, &count, err));
    if (!count) rc = error_set(err, EVDB_NOT_FOUND, "there is no client '%s'", id);
out:
    return rc;
}

void evdb_auth_client_list_free(evdb_client *list) { mem_owned_free(list); }
