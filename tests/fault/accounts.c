/* accounts.c - implements accounts.h. */
#include "accounts.h"
#include "client.h"
#include "memory_io.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const char *id_of(const accounts *a, unsigned i, char space[16])
{
    snprintf(space, 16, "%c-%u", a->owner, i);
    return space;
}

static void copy(char *to, const char *from, size_t room)
{
    size_t length = strnlen(from, room - 1);
    memmove(to, from, length);
    to[length] = 0;
}

/* ---- changing ---- */

/* What the call under way has answered. */
typedef struct answer {
    char secret[EVDB_SECRET_BYTES];
    evdb_token token;
} answer;

static account_change fitting(const account *c, account_change change)
{
    if (c->under_way) return ACCOUNT_NONE; /* its state is unknown */
    if (c->exists == (change == ACCOUNT_ADD)) return ACCOUNT_NONE;
    if (change == ACCOUNT_LOGIN || change == ACCOUNT_REFRESH) {
        if (!*c->secret) return ACCOUNT_ROTATE;
        return *c->refresh ? change : ACCOUNT_LOGIN;
    }
    return change;
}

static evdb_status call(evdb *db, const char *id, const account *c, answer *out, evdb_error *err)
{
    switch (c->under_way) {
    case ACCOUNT_NONE: return EVDB_OK;
    case ACCOUNT_ADD: return evdb_auth_client_add(db, id, NULL, 0, EVERY_GRANT, out->secret, err);
    case ACCOUNT_ROTATE: return evdb_auth_client_rotate(db, id, NULL, out->secret, err);
    case ACCOUNT_REMOVE: return evdb_auth_client_remove(db, id, err);
    case ACCOUNT_LOGIN: return evdb_auth_token_issue(db, id, c->secret, NULL, &out->token, err);
    case ACCOUNT_REFRESH: return evdb_auth_token_refresh(db, id, c->secret, c->refresh, NULL, &out->token, err);
    }
    return EVDB_INTERNAL;
}

/* Of a secret that is void now. */
static void make_old(account *c)
{
    copy(c->old_secret, c->secret, sizeof(c->old_secret));
    copy(c->old_access, c->access, sizeof(c->old_access));
    *c->secret = *c->access = *c->refresh = *c->used_refresh = 0;
}

static void note(account *c, const answer *said)
{
    if (c->under_way == ACCOUNT_LOGIN || c->under_way == ACCOUNT_REFRESH) {
        copy(c->used_refresh, c->under_way == ACCOUNT_REFRESH ? c->refresh : "", sizeof(c->used_refresh));
        copy(c->refresh, said->token.refresh, sizeof(c->refresh));
        copy(c->access, said->token.access, sizeof(c->access));
        return;
    }
    make_old(c);
    c->exists = c->under_way != ACCOUNT_REMOVE;
    copy(c->secret, said->secret, sizeof(c->secret));
}

evdb_status accounts_change(accounts *a, evdb *db, unsigned i, account_change change, evdb_error *err)
{
    account *c = &a->at[i];
    answer said = { .secret = "" };
    char space[16];
    account_change fits = fitting(c, change);
    if (!fits) return EVDB_OK;
    c->under_way = fits;
    atomic_signal_fence(memory_order_seq_cst); /* should we be killed in the call, or while its answer is noted */
    evdb_status rc = call(db, id_of(a, i, space), c, &said, err);
    if (rc != EVDB_OK) return rc;
    note(c, &said);
    atomic_signal_fence(memory_order_seq_cst);
    c->under_way = ACCOUNT_NONE;
    a->acknowledged++;
    return EVDB_OK;
}

evdb_status accounts_change_any(accounts *a, evdb *db, uint64_t *seed, evdb_error *err)
{
    static const account_change changes[] = { ACCOUNT_ADD, ACCOUNT_ADD, ACCOUNT_ROTATE, ACCOUNT_REMOVE, ACCOUNT_LOGIN,
                                              ACCOUNT_REFRESH, ACCOUNT_REFRESH };
    uint64_t r = seed_next(seed);
    return accounts_change(a, db, (unsigned)(r >> 32) % ACCOUNTS, changes[(r >> 16) % 7], err);
}

/* ---- comparing ---- */

