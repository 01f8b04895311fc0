/* listen.c - implements http/listen.h. */
#include "http/listen.h"
#include "http/fail.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

/* The size of what was parsed; 0 when text is no address. */
static socklen_t parse(const char *text, uint16_t port, address *out)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return sizeof out->v4;
    }
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        return sizeof out->v6;
    }
    return 0;
}

static evdb_status refused(int code, const char *text, uint16_t port, evdb_error *err)
{
    char reason[128];
    switch (code) {
    case EADDRINUSE:
        return port ? http_fail(err, EVDB_BUSY, "port %u is in use", port)
                    : http_fail(err, EVDB_BUSY, "no port of %s is free", text);
    case EACCES: return http_fail(err, EVDB_DENIED, "port %u needs a privilege that this user does not have", port);
    case EADDRNOTAVAIL: return http_fail(err, EVDB_INVALID, "address %s is not of this machine", text);
    default:
        return http_fail(err, EVDB_IO, "cannot listen on %s port %u: %s", text, port,
                         strerror_r(code, reason, sizeof reason));
    }
}

static bool bind_and_listen(int fd, const address *at, socklen_t size)
{
    int on = 1;
    /* Connections of the last run that linger in TIME_WAIT do not hold the port. */
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, &at->any, size) == 0 &&
           listen(fd, SOMAXCONN) == 0;
}

evdb_status listen_open(const char *text, uint16_t *port, int *fd, evdb_error *err)
{
    address at;
    socklen_t size = parse(text, *port, &at);
    if (!size) return http_fail(err, EVDB_INVALID, "'%s' is not an IPv4 or IPv6 address", text);
    int s = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) return refused(errno, text, *port, err);
    if (!bind_and_listen(s, &at, size) || getsockname(s, &at.any, &size) != 0) {
        evdb_status rc = refused(errno, text, *port, err);
        close(s);
        return rc;
    }
    *port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    *fd = s;
    return EVDB_OK;
}

void listen_refuse(int fd)
{
    /* Drops segments that have SYN and not ACK, before the kernel answers them. */
    enum { FLAGS_BYTE = 13, SYN = 0x02, ACK = 0x10, ALL = 0xffff };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_BYTE),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, ALL),
    };
    struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };
    /* Where the kernel has no filters the moment remains in which a connection can be lost. */
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
