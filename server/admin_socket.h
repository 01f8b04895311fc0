/* admin_socket.h - DIR/admin.sock: the door of evdbd for whoever owns it on this machine.
 *
 * A Unix socket of mode 0600 in the data directory. The kernel says who is at its other end (SO_PEERCRED): the user that evdbd runs as,
 * and root, are the owner; anybody else is refused, whatever became of the modes. One request a connection, a line "reset"; one line back:
 * "OK", or a status and a sentence. No secret passes through it.
 *
 * Of several servers on one directory the one that started last has the socket. A socket that a killed server left behind is replaced. */
#ifndef ADMIN_SOCKET_H
#define ADMIN_SOCKET_H
#include "config/config.h"
#include "proto/proto.h"

typedef struct admin_socket admin_socket;

/* Listens, in a thread of its own. The service must outlive it. */
evdb_status admin_socket_open(const config *c, const service *s, admin_socket **out, evdb_error *err);
void admin_socket_close(admin_socket *a);

/* Asks the server on dir for a reset. *answered false: there is none. */
evdb_status admin_socket_ask(const char *dir, bool *answered, evdb_error *err);

#endif