typedef struct comparing {
    evdb *db;
    const char *id;
    unsigned bad;
} comparing;

static bool expect(comparing *k, bool right, const char *sentence, const evdb_error *err)
{
    if (right) return true;
    fprintf(stderr, "client %s: not so: %s: %s\n", k->id, sentence, err->message);
    k->bad++;
    return false;
}

static bool logs_in(comparing *k, const char *secret, const char *sentence)
{
    evdb_token token;
    evdb_error err;
    evdb_status rc = evdb_auth_token_issue(k->db, k->id, secret, NULL, &token, &err);
    expect(k, rc == EVDB_OK || rc == EVDB_DENIED, sentence, &err);
    return rc == EVDB_OK;
}

static evdb_status check(comparing *k, const char *access, evdb_error *err)
{
    evdb_principal who;
    return evdb_auth_token_check(k->db, access, NULL, &who, err);
}

/* Nothing was under way: its tokens are what they were said to be. */
static void compare_tokens(comparing *k, account *c)
{
    evdb_error err = { .message = "" };
    evdb_token next, token;
    if (*c->access) expect(k, check(k, c->access, &err) == EVDB_OK, "its access token is good", &err);
    if (!*c->refresh) return;
    c->under_way = ACCOUNT_REFRESH; /* should the power fail while we look */
    evdb_status rc = evdb_auth_token_refresh(k->db, k->id, c->secret, c->refresh, NULL, &next, &err);
    if (!expect(k, rc == EVDB_OK, "its refresh token is good", &err)) return;
    if (*c->used_refresh) copy(c->refresh, c->used_refresh, sizeof(c->refresh));
    rc = evdb_auth_token_refresh(k->db, k->id, c->secret, c->refresh, NULL, &token, &err);
    expect(k, rc == EVDB_GONE, "a used refresh token is used", &err);
    rc = evdb_auth_token_refresh(k->db, k->id, c->secret, next.refresh, NULL, &token, &err);
    expect(k, rc == EVDB_GONE, "its family is revoked then", &err);
    if (*c->access) expect(k, check(k, c->access, &err) == EVDB_DENIED, "its access token is of that family", &err);
    expect(k, check(k, next.access, &err) == EVDB_DENIED, "so is what it got last", &err);
    *c->access = 0;
}

static void compare(comparing *k, account *c, bool exists)
{
    evdb_error err = { .message = "" };
    bool may = c->exists || c->under_way == ACCOUNT_ADD, must = c->exists && c->under_way != ACCOUNT_REMOVE;
    expect(k, exists ? may : !must, exists ? "it is removed" : "it is there", &err);
    if (*c->old_secret) expect(k, !logs_in(k, c->old_secret, "an old secret is denied"), "an old secret is void", &err);
    if (*c->old_access) expect(k, check(k, c->old_access, &err) == EVDB_DENIED, "an old access token is void", &err);
    if (exists && *c->secret && !logs_in(k, c->secret, "its secret is right")) {
        expect(k, c->under_way == ACCOUNT_ADD || c->under_way == ACCOUNT_ROTATE, "its secret works", &err);
        make_old(c); /* it has one that nobody was told */
    }
    if (!exists) {
        if (*c->access) expect(k, check(k, c->access, &err) == EVDB_DENIED, "a token of nobody is void", &err);
        make_old(c);
    } else if (!c->under_way && *c->secret) compare_tokens(k, c);
    else *c->access = 0; /* it may have been answered, and not noted */
    *c->refresh = *c->used_refresh = 0;
    c->exists = exists;
    c->under_way = ACCOUNT_NONE;
}

unsigned accounts_differences(accounts *a, evdb *db)
{
    comparing k = { .db = db };
    evdb_client *list;
    size_t count;
    evdb_error err;
    if (evdb_auth_client_list(db, &list, &count, &err) != EVDB_OK) {
        fprintf(stderr, "list of clients: %s\n", err.message);
        return 1;
    }
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char space[16];
        bool exists = false;
        k.id = id_of(a, i, space);
        for (size_t n = 0; n < count; n++) exists |= strcmp(list[n].id, k.id) == 0;
        compare(&k, &a->at[i], exists);
    }
    evdb_auth_client_list_free(list);
    return k.bad;
}
