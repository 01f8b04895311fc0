/* certificate_watch.c - implements certificate_watch.h. */
#include "certificate_watch.h"
#include "log.h"
#include <string.h>
#include <time.h>

/* A file that is missing is as one of zeros. */
static void look_at(const certificate_watch *w, struct stat out[2])
{
    for (int i = 0; i < 2; i++)
        if (stat(w->files[i], &out[i]) != 0) memset(&out[i], 0, sizeof out[i]);
}

static bool same(const struct stat a[2], const struct stat b[2])
{
    for (int i = 0; i < 2; i++)
        if (a[i].st_dev != b[i].st_dev || a[i].st_ino != b[i].st_ino || a[i].st_size != b[i].st_size || a[i].st_mode != b[i].st_mode ||
            a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec || a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
            return false;
    return true;
}

static void tell(const char *what, int64_t expires)
{
    char text[32] = "";
    time_t at = (time_t)expires;
    struct tm utc;
    if (gmtime_r(&at, &utc)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    log_line(LOG_INFO, what, json_pack("{s:s}", "expires", text));
    if (at <= time(NULL)) log_line(LOG_WARNING, "the certificate has expired: clients refuse it", NULL);
}

void certificate_watch_begin(certificate_watch *w, const config *c)
{
    *w = (certificate_watch){ .files = { c->tls_cert_file, c->tls_key_file }, .on = *c->tls_cert_file };
    if (!w->on) return;
    look_at(w, w->loaded);
    memcpy(w->last, w->loaded, sizeof w->last);
}

void certificate_watch_serve(certificate_watch *w, http_server *server)
{
    w->server = server;
    if (w->on) tell("all ports speak TLS", http_certificate_expires(server));
}

void certificate_watch_reload(certificate_watch *w)
{
    evdb_error err;
    look_at(w, w->loaded); /* first: what changes meanwhile is seen by the next look */
    memcpy(w->last, w->loaded, sizeof w->last);
    if (http_certificate_reload(w->server, &err) == EVDB_OK)
        tell("the certificate was loaded again", http_certificate_expires(w->server));
    else log_line(LOG_ERROR, "cannot use the certificate that is there: the one before stays",
                  json_pack("{s:s, s:o}", "status", evdb_status_name(err.status), "detail", log_text(err.message)));
}

void certificate_watch_look(certificate_watch *w)
{
    struct stat seen[2];
    if (!w->on) return;
    look_at(w, seen);
    bool settled = same(seen, w->last);
    memcpy(w->last, seen, sizeof seen);
    if (settled && !same(seen, w->loaded)) certificate_watch_reload(w);
}
