/* listen.h - listening sockets. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H
#include <evdb.h>
#include <stdint.h>

/* A non-blocking socket that listens on a numeric address; *port 0 asks for any, and is what was given then. */
evdb_status listen_open(const char *address, uint16_t *port, int *fd, evdb_error *err);
/* From now on no connection begins on the socket; one that its client believes in already can still be accepted. Closing a
 * socket without this resets connections that came between the last accept() and the close. */
void listen_refuse(int fd);

#endif
