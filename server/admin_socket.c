/* admin_socket.c - implements admin_socket.h. */
#include "admin_socket.h"
#include "admin_reset.h"
#include "op/op_audit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "admin.sock"
enum { PATIENCE_SECONDS = 10, LINE_BYTES = sizeof(((evdb_error *)0)->message) + 64 };

struct admin_socket {
    const service *service;
    const char *dir, *client;
    bool dev;
    int listening, stop;
    char path[4096];
    ino_t inode; /* of the socket, to know whether it is still ours */
    pthread_t thread;
};

static evdb_status failed(const char *dir, const char *what, evdb_error *err)
{
    char reason[128];
    int why = errno;
    return op_fail(err, why == EACCES || why == EPERM ? EVDB_DENIED : EVDB_IO, "%s/" NAME ": cannot %s: %s", dir, what,
                   strerror_r(why, reason, sizeof reason));
}

/* Addresses of sockets are short. A longer path is taken through a descriptor of its directory, which must stay open until the address has
 * been used; -1 = there is none. */
static bool address_of(const char *dir, const char *name, struct sockaddr_un *out, int *directory)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *directory = -1;
    if ((size_t)snprintf(out->sun_path, sizeof out->sun_path, "%s/%s", dir, name) < sizeof out->sun_path) return true;
    *directory = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *directory >= 0 &&
           (size_t)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *directory, name) < sizeof out->sun_path;
}

static void drop(int fd)
{
    if (fd >= 0) close(fd);
}

/* ---- the server ---- */

static bool is_owner(int fd, unsigned long *uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    *uid = (unsigned long)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    *uid = peer.uid;
    return peer.uid == geteuid() || peer.uid == 0;
}

static evdb_status serve_line(admin_socket *a, int fd, const char *line, evdb_error *err)
{
    unsigned long uid;
    char who[OP_AUDIT_USER_BYTES];
    if (!is_owner(fd, &uid)) {
        op_refusals_count(a->service->refusals, op_audit_user(uid, who), "admin", "admin_reset");
        return op_fail(err, EVDB_DENIED, "user %lu is not the owner of this server", uid);
    }
    if (strcmp(line, "reset\n") != 0) return op_fail(err, EVDB_INVALID, "the request is not 'reset'");
    if (a->dev) return op_fail(err, EVDB_UNSUPPORTED, "the server runs with --dev: its secret is published");
    return admin_reset(a->service->db, a->dir, a->client, uid, err);
}

static void serve(admin_socket *a, int fd)
{
    const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    char line[32] = "", answer[LINE_BYTES];
    evdb_error err;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (size_t used = 0; used < sizeof line - 1 && !strchr(line, '\n');) {
        ssize_t got = recv(fd, line + used, sizeof line - 1 - used, 0);
        if (got <= 0) break;
        used += (size_t)got;
    }
    evdb_status rc = serve_line(a, fd, line, &err);
    int length = rc == EVDB_OK ? snprintf(answer, sizeof answer, "OK\n")
                               : snprintf(answer, sizeof answer, "%d %s\n", (int)rc, err.message);
    (void)send(fd, answer, (size_t)length, MSG_NOSIGNAL); /* who has left learns it from the file */
}

static void *run(void *context)
{
    admin_socket *a = context;
    struct pollfd waits[] = { { .fd = a->listening, .events = POLLIN }, { .fd = a->stop, .events = POLLIN } };
    while (poll(waits, 2, -1) >= 0 || errno == EINTR) {
        if (waits[1].revents) break;
        int fd = waits[0].revents ? accept4(a->listening, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) serve(a, fd);
        drop(fd);
    }
    return NULL;
}

/* It gets its name when it is private and listens; the socket of another server, or of one that was killed, loses it. */
static evdb_status listen_at(admin_socket *a, evdb_error *err)
{
    char first[64], from[4096];
    struct sockaddr_un address;
    struct stat st;
    int directory;
    snprintf(first, sizeof first, NAME ".%ld", (long)getpid());
    bool named = (size_t)snprintf(from, sizeof from, "%s/%s", a->dir, first) < sizeof from &&
                 (size_t)snprintf(a->path, sizeof a->path, "%s/" NAME, a->dir) < sizeof a->path;
    bool good = named && address_of(a->dir, first, &address, &directory);
    if (!good) return failed(a->dir, "be named", err);
    unlink(from);
    a->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    good = a->listening >= 0 && fchmod(a->listening, 0600) == 0 && bind(a->listening, (struct sockaddr *)&address, sizeof address) == 0 &&
           chmod(from, 0600) == 0 && listen(a->listening, 8) == 0 && stat(from, &st) == 0 && rename(from, a->path) == 0;
    evdb_status rc = good ? EVDB_OK : failed(a->dir, "listen", err);
    drop(directory);
    if (good) a->inode = st.st_ino;
    else unlink(from);
    return rc;
}

evdb_status admin_socket_open(const config *c, const service *s, admin_socket **out, evdb_error *err)
{
    admin_socket *a = calloc(1, sizeof *a);
    if (!a) return op_fail(err, EVDB_NO_MEMORY, "out of memory");
    *a = (admin_socket){ .service = s, .dir = c->persistence_dir, .client = c->default_client_id, .dev = c->dev, .listening = -1 };
    a->stop = eventfd(0, EFD_CLOEXEC);
    evdb_status rc = a->stop >= 0 ? listen_at(a, err) : failed(a->dir, "wait", err);
    if (rc == EVDB_OK && (errno = pthread_create(&a->thread, NULL, run, a)) != 0) {
        rc = failed(a->dir, "start a thread for it", err);
        unlink(a->path);
    }
    if (rc == EVDB_OK) *out = a;
    else {
        drop(a->listening);
        drop(a->stop);
        free(a);
    }
    return rc;
}

void admin_socket_close(admin_socket *a)
{
    struct stat st;
    if (!a) return;
    (void)eventfd_write(a->stop, 1);
    pthread_join(a->thread, NULL);
    if (stat(a->path, &st) == 0 && st.st_ino == a->inode) unlink(a->path);
    drop(a->listening);
    drop(a->stop);
    free(a);
}

/* ---- who asks ---- */

static evdb_status read_answer(const char *dir, int fd, evdb_error *err)
{
    char answer[LINE_BYTES] = "";
    for (size_t used = 0; used < sizeof answer - 1;) {
        ssize_t got = read(fd, answer + used, sizeof answer - 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(dir, "be read from", err);
        if (got == 0) break;
        used += (size_t)got;
    }
    answer[strcspn(answer, "\n")] = 0;
    if (strcmp(answer, "OK") == 0) return EVDB_OK;
    char *text;
    long status = strtol(answer, &text, 10);
    if (text == answer || status <= EVDB_OK || status > EVDB_REMOTE) return op_fail(err, EVDB_IO, "%s/" NAME ": the server ended", dir);
    return op_fail(err, (evdb_status)status, "the server says: %s", text + (*text == ' '));
}

evdb_status admin_socket_ask(const char *dir, bool *answered, evdb_error *err)
{
    struct sockaddr_un address;
    int directory, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *answered = false;
    if (fd < 0) return failed(dir, "be asked", err);
    evdb_status rc = EVDB_OK;
    bool named = address_of(dir, NAME, &address, &directory);
    if (named && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        *answered = true;
        rc = send(fd, "reset\n", 6, MSG_NOSIGNAL) == 6 ? read_answer(dir, fd, err) : failed(dir, "be asked", err);
    } else if (errno != ENOENT && errno != ECONNREFUSED) rc = failed(dir, "be asked", err);
    drop(directory);
    close(fd);
    return rc;
}
