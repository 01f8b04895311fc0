/* certificate_watch.h - the files of certificate and key, replaced while evdbd runs.
 *
 * Whoever renews a certificate replaces two files, one after the other. So a change is followed when neither has changed for a
 * second, and what cannot be used is told once and left until there is another change. */
#ifndef CERTIFICATE_WATCH_H
#define CERTIFICATE_WATCH_H
#include "config/config.h"
#include "http/http.h"
#include <sys/stat.h>

typedef struct certificate_watch {
    http_server *server;
    const char *files[2];
    struct stat loaded[2], last[2]; /* as they were when they were read, and at the last look */
    bool on;                        /* there is a certificate */
} certificate_watch;

/* Before the server reads them: what changes from then on is seen. */
void certificate_watch_begin(certificate_watch *w, const config *c);
/* The server has read them. Tells until when the certificate is good. */
void certificate_watch_serve(certificate_watch *w, http_server *server);
/* To be called once a second. */
void certificate_watch_look(certificate_watch *w);
/* At once, whether they have changed or not. */
void certificate_watch_reload(certificate_watch *w);

#endif
