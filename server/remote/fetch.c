/* fetch.c - implements remote/fetch.h. */
#include "remote/fetch.h"
#include "op/op.h"
#include "remote/connection.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
    const char *ca_file;
    int64_t timeout_ms;
    atomic_bool stopped;
};

typedef struct receiving {
    const fetch *f;
    char *text;
    size_t size, most;
    bool too_much;
} receiving;

evdb_status fetch_open(const char *ca_file, int64_t timeout_ms, fetch **out, evdb_error *err)
{
    *out = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? calloc(1, sizeof **out) : NULL;
    if (!*out) return op_fail(err, EVDB_NO_MEMORY, "out of memory for connections to other servers");
    (*out)->ca_file = ca_file;
    (*out)->timeout_ms = timeout_ms;
    atomic_init(&(*out)->stopped, false);
    return EVDB_OK;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    receiving *r = context;
    (void)one;
    r->too_much = count > r->most - r->size;
    char *more = r->too_much ? NULL : realloc(r->text, r->size + count + 1);
    if (!more) return 0;
    r->text = more;
    memcpy(more + r->size, bytes, count);
    r->size += count;
    more[r->size] = 0;
    return count;
}

static int may_go_on(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const receiving *r = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&r->f->stopped);
}

static CURLcode perform(CURL *curl, const char *url, receiving *r)
{
    if (!connection_set_up(curl, url, r->f->ca_file, (long)r->f->timeout_ms)) return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, r);
    return curl_easy_perform(curl);
}

evdb_status fetch_get(void *context, const char *url, size_t most, char **out, size_t *size, evdb_error *err)
{
    const fetch *f = context;
    receiving r = { .f = f, .most = most, .text = calloc(1, 1) };
    CURL *curl = r.text ? curl_easy_init() : NULL;
    long status = 0;
    CURLcode code = curl ? perform(curl, url, &r) : CURLE_OUT_OF_MEMORY;
    if (curl) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    *out = r.text;
    *size = r.size;
    if (code == CURLE_OK && status == 200) return EVDB_OK;
    free(r.text);
    *out = NULL;
    if (code == CURLE_OK) return op_fail(err, EVDB_REMOTE, "cannot get %.300s: HTTP status %ld", url, status);
    if (r.too_much) return op_fail(err, EVDB_REMOTE, "cannot get %.300s: it has more than %zu bytes", url, most);
    return op_fail(err, code == CURLE_OUT_OF_MEMORY ? EVDB_NO_MEMORY : EVDB_REMOTE, "cannot get %.300s: %s", url, curl_easy_strerror(code));
}

void fetch_stop(fetch *f)
{
    if (f) atomic_store(&f->stopped, true);
}

void fetch_close(fetch *f) { free(f); }
