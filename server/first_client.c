/* first_client.c - implements first_client.h. */
#include "first_client.h"
#include "admin_secret.h"
#include "log.h"
#include "op/op_audit.h"
#include "proto/proto.h"
#include <string.h>

/* Adds a client, or gives it another secret, as an act of whoever starts the server. */
static evdb_status logged(evdb *db, bool add, const char *client, const char *given, char *made, evdb_error *err)
{
    op_audit audit;
    char who[OP_AUDIT_USER_BYTES];
    evdb_status rc = op_audit_open(&audit, db, op_audit_self(who), "start", add ? "register_client" : "rotate_client", client, err);
    if (rc != EVDB_OK) return rc;
    rc = add ? evdb_auth_client_add(db, client, given, FIRST_CLIENT_SCOPES, FIRST_CLIENT_GRANTS, made, err)
             : evdb_auth_client_rotate(db, client, given, made, err);
    return op_audit_end(&audit, rc, err);
}

/* EVDB_DENIED when the client has another secret. */
static evdb_status probe_published(evdb *db, evdb_error *err)
{
    evdb_token token;
    return evdb_auth_token_issue(db, DEV_CLIENT, DEV_SECRET, NULL, &token, err);
}

/* A client of another secret keeps it: development is for a database of its own. */
static evdb_status dev_client(evdb *db, evdb_error *err)
{
    evdb_status rc = logged(db, true, DEV_CLIENT, DEV_SECRET, NULL, err);
    if (rc == EVDB_EXISTS) rc = probe_published(db, err);
    if (rc == EVDB_DENIED)
        return op_fail(err, EVDB_EXISTS,
                       "--dev: this database has a client '%s' with a secret of its own: use another directory", DEV_CLIENT);
    if (rc == EVDB_OK)
        log_line(LOG_WARNING, "DEVELOPMENT MODE: client " DEV_CLIENT " has the published secret " DEV_SECRET
                              "; whoever can reach this machine's loopback can do everything", NULL);
    return rc;
}

/* Standard output, not the log: logs are kept and passed on. */
static evdb_status tell(const config *c, const char *client, const char *secret, evdb_error *err)
{
    if (c->persistence_enabled) return admin_secret_write(c->persistence_dir, client, secret, err);
    printf("evdbd: the secret of client %s, shown this once: %s\n", client, secret);
    return fflush(stdout) == 0 ? EVDB_OK : op_fail(err, EVDB_IO, "the secret of client %s cannot be printed", client);
}

static evdb_status new_client(evdb *db, const config *c, evdb_error *err)
{
    char secret[EVDB_SECRET_BYTES] = "";
    const char *given = *c->default_client_secret ? c->default_client_secret : NULL;
    evdb_status rc = logged(db, true, c->default_client_id, given, secret, err);
    if (rc == EVDB_EXISTS) return EVDB_OK; /* another server that starts on this database was first, and tells */
    if (rc != EVDB_OK || given) return rc;
    rc = tell(c, c->default_client_id, secret, err);
    explicit_bzero(secret, sizeof secret);
    /* Nobody could ever use it. */
    if (rc != EVDB_OK && evdb_auth_client_remove(db, c->default_client_id, NULL) != EVDB_OK)
        log_line(LOG_WARNING, "a client was left whose secret could not be written: remove it", NULL);
    return rc;
}

/* A database that was used with --dev has a client that nobody can use any longer: it gets a secret of its own. */
static evdb_status retire_published(evdb *db, const config *c, evdb_error *err)
{
    char secret[EVDB_SECRET_BYTES] = "";
    evdb_status rc = probe_published(db, err);
    if (rc == EVDB_DENIED) return EVDB_OK;
    if (rc != EVDB_OK && rc != EVDB_UNSUPPORTED) return rc;
    rc = logged(db, false, DEV_CLIENT, NULL, secret, err);
    if (rc == EVDB_OK) rc = tell(c, DEV_CLIENT, secret, err);
    explicit_bzero(secret, sizeof secret);
    /* The next start finds it as this one did. */
    if (rc != EVDB_OK && evdb_auth_client_rotate(db, DEV_CLIENT, DEV_SECRET, NULL, NULL) != EVDB_OK)
        log_line(LOG_WARNING, "client admin was left with a secret that could not be written", NULL);
    return rc;
}

static evdb_status choose(evdb *db, const config *c, evdb_error *err)
{
    evdb_client *list;
    size_t count;
    if (c->dev) return dev_client(db, err);
    evdb_status rc = evdb_auth_client_list(db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    evdb_auth_client_list_free(list);
    if (count) return retire_published(db, c, err);
    return c->create_default_client ? new_client(db, c, err) : EVDB_OK;
}

evdb_status first_client(evdb *db, const config *c, evdb_error *err)
{
    if (!c->oauth_enabled) return EVDB_OK;
    int lock = c->persistence_enabled ? admin_secret_lock(c->persistence_dir) : -1;
    evdb_status rc = choose(db, c, err);
    admin_secret_unlock(lock);
    return rc;
}
