/* admin_secret.c - implements admin_secret.h. */
#include "admin_secret.h"
#include "log.h"
#include "op/op.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(const char *dir, char *path) { snprintf(path, ADMIN_SECRET_PATH_BYTES, "%s/admin.secret", dir); }

static evdb_status cannot(const char *path, int why, evdb_error *err)
{
    char reason[128];
    return op_fail(err, EVDB_IO, "%s: %s", path, strerror_r(why, reason, sizeof reason));
}

int admin_secret_lock(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
    return fd;
}

void admin_secret_unlock(int lock)
{
    if (lock >= 0) close(lock);
}

evdb_status admin_secret_write(const char *dir, const char *client, const char *secret, evdb_error *err)
{
    char path[ADMIN_SECRET_PATH_BYTES];
    path_of(dir, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return cannot(path, errno, err);
    size_t length = strlen(secret);
    bool good = fchmod(fd, 0600) == 0 && write(fd, secret, length) == (ssize_t)length && write(fd, "\n", 1) == 1 &&
                fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (!good) return cannot(path, why, err);
    log_line(LOG_INFO, "made a client's secret and wrote it to a file; the file goes when the client gets another",
             json_pack("{s:s, s:o}", "client", client, "file", log_text(path)));
    return EVDB_OK;
}

/* False when there is none, or one that nobody can have written here. */
static bool read_secret(const char *path, char secret[EVDB_SECRET_BYTES])
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t length = read(fd, secret, EVDB_SECRET_BYTES - 1);
    close(fd);
    secret[length > 0 ? length : 0] = 0;
    secret[strcspn(secret, "\n")] = 0;
    return *secret != 0;
}

static void remove_file(admin_secret *s)
{
    bool gone = unlink(s->path) == 0 || errno == ENOENT;
    s->watched = false;
    log_line(gone ? LOG_INFO : LOG_WARNING, gone ? "removed a file: its secret has been replaced"
                                                 : "cannot remove a file whose secret has been replaced",
             json_pack("{s:o}", "file", log_text(s->path)));
}

/* Whose it is: the file does not say, and default_client_id may have changed. Chosen secrets are never written. */
static evdb_status find_owner(evdb *db, const char *secret, evdb_token *token, bool *found, evdb_error *err)
{
    evdb_token_options options = EVDB_TOKEN_OPTIONS;
    evdb_client *list;
    size_t count;
    evdb_status rc = evdb_auth_client_list(db, &list, &count, err);
    *found = false;
    if (rc != EVDB_OK) return rc;
    options.scopes = EVDB_SCOPE_READ;
    options.format = EVDB_TOKEN_OPAQUE; /* keys of JWTs are kept as long as the tokens that they signed */
    options.lifetime_ms = EVDB_TOKEN_LIFETIME_MAX_MS;
    options.refresh_lifetime_ms = 1;
    for (size_t i = 0; rc == EVDB_OK && !*found && i < count; i++) {
        if (list[i].chosen_secret) continue;
        rc = evdb_auth_token_issue(db, list[i].id, secret, &options, token, err);
        *found = rc == EVDB_OK;
        if (rc == EVDB_DENIED) rc = EVDB_OK;
    }
    evdb_auth_client_list_free(list);
    return rc;
}

/* With the lock held. */
static void watch(admin_secret *s)
{
    char secret[EVDB_SECRET_BYTES];
    evdb_token token;
    evdb_error err;
    bool found = false;
    s->watched = false;
    if (!read_secret(s->path, secret)) return;
    evdb_status rc = find_owner(s->db, secret, &token, &found, &err);
    explicit_bzero(secret, sizeof secret);
    if (rc != EVDB_OK) return; /* cannot tell: the file stays */
    if (!found) remove_file(s);
    else {
        s->watched = true;
        memcpy(s->token, token.access, sizeof s->token);
        explicit_bzero(&token, sizeof token);
    }
}

void admin_secret_watch(admin_secret *s, evdb *db, const char *dir)
{
    int lock = admin_secret_lock(dir);
    s->db = db;
    s->dir = dir;
    path_of(dir, s->path);
    watch(s);
    admin_secret_unlock(lock);
}

void admin_secret_look(admin_secret *s)
{
    evdb_principal who;
    struct stat st;
    bool changed = s->dir &&
                   (s->watched ? evdb_auth_token_check(s->db, s->token, NULL, &who, NULL) == EVDB_DENIED : stat(s->path, &st) == 0);
    if (changed) admin_secret_watch(s, s->db, s->dir);
}
