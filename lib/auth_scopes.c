/* auth_scopes.c - the part of evdb/auth.h on scopes and grants: their names, and what they allow. */
#include "auth_private.h"
#include "base/error.h"
#include "base/try.h"
#include <evdb/auth.h>
#include <stdio.h>
#include <string.h>

enum { ALL_SCOPES = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN };

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
    { "authorization_code", EVDB_GRANT_AUTHORIZATION_CODE, EVDB_GRANT_AUTHORIZATION_CODE },
    { NULL, 0, 0 }
};

static const bit_name *find_name(const bit_name *names, const char *at, size_t length)
{
    for (const bit_name *n = names; n->name; n++)
        if (strlen(n->name) == length && memcmp(n->name, at, length) == 0) return n;
    return NULL;
}

static evdb_status unknown(const char *what, const char *at, size_t length, evdb_error *err)
{
    return error_set(err, EVDB_INVALID, "there is no %s '%.*s'", what, (int)(length < 80 ? length : 80), at);
}

static evdb_status parse(const bit_name *names, const char *what, const char *text, uint32_t *out, evdb_error *err)
{
    uint32_t bits = 0;
    if (!text || !*text) return error_set(err, EVDB_INVALID, "no %s is named", what);
    for (const char *at = text;;) {
        size_t length = strcspn(at, " ");
        const bit_name *n = find_name(names, at, length);
        if (!n) return unknown(what, at, length, err);
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

/* ---- scopes of some stores ---- */

typedef struct item {
    uint32_t sets;       /* bits */
    const char *pattern; /* behind the colon: a name, or the beginning of names */
    size_t length;       /* of it, without the star */
    bool open;           /* there is a star */
} item;

/* One of the form LEVEL:PATTERN, of what a name of a store can be; false when it is none. */
static bool read_item(const char *at, size_t length, item *out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *colon = memchr(at, ':', length);
    const bit_name *n = colon ? find_name(scope_names, at, (size_t)(colon - at)) : NULL;
    if (!n || n->bit == EVDB_SCOPE_ADMIN) return false;
    *out = (item){ .sets = n->sets, .pattern = colon + 1, .length = length - (size_t)(colon + 1 - at) };
    out->open = out->length && out->pattern[out->length - 1] == '*';
    out->length -= out->open;
    if (out->length > EVDB_STORE_NAME_MAX || (!out->length && !out->open)) return false;
    for (size_t i = 0; i < out->length; i++)
        if (!out->pattern[i] || !strchr(allowed, out->pattern[i])) return false;
    return true;
}

/* The items of stores, one a call, from *at on; false behind the last, and at what is none. */
static bool next_item(const char **at, item *out)
{
    size_t length = strcspn(*at, " ");
    if (!length || !read_item(*at, length, out)) return false;
    *at += length;
    *at += **at == ' ';
    return true;
}

/* Is every name that b stands for among those of a? */
static bool spans(const item *a, const item *b)
{
    if (!a->open) return !b->open && a->length == b->length && memcmp(a->pattern, b->pattern, a->length) == 0;
    return a->length <= b->length && memcmp(a->pattern, b->pattern, a->length) == 0;
}

static bool holds(const char *stores, const item *wanted)
{
    item held;
    for (const char *at = stores; next_item(&at, &held);)
        if (!(wanted->sets & ~held.sets) && spans(&held, wanted)) return true;
    return false;
}

bool auth_scopes_cover(uint32_t scopes, const char *stores, uint32_t asked, const char *asked_stores)
{
    item wanted;
    if (asked & ~scopes) return false;
    for (const char *at = asked_stores; next_item(&at, &wanted);)
        if ((wanted.sets & ~scopes) && !holds(stores, &wanted)) return false;
    return true;
}

evdb_status evdb_auth_scopes_split(const char *text, uint32_t *scopes, char *stores, evdb_error *err)
{
    uint32_t bits = 0;
    char some[EVDB_STORE_SCOPES_BYTES] = "";
    size_t used = 0;
    if (!text || !*text) return error_set(err, EVDB_INVALID, "no scope is named");
    for (const char *at = text;;) {
        size_t length = strcspn(at, " ");
        const bit_name *n = find_name(scope_names, at, length);
        item it;
        if (!n && !read_item(at, length, &it)) return unknown("scope", at, length, err);
        if (n) bits |= n->sets;
        else if (!holds(some, &it)) {
            if (used + length + 2 > sizeof(some))
                return error_set(err, EVDB_LIMIT, "scopes of stores may have %u bytes together", EVDB_STORE_SCOPES_BYTES - 1);
            if (used) some[used++] = ' ';
            memcpy(some + used, at, length);
            some[used += length] = 0;
        }
        at += length;
        if (!*at) break;
        at++;
    }
    *scopes = bits;
    memcpy(stores, some, used + 1);
    return EVDB_OK;
}

/* Bits are an item like others, of every name. */
static bool next_of(uint32_t scopes, const char **at, bool *begun, item *out)
{
    if (*begun) return next_item(at, out);
    *begun = true;
    *out = (item){ .sets = scopes & (EVDB_SCOPE_READ | EVDB_SCOPE_WRITE), .pattern = "", .open = true };
    return true;
}

/* Adds what two items share to stores, unless it is there already. */
static bool add_shared(const item *a, const item *b, uint32_t scopes, char stores[EVDB_STORE_SCOPES_BYTES])
{
    item it = spans(a, b) ? *b : *a;
    it.sets = a->sets & b->sets;
    if ((!spans(a, b) && !spans(b, a)) || !(it.sets & ~scopes) || holds(stores, &it)) return true;
    size_t used = strlen(stores), room = EVDB_STORE_SCOPES_BYTES - used;
    int more = snprintf(stores + used, room, "%s%s:%.*s%s", used ? " " : "", it.sets & EVDB_SCOPE_WRITE ? "write" : "read", (int)it.length,
                        it.pattern, it.open ? "*" : "");
    return (size_t)more < room;
}

evdb_status auth_scopes_meet(uint32_t a, const char *a_stores, uint32_t b, const char *b_stores, uint32_t *scopes,
                             char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err)
{
    char shared[EVDB_STORE_SCOPES_BYTES] = "";
    item one, other;
    bool one_begun = false, fits = true;
    for (const char *at = a_stores; fits && next_of(a, &at, &one_begun, &one);) {
        bool other_begun = false;
        for (const char *with = b_stores; fits && next_of(b, &with, &other_begun, &other);) fits = add_shared(&one, &other, a & b, shared);
    }
    if (!fits) return error_set(err, EVDB_LIMIT, "the scopes of stores that are left take more than %u bytes", EVDB_STORE_SCOPES_BYTES - 1);
    *scopes = a & b;
    memcpy(stores, shared, sizeof(shared));
    return EVDB_OK;
}

evdb_status auth_stores_take(const char *text, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err)
{
    uint32_t bits = 0;
    evdb_status rc = EVDB_OK;
    *stores = 0;
    if (text && *text) rc = evdb_auth_scopes_split(text, &bits, stores, err);
    if (rc == EVDB_OK && bits) rc = error_set(err, EVDB_INVALID, "scopes of stores are of the form 'read:STORE' or 'write:STORE'");
    return rc;
}

const char *evdb_auth_scopes_join(uint32_t scopes, const char *stores, char *space)
{
    size_t used = strlen(write_names(scope_names, scopes, space));
    if (stores && *stores) snprintf(space + used, EVDB_SCOPES_BYTES - used, "%s%s", used ? " " : "", stores);
    return space;
}

int evdb_auth_scopes_allow(uint32_t scopes, const char *stores, uint32_t scope, const char *store)
{
    if (scopes & scope) return 1;
    return stores && store && *store && holds(stores, &(item){ .sets = scope, .pattern = store, .length = strlen(store) });
}
