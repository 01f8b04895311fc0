/* answers_clients.c - the half of answers.h that is about clients and their tokens. */
#include "answers_private.h"
#include "client.h"

enum { LOGINS = 300 }; /* so many that refresh tokens take several pages */

static client keeper, rotated, removed; /* what each is told when a database is built */
static evdb_token kept, traded, voided;

static evdb_token log_in(evdb *db, const client *c)
{
    evdb_token token;
    evdb_error why;
    answers_must(evdb_auth_token_issue(db, c->id, c->secret, NULL, &token, &why), &why);
    return token;
}

static void add_client(evdb *db, client *c, const char *id)
{
    evdb_error why;
    c->id = id;
    answers_must(evdb_auth_client_add(db, id, NULL, EVDB_SCOPE_WRITE, EVERY_GRANT, c->secret, &why), &why);
}

/* What is asked for is in system.db; what comes afterwards is in its log, too, when the process is killed. */
void answers_build_clients(evdb *db)
{
    char unused[EVDB_SECRET_BYTES];
    evdb_token next;
    evdb_error why;
    add_client(db, &keeper, "keeper");
    add_client(db, &rotated, "rotated");
    add_client(db, &removed, "removed");
    kept = log_in(db, &keeper);
    traded = log_in(db, &keeper);
    voided = log_in(db, &rotated);
    for (int i = 0; i < LOGINS; i++) (void)log_in(db, &rotated);
    answers_must(evdb_auth_token_refresh(db, keeper.id, keeper.secret, traded.refresh, NULL, &next, &why), &why);
    answers_must(evdb_auth_client_rotate(db, "rotated", NULL, unused, &why), &why);
    for (int i = 0; i < LOGINS; i++) (void)log_in(db, &keeper);
    answers_must(evdb_auth_client_remove(db, "removed", &why), &why);
    for (int i = 0; i < 5; i++) (void)log_in(db, &keeper);
}

static void ask_token(answers *a, evdb *db, const char *name, const evdb_token *token)
{
    size_t size;
    evdb_error why;
    evdb_principal who;
    FILE *to = answers_begin(a, &size, "token: %s", name);
    evdb_status rc = evdb_auth_token_check(db, token->access, NULL, &who, &why);
    if (rc == EVDB_OK) fprintf(to, "%s %u %lld", who.client, who.scopes, (long long)who.expires_ms);
    answers_finish(a, to, rc, &why);
}

/* Logs in (refresh NULL), or refreshes. */
static void ask_for_token(answers *a, evdb *db, const client *c, const char *what, const char *refresh)
{
    size_t size;
    evdb_error why;
    evdb_token token;
    FILE *to = answers_begin(a, &size, "%s: %s", c->id, what);
    evdb_status rc = refresh ? evdb_auth_token_refresh(db, c->id, c->secret, refresh, NULL, &token, &why)
                             : evdb_auth_token_issue(db, c->id, c->secret, NULL, &token, &why);
    if (rc == EVDB_OK) fprintf(to, "%u %lld", token.scopes, (long long)token.expires_ms);
    answers_finish(a, to, rc, &why);
}

void answers_ask_clients(answers *a, evdb *db)
{
    size_t size, count;
    evdb_error why;
    evdb_client *list;
    FILE *to = answers_begin(a, &size, "clients");
    evdb_status rc = evdb_auth_client_list(db, &list, &count, &why);
    for (size_t i = 0; rc == EVDB_OK && i < count; i++)
        fprintf(to, "%s %u %u %d %lld\n", list[i].id, list[i].scopes, list[i].grants, list[i].chosen_secret,
                (long long)list[i].created_ms);
    if (rc == EVDB_OK) evdb_auth_client_list_free(list);
    answers_finish(a, to, rc, &why);
    ask_token(a, db, "kept", &kept);
    ask_token(a, db, "voided", &voided);
    ask_for_token(a, db, &keeper, "log in", NULL);
    ask_for_token(a, db, &rotated, "log in", NULL);
    ask_for_token(a, db, &removed, "log in", NULL);
    ask_for_token(a, db, &keeper, "refresh", kept.refresh);
    ask_for_token(a, db, &keeper, "refresh again", traded.refresh);
}
