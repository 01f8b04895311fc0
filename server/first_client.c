/* first_client.c - implements first_client.h. */
#include "first_client.h"
#include "config/setting.h"
#include "log.h"
#include "proto/proto.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALL_SCOPES = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN,
       ALL_GRANTS = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN };

/* Another database's secret must not be overwritten, nor a link followed. */
static evdb_status write_secret(const char *path, const char *secret, evdb_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return config_fail(err, EVDB_IO, "%s: %s", path, strerror(errno));
    size_t length = strlen(secret);
    bool good = fchmod(fd, 0600) == 0 && write(fd, secret, length) == (ssize_t)length && write(fd, "\n", 1) == 1 &&
                fsync(fd) == 0;
    int why = errno;
    close(fd);
    return good ? EVDB_OK : config_fail(err, EVDB_IO, "%s: %s", path, strerror(why));
}

static evdb_status probe_published(evdb *db, const char *client, evdb_error *err)
{
    evdb_token token;
    return evdb_auth_token_issue(db, client, DEV_SECRET, NULL, &token, err);
}

/* A client of another secret keeps it: development is for a database of its own. */
static evdb_status dev_client(evdb *db, evdb_error *err)
{
    evdb_status rc = evdb_auth_client_add(db, DEV_CLIENT, DEV_SECRET, ALL_SCOPES, ALL_GRANTS, NULL, err);
    if (rc == EVDB_EXISTS) rc = probe_published(db, DEV_CLIENT, err);
    if (rc == EVDB_DENIED)
        return config_fail(err, EVDB_EXISTS, "--dev: this database has a client '%s' with a secret of its own: use another directory",
                           DEV_CLIENT);
    if (rc == EVDB_OK)
        log_line(LOG_WARNING, "DEVELOPMENT MODE: client admin has the published secret admin_secret_2024; whoever can reach "
                 "this machine's loopback can do everything", NULL);
    return rc;
}

/* Tells the secret that was made: once on stderr when nothing is kept, else in a file that only the owner reads. */
static evdb_status tell(const config *c, const char *client, const char *secret, evdb_error *err)
{
    char path[4096];
    if (!c->persistence_enabled) {
        fprintf(stderr, "evdbd: the secret of client %s, shown this once: %s\n", client, secret);
        return EVDB_OK;
    }
    snprintf(path, sizeof(path), "%s/admin.secret", c->persistence_dir);
    evdb_status rc = write_secret(path, secret, err);
    if (rc == EVDB_OK)
        log_line(LOG_INFO, "made a client's secret; it is in the file named here: read it, then remove it",
                 json_pack("{s:s, s:s}", "client", client, "file", path));
    return rc;
}

static evdb_status new_client(evdb *db, const config *c, evdb_error *err)
{
    char secret[EVDB_SECRET_BYTES] = "";
    bool chosen = *c->default_client_secret != 0;
    evdb_status rc = evdb_auth_client_add(db, c->default_client_id, chosen ? c->default_client_secret : NULL, ALL_SCOPES,
                                          ALL_GRANTS, secret, err);
    if (rc != EVDB_OK || chosen) return rc;
    rc = tell(c, c->default_client_id, secret, err);
    if (rc != EVDB_OK && evdb_auth_client_remove(db, c->default_client_id, NULL) != EVDB_OK) /* nobody could ever use it */
        log_line(LOG_WARNING, "a client was left whose secret could not be written: remove it", NULL);
    return rc;
}

/* A database that was used with --dev has a client that nobody can use any longer: it gets a secret of its own. */
static evdb_status retire_published(evdb *db, const config *c, evdb_error *err)
{
    char secret[EVDB_SECRET_BYTES] = "";
    evdb_status rc = probe_published(db, DEV_CLIENT, err);
    if (rc != EVDB_OK) return EVDB_OK;
    rc = evdb_auth_client_rotate(db, DEV_CLIENT, NULL, secret, err);
    return rc == EVDB_OK ? tell(c, DEV_CLIENT, secret, err) : rc;
}

evdb_status first_client(evdb *db, const config *c, evdb_error *err)
{
    evdb_client *list;
    size_t count;
    if (!c->oauth_enabled) return EVDB_OK;
    if (c->dev) return dev_client(db, err);
    evdb_status rc = evdb_auth_client_list(db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    evdb_auth_client_list_free(list);
    if (count) return retire_published(db, c, err);
    return c->create_default_client ? new_client(db, c, err) : EVDB_OK;
}
