/* certificate.c - implements http/certificate.h. */
#include "http/certificate.h"
#include "http/fail.h"
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20 };

struct certificate {
    gnutls_certificate_credentials_t credentials;
    int64_t expires;
    atomic_uint holders;
};

/* RFC 9325: no CBC, no RSA key exchange, no SHA-1. Session tickets are not given out: whoever has their key can read what was sent. */
const char certificate_priorities[] =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+CTYPE-X509:+COMP-NULL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AEAD:"
    "+ECDHE-ECDSA:+ECDHE-RSA:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
    "+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SECP521R1-SHA512:"
    "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:"
    "+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512:"
    "+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512:%SERVER_PRECEDENCE";

/* ---- files ---- */

static evdb_status cannot(const char *path, int why, evdb_error *err)
{
    char reason[128];
    evdb_status status = why == ENOENT ? EVDB_NOT_FOUND : why == EACCES ? EVDB_DENIED : EVDB_IO;
    return http_fail(err, status, "%s: cannot be read: %s", path, strerror_r(why, reason, sizeof reason));
}

/* A group may read what is root's: that is how a machine gives keys to its services. */
static bool is_private(const struct stat *st)
{
    mode_t others = st->st_uid == 0 ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG;
    return (st->st_mode & others) == 0;
}

static evdb_status check_file(const char *path, int fd, bool secret, size_t *size, evdb_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return cannot(path, errno, err);
    if (!S_ISREG(st.st_mode)) return http_fail(err, EVDB_INVALID, "%s: is no regular file", path);
    if (st.st_size > FILE_BYTES_MAX) return http_fail(err, EVDB_INVALID, "%s: is larger than %d bytes", path, FILE_BYTES_MAX);
    if (secret && !is_private(&st))
        return http_fail(err, EVDB_DENIED, "%s: the key is open to others (mode %04o): only its owner may read it, or a group when it is root's",
                         path, (unsigned)(st.st_mode & 07777));
    *size = (size_t)st.st_size;
    return EVDB_OK;
}

static void wipe(gnutls_datum_t *text)
{
    if (text->data) explicit_bzero(text->data, text->size);
    free(text->data);
    text->data = NULL;
}

/* Of what was checked: the file may grow meanwhile. */
static evdb_status read_all(const char *path, int fd, size_t size, gnutls_datum_t *out, evdb_error *err)
{
    size_t had = 0;
    ssize_t got = 1;
    out->size = (unsigned)size;
    out->data = malloc(size + 1);
    if (!out->data) return http_fail(err, EVDB_NO_MEMORY, "out of memory");
    while (had < size && got > 0) {
        got = read(fd, out->data + had, size - had);
        if (got > 0) had += (size_t)got;
    }
    return had == size ? EVDB_OK : cannot(path, got < 0 ? errno : EIO, err);
}

static evdb_status read_file(const char *path, bool secret, gnutls_datum_t *out, evdb_error *err)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
    if (fd < 0) return cannot(path, errno, err);
    evdb_status rc = check_file(path, fd, secret, &size, err);
    if (rc == EVDB_OK) rc = read_all(path, fd, size, out, err);
    close(fd);
    return rc;
}

/* ---- what is in them ---- */

static evdb_status refused(const char *path, const char *what, int why, evdb_error *err)
{
    if (why == GNUTLS_E_MEMORY_ERROR) return http_fail(err, EVDB_NO_MEMORY, "out of memory");
    return http_fail(err, EVDB_INVALID, "%s: %s: %s", path, what, gnutls_strerror(why));
}

/* Each by itself first, so that an error tells which file it is about. */
static evdb_status check_certificates(const char *path, const gnutls_datum_t *text, int64_t *expires, evdb_error *err)
{
    gnutls_x509_crt_t *list;
    unsigned count;
    int rc = gnutls_x509_crt_list_import2(&list, &count, text, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0) return refused(path, "holds no certificates (PEM)", rc, err);
    *expires = count ? (int64_t)gnutls_x509_crt_get_expiration_time(list[0]) : 0;
    for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return EVDB_OK;
}

static evdb_status check_key(const char *path, const gnutls_datum_t *text, evdb_error *err)
{
    gnutls_x509_privkey_t key;
    int rc = gnutls_x509_privkey_init(&key);
    if (rc < 0) return refused(path, "cannot be used", rc, err);
    rc = gnutls_x509_privkey_import2(key, text, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    if (rc >= 0) return EVDB_OK;
    return refused(path, rc == GNUTLS_E_DECRYPTION_FAILED ? "the key is encrypted" : "holds no private key (PEM)", rc, err);
}

static evdb_status fill(certificate *c, const char *const files[2], gnutls_datum_t text[2], evdb_error *err)
{
    evdb_status rc = read_file(files[0], false, &text[0], err);
    if (rc == EVDB_OK) rc = read_file(files[1], true, &text[1], err);
    if (rc == EVDB_OK) rc = check_certificates(files[0], &text[0], &c->expires, err);
    if (rc == EVDB_OK) rc = check_key(files[1], &text[1], err);
    if (rc != EVDB_OK) return rc;
    int why = gnutls_certificate_set_x509_key_mem2(c->credentials, &text[0], &text[1], GNUTLS_X509_FMT_PEM, NULL, 0);
    if (why == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return http_fail(err, EVDB_INVALID, "%s: is not the key of the first certificate in %s", files[1], files[0]);
    return why < 0 ? refused(files[0], "cannot be used", why, err) : EVDB_OK;
}

evdb_status certificate_load(const char *certificate_file, const char *key_file, certificate **out, evdb_error *err)
{
    const char *const files[2] = { certificate_file, key_file };
    gnutls_datum_t text[2] = { { NULL, 0 }, { NULL, 0 } };
    certificate *c = calloc(1, sizeof *c);
    if (!c) return http_fail(err, EVDB_NO_MEMORY, "out of memory");
    atomic_init(&c->holders, 1);
    if (gnutls_certificate_allocate_credentials(&c->credentials) < 0) {
        free(c);
        return http_fail(err, EVDB_NO_MEMORY, "out of memory");
    }
    evdb_status rc = fill(c, files, text, err);
    wipe(&text[0]);
    wipe(&text[1]);
    if (rc == EVDB_OK) *out = c;
    else certificate_release(c);
    return rc;
}

int64_t certificate_expires(const certificate *c) { return c->expires; }

certificate *certificate_hold(certificate *c)
{
    atomic_fetch_add(&c->holders, 1);
    return c;
}

void certificate_release(certificate *c)
{
    if (!c || atomic_fetch_sub(&c->holders, 1) != 1) return;
    gnutls_certificate_free_credentials(c->credentials);
    free(c);
}

bool certificate_use(const certificate *c, gnutls_session_t session)
{
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->credentials) == GNUTLS_E_SUCCESS;
}
