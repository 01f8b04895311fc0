/* certificate.h - what a server proves with who it is: a key and its certificates, from two PEM files. Counted: connections that
 * began with one keep it when it is replaced. */
#ifndef HTTP_CERTIFICATE_H
#define HTTP_CERTIFICATE_H
#include <evdb.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>

typedef struct certificate certificate;

/* The versions and ciphers that are spoken: TLS 1.2 and 1.3 with a fresh key exchange for each connection and authenticated
 * ciphers, the server's choice of them first. */
extern const char certificate_priorities[];

/* Errors name the file. A key that others may read, or that is not the first certificate's, is refused. */
evdb_status certificate_load(const char *certificate_file, const char *key_file, certificate **out, evdb_error *err);
int64_t certificate_expires(const certificate *c); /* Unix time */
certificate *certificate_hold(certificate *c);
void certificate_release(certificate *c); /* NULL allowed */
/* The session must not outlive the caller's hold. */
bool certificate_use(const certificate *c, gnutls_session_t session);

#endif
