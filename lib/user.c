/* user.c - implements the first half of evdb/user.h: users. Codes are in user_code.c, redirect URIs in auth_redirects.c. */
#include <evdb/user.h>
#include "auth_private.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/users.h"
#include <string.h>

/* The two rooms do not see each other. */
_Static_assert((int)USER_HASH_BYTES == (int)SECRET_HASH_BYTES && sizeof(EVDB_SUBJECT_USER) + EVDB_USER_NAME_MAX <= EVDB_CLIENT_ID_MAX,
               "system.db keeps what auth/secret.h makes, and a subject has room");

static evdb_status check_name(const char *name, evdb_error *err)
{
    if (auth_name_good(name, EVDB_USER_NAME_MAX)) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "a user's name is 1 to %u printable ASCII characters without space, ':', '\"' and '\\'", EVDB_USER_NAME_MAX);
}

/* Name, hash and generation; the key of the database is made, for tokens of the user need it. */
static evdb_status take_password(evdb *db, const char *name, const char *password, user_row *row, evdb_error *err)
{
    evdb_status rc;
    TRY(check_name(name, err));
    if (!password) TRY(error_set(err, EVDB_INVALID, "a user needs a password"));
    TRY(auth_secret_check(password, err));
    TRY(auth_begin(db, err));
    memcpy(row->name, name, strlen(name) + 1);
    row->generation = auth_new_generation(db);
    rc = secret_hash(db->secrets, SECRET_CHOSEN, password, row->hash, err);
out:
    return rc;
}

evdb_status evdb_auth_user_add(evdb *db, const char *name, const char *password, uint32_t scopes, const char *stores, evdb_error *err)
{
    user_row row = { .created_ms = auth_now_ms(db) };
    evdb_status rc;
    if (scopes & ~(uint32_t)(EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN))
        return error_set(err, EVDB_INVALID, "unknown bits in scopes %#x", scopes);
    TRY(auth_stores_take(stores, row.stores, err));
    row.scopes = scopes || *row.stores ? auth_scopes_whole(scopes) : EVDB_SCOPE_READ;
    TRY(take_password(db, name, password, &row, err));
    rc = users_add(db->system, &row, err);
out:
    return rc;
}

evdb_status evdb_auth_user_change_password(evdb *db, const char *name, const char *password, evdb_error *err)
{
    user_row row = { .scopes = 0 };
    evdb_status rc = take_password(db, name, password, &row, err);
    return rc == EVDB_OK ? users_change_secret(db->system, &row, err) : rc;
}

evdb_status evdb_auth_user_remove(evdb *db, const char *name, evdb_error *err)
{
    evdb_status rc = db_usable(db, err);
    if (rc == EVDB_OK) rc = check_name(name, err);
    return rc == EVDB_OK ? users_remove(db->system, name, err) : rc;
}

static evdb_user shown(const user_row *row)
{
    evdb_user u = { .scopes = row->scopes, .created_ms = row->created_ms, .generation = row->generation };
    memcpy(u.name, row->name, sizeof(u.name));
    memcpy(u.stores, row->stores, sizeof(u.stores));
    return u;
}

static evdb_status list_one(void *context, const user_row *row, evdb_error *err)
{
    evdb_user u = shown(row);
    return buf_add(context, &u, sizeof(u)) ? EVDB_OK : error_no_memory(err, sizeof(u), "a list of users");
}

evdb_status evdb_auth_user_list(evdb *db, evdb_user **out, size_t *count, evdb_error *err)
{
    buf users;
    evdb_status rc;
    buf_init(&users, &db->platform.mem);
    TRY(db_usable(db, err));
    TRY(users_each(db->system, list_one, &users, err));
    evdb_user *list = mem_owned(&db->platform.mem, users.size + 1);
    if (!list) TRY(error_no_memory(err, users.size, "a list of users"));
    if (users.size) memcpy(list, users.at, users.size);
    *count = users.size / sizeof(evdb_user);
    *out = list;
out:
    buf_free(&users);
    return rc;
}

void evdb_auth_user_list_free(evdb_user *list) { mem_owned_free(list); }

evdb_status evdb_auth_user_check(evdb *db, const char *name, const char *password, evdb_user *out, evdb_error *err)
{
    user_row row = { .scopes = 0 }; /* of nobody, whose hash no password has: an unknown name takes as long as a wrong password */
    bool found = false, right = false;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (auth_name_good(name, EVDB_USER_NAME_MAX)) TRY(users_find(db->system, name, &row, &found, err));
    bool good = password && strlen(password) <= EVDB_SECRET_MAX;
    TRY(secret_matches(db->secrets, SECRET_CHOSEN, good ? password : "", row.hash, &right, err));
    if (!found || !good || !right) TRY(error_set(err, EVDB_DENIED, "the user is unknown or the password is wrong"));
    if (out) *out = shown(&row);
out:
    return rc;
}

evdb_status auth_user_generation(evdb *db, const char *subject, int64_t *out, bool *found, evdb_error *err)
{
    static const size_t length = sizeof(EVDB_SUBJECT_USER) - 1;
    user_row row;
    *out = 0;
    *found = true;
    if (strncmp(subject, EVDB_SUBJECT_USER, length) != 0) return EVDB_OK;
    evdb_status rc = users_find(db->system, subject + length, &row, found, err);
    if (rc == EVDB_OK && *found) *out = row.generation;
    return rc;
}
