/* admin_reset.c - implements admin_reset.h. */
#include "admin_reset.h"
#include "admin_secret.h"
#include "admin_socket.h"
#include "daemon.h"
#include "first_client.h"
#include "op/op_audit.h"
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static evdb_status look_up(evdb *db, const char *id, bool *known, bool *admin, evdb_error *err)
{
    evdb_client *list;
    size_t count;
    evdb_status rc = evdb_auth_client_list(db, &list, &count, err);
    *known = *admin = false;
    if (rc != EVDB_OK) return rc;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].id, id) != 0) continue;
        *known = true;
        *admin = list[i].scopes & EVDB_SCOPE_ADMIN;
    }
    evdb_auth_client_list_free(list);
    return EVDB_OK;
}

static evdb_status renew(evdb *db, const char *client, char secret[EVDB_SECRET_BYTES], evdb_error *err)
{
    bool known, admin;
    evdb_status rc = look_up(db, client, &known, &admin, err);
    if (rc == EVDB_OK && known && admin) return evdb_auth_client_rotate(db, client, NULL, secret, err);
    if (rc == EVDB_OK && known) rc = evdb_auth_client_remove(db, client, err);
    return rc == EVDB_OK ? evdb_auth_client_add(db, client, NULL, FIRST_CLIENT_SCOPES, FIRST_CLIENT_GRANTS, secret, err) : rc;
}

evdb_status admin_reset(evdb *db, const char *dir, const char *client, unsigned long uid, evdb_error *err)
{
    op_audit audit;
    char who[OP_AUDIT_USER_BYTES], secret[EVDB_SECRET_BYTES] = "";
    evdb_status rc = op_audit_open(&audit, db, op_audit_user(uid, who), "admin", "admin_reset", client, err);
    if (rc != EVDB_OK) return rc;
    int lock = admin_secret_lock(dir); /* whoever finds the secret of before in the file removes it: not this one */
    rc = renew(db, client, secret, err);
    if (rc == EVDB_OK) rc = admin_secret_write(dir, client, secret, err);
    admin_secret_unlock(lock);
    explicit_bzero(secret, sizeof secret);
    return op_audit_end(&audit, rc, err);
}

/* ---- the command ---- */

/* What root makes in the directory, the server could not use. */
static evdb_status become_owner(const char *dir, evdb_error *err)
{
    struct stat st;
    char reason[128];
    if (stat(dir, &st) != 0) return op_fail(err, EVDB_NOT_FOUND, "%s: %s", dir, strerror_r(errno, reason, sizeof reason));
    if (geteuid() != 0 || st.st_uid == 0) return EVDB_OK;
    if (setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0) return EVDB_OK;
    return op_fail(err, EVDB_DENIED, "%s: cannot act as its owner: %s", dir, strerror_r(errno, reason, sizeof reason));
}

static evdb_status reset_here(const config *c, evdb_error *err)
{
    evdb_options options = EVDB_OPTIONS;
    evdb *db;
    unsigned long uid = (unsigned long)geteuid(); /* who asks, also where root acts as another */
    options.flags = EVDB_OPEN_EXISTING;
    evdb_status rc = become_owner(c->persistence_dir, err);
    if (rc == EVDB_OK) rc = evdb_open(c->persistence_dir, &options, &db, err);
    if (rc != EVDB_OK) return rc;
    rc = admin_reset(db, c->persistence_dir, c->default_client_id, uid, err);
    evdb_close(db);
    return rc;
}

int admin_reset_run(const config *c)
{
    bool answered = false;
    evdb_error err;
    evdb_status rc = c->persistence_enabled ? admin_socket_ask(c->persistence_dir, &answered, &err)
                                            : op_fail(&err, EVDB_UNSUPPORTED, "a database in memory cannot be reset from outside: start it anew");
    if (rc == EVDB_OK && !answered) rc = reset_here(c, &err);
    if (rc != EVDB_OK) {
        fprintf(stderr, "evdbd: admin reset: %s\n", err.message);
        return DAEMON_DATABASE;
    }
    printf("the first client has a new secret: %s/admin.secret\n", c->persistence_dir);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
