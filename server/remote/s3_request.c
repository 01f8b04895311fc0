/* s3_request.c - one request to a bucket: signed, sent by libcurl, and sent again where that may help. */
#include "op/op.h"
#include "remote/connection.h"
#include "remote/s3_private.h"
#include "remote/secret_file.h"
#include "remote/xml.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    TRIES = 4,
    FIRST_PAUSE_MS = 100, /* doubled with each try */
    LAST_MS = 5000,       /* for cleaning up */
    TOKEN_MAX = 8192      /* bytes of a session token */
};

/* ---- what is sent ---- */

typedef struct message {
    char url[4 * S3_KEY_MAX + 8192], path[3 * S3_KEY_MAX + 256];
    char date[SIGV4_DATE], hash[SIGV4_HASH], token[TOKEN_MAX + 1], authorization[SIGV4_AUTHORIZATION];
    struct curl_slist *headers;
} message;

static bool address(const s3 *s, const s3_request *r, message *m)
{
    char key[S3_KEY_MAX + 1];
    size_t root = strlen(s->root);
    memcpy(m->path, s->root, root);
    m->path[root++] = '/';
    m->path[root] = 0;
    if (r->name && (size_t)snprintf(key, sizeof key, "%s%s", s->o.prefix, r->name) >= sizeof key) return false;
    if (r->name && !sigv4_encode(key, true, m->path + root, sizeof m->path - root)) return false;
    return (size_t)snprintf(m->url, sizeof m->url, "%s://%s%s%s%s", s->scheme, s->host, m->path, r->query ? "?" : "",
                            r->query ? r->query : "") < sizeof m->url;
}

static bool add_header(message *m, const char *name, const char *value)
{
    char line[TOKEN_MAX + 64];
    if ((size_t)snprintf(line, sizeof line, "%s:%s%s", name, *value ? " " : "", value) >= sizeof line) return false;
    struct curl_slist *more = curl_slist_append(m->headers, line);
    if (more) m->headers = more;
    explicit_bzero(line, strlen(line));
    return more != NULL;
}

static evdb_status sign(const s3 *s, const s3_request *r, message *m, evdb_error *err)
{
    char secret[SIGV4_SECRET_MAX + 1];
    sigv4_header all[SIGV4_HEADERS_MAX] = { { "host", s->host }, { "x-amz-date", m->date }, { "x-amz-content-sha256", m->hash } };
    size_t count = 3;
    evdb_status rc = EVDB_OK;
    sigv4_date(time(NULL), m->date);
    if (*s->o.session_token_file) {
        rc = secret_file_read(s->o.session_token_file, m->token, sizeof m->token, err);
        all[count++] = (sigv4_header){ "x-amz-security-token", m->token };
    }
    if (r->body) all[count++] = (sigv4_header){ "content-type", "application/octet-stream" };
    for (size_t i = 0; i < 4 && r->headers[i].name; i++) all[count++] = r->headers[i];
    const sigv4_request q = { .method = r->method, .path = m->path, .query = r->query ? r->query : "", .headers = all,
                              .header_count = count, .date = m->date, .hash = m->hash, .region = s->o.region };
    if (rc == EVDB_OK) rc = secret_file_read(s->o.secret_key_file, secret, sizeof secret, err);
    if (rc != EVDB_OK) return rc;
    bool good = sigv4_authorization(&q, s->o.access_key, secret, m->authorization);
    explicit_bzero(secret, sizeof secret);
    for (size_t i = 0; good && i < count; i++) good = add_header(m, all[i].name, all[i].value);
    good = good && add_header(m, "authorization", m->authorization) && add_header(m, "expect", "");
    return good ? EVDB_OK : op_fail(err, EVDB_NO_MEMORY, "out of memory asking the bucket '%s'", s->o.bucket);
}

static void forget(message *m)
{
    for (struct curl_slist *h = m->headers; h; h = h->next) explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(m->headers);
    m->headers = NULL;
    explicit_bzero(m->token, strlen(m->token));
}

/* ---- what comes ---- */

typedef struct receiving {
    s3 *s;
    CURL *curl;
    const s3_request *r;
    s3_reply *reply;
    size_t got;      /* of an object */
    size_t capacity; /* of text */
} receiving;

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    receiving *g = context;
    s3_reply *reply = g->reply;
    long status = 0;
    (void)one;
    curl_easy_getinfo(g->curl, CURLINFO_RESPONSE_CODE, &status);
    if (g->r->into && status / 100 == 2) {
        if (count > g->r->room - g->got) return 0;
        memcpy((char *)g->r->into + g->got, bytes, count);
        g->got += count;
        return count;
    }
    if (count > S3_TEXT_MAX - reply->size) return 0;
    if (reply->size + count + 1 > g->capacity) {
        size_t capacity = 2 * (reply->size + count) + 4096;
        char *text = realloc(reply->text, capacity);
        if (!text) return 0;
        reply->text = text;
        g->capacity = capacity;
    }
    memcpy(reply->text + reply->size, bytes, count);
    reply->size += count;
    reply->text[reply->size] = 0;
    return count;
}

static void note_header(const char *line, size_t size, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    if (size <= n || line[n] != ':' || strncasecmp(line, name, n) != 0) return;
    for (line += n + 1, size -= n + 1; size && *line == ' '; line++) size--;
    while (size && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' ')) size--;
    if (size >= room) return;
    memcpy(out, line, size);
    out[size] = 0;
}

static size_t take_header(char *line, size_t one, size_t size, void *context)
{
    const receiving *g = context;
    (void)one;
    note_header(line, size, "etag", g->reply->etag, sizeof g->reply->etag);
    note_header(line, size, S3_MARK_HEADER, g->reply->mark, sizeof g->reply->mark);
    return size;
}

static int may_go_on(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const receiving *g = context;
    (void)a, (void)b, (void)c, (void)d;
    return !g->r->last && atomic_load(&g->s->stopped);
}

static bool note_error(void *context, const char *path, const char *text)
{
    s3_reply *reply = context;
    if (strcmp(path, "Error/Code") == 0) snprintf(reply->code, sizeof reply->code, "%s", text);
    if (strcmp(path, "Error/Message") == 0) snprintf(reply->message, sizeof reply->message, "%s", text);
    return strncmp(path, "Error", 5) == 0;
}

/* An error may come with 200 when the answer was begun before it was known. Of a success the text stays as it is. */
static void look_for_error(s3_reply *reply)
{
    bool could = reply->status / 100 != 2 || (reply->size < S3_KEY_MAX * 8 && strstr(reply->text, "<Error>"));
    if (could) (void)xml_read(reply->text, reply->size, note_error, reply);
    if (could && *reply->code && reply->status / 100 == 2) reply->status = 500;
}

/* ---- a try ---- */

static CURL *take_handle(s3 *s)
{
    CURL *curl = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->idle_count) curl = s->idle[--s->idle_count];
    pthread_mutex_unlock(&s->lock);
    if (!curl) curl = curl_easy_init();
    if (curl) curl_easy_reset(curl); /* connections stay */
    return curl;
}

static void give_handle(s3 *s, CURL *curl)
{
    pthread_mutex_lock(&s->lock);
    if (s->idle_count < S3_IDLE_MAX) {
        s->idle[s->idle_count++] = curl;
        curl = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    curl_easy_cleanup(curl);
}

static bool set_up(receiving *g, const message *m, long left_ms)
{
    const s3_request *r = g->r;
    CURL *c = g->curl;
    bool good = connection_set_up(c, m->url, g->s->o.ca_file, left_ms) && curl_easy_setopt(c, CURLOPT_HTTPHEADER, m->headers) == CURLE_OK;
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, g);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, may_go_on);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, g);
    if (strcmp(r->method, "HEAD") == 0) curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    if (r->body) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
    }
    return good;
}

static void begin_reply(s3_reply *reply)
{
    unsigned tries = reply->tries;
    free(reply->text);
    *reply = (s3_reply){ .tries = tries + 1, .text = calloc(1, 1) };
}

/* Tries once; what libcurl said, and in *reply what the server did. */
static CURLcode try_once(s3 *s, const s3_request *r, const message *m, long left_ms, s3_reply *reply)
{
    receiving g = { .s = s, .curl = take_handle(s), .r = r, .reply = reply, .capacity = 1 };
    curl_off_t length = -1;
    begin_reply(reply);
    if (!g.curl || !reply->text || !set_up(&g, m, left_ms)) {
        curl_easy_cleanup(g.curl);
        return CURLE_OUT_OF_MEMORY;
    }
    CURLcode code = curl_easy_perform(g.curl);
    curl_easy_getinfo(g.curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(g.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    reply->length = length > 0 ? (uint64_t)length : 0;
    if (code == CURLE_OK) look_for_error(reply);
    if (code == CURLE_OK && r->into && reply->status / 100 == 2 && g.got != r->room) code = CURLE_PARTIAL_FILE;
    give_handle(s, g.curl);
    return code;
}

/* ---- tries ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool may_pass(CURLcode code, const s3_reply *reply)
{
    switch ((int)code) {
    case CURLE_OK:
        return reply->status >= 500 ? reply->status != 501 && reply->status != 505
                                    : reply->status == 429 || reply->status == 408 || strcmp(reply->code, "RequestTimeout") == 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
    }
}

/* false when the server is stopping. */
static bool pause_ms(s3 *s, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopped) && pthread_cond_timedwait(&s->stopping, &s->lock, &until) != ETIMEDOUT) {}
    pthread_mutex_unlock(&s->lock);
    return !atomic_load(&s->stopped);
}

evdb_status s3_fail(const s3 *s, const s3_request *r, const s3_reply *reply, evdb_status status, evdb_error *err)
{
    const char *separator = *reply->code || *reply->message ? ": " : "";
    return op_fail(err, status, "cannot %s s3://%s/%s%s: HTTP status %ld%s%s%s%s%s", r->what, s->o.bucket, s->o.prefix, r->name ? r->name : "",
                   reply->status, separator, reply->code, *reply->code && *reply->message ? ": " : "", reply->message,
                   reply->status / 100 == 3 ? " (is s3_region the bucket's, and s3_endpoint its region's? redirects are not followed)" : "");
}

static evdb_status fail_unheard(const s3 *s, const s3_request *r, CURLcode code, evdb_error *err)
{
    const char *why = atomic_load(&s->stopped) ? "the server is stopping" : curl_easy_strerror(code);
    if (code == CURLE_WRITE_ERROR) why = "more came than was asked for";
    return op_fail(err, code == CURLE_OUT_OF_MEMORY ? EVDB_NO_MEMORY : EVDB_REMOTE, "cannot %s s3://%s/%s%s at %s: %s", r->what, s->o.bucket,
                   s->o.prefix, r->name ? r->name : "", s->o.endpoint, why);
}

static evdb_status ask(s3 *s, const s3_request *r, message *m, s3_reply *reply, evdb_error *err)
{
    int64_t end = now_ms() + (r->last ? LAST_MS : s->o.timeout_ms), pause = FIRST_PAUSE_MS;
    unsigned most = r->last ? 1 : TRIES;
    for (;; pause *= 2) {
        if (!r->last && atomic_load(&s->stopped)) return fail_unheard(s, r, CURLE_ABORTED_BY_CALLBACK, err);
        evdb_status rc = sign(s, r, m, err); /* anew: a signature is good for minutes */
        int64_t left = end - now_ms();
        CURLcode code = rc == EVDB_OK ? try_once(s, r, m, left > 1 ? (long)left : 1, reply) : CURLE_OK;
        forget(m);
        if (rc != EVDB_OK) return rc;
        if (code == CURLE_OK && reply->status / 100 == 2) return EVDB_OK;
        bool over = reply->tries >= most || now_ms() + pause >= end || !may_pass(code, reply);
        if (!over && pause_ms(s, pause)) continue;
        return code == CURLE_OK ? s3_fail(s, r, reply, EVDB_REMOTE, err) : fail_unheard(s, r, code, err);
    }
}

evdb_status s3_ask(s3 *s, const s3_request *r, s3_reply *reply, evdb_error *err)
{
    message *m = calloc(1, sizeof *m);
    *reply = (s3_reply){ .text = NULL };
    if (!m) return op_fail(err, EVDB_NO_MEMORY, "out of memory asking the bucket '%s'", s->o.bucket);
    evdb_status rc = address(s, r, m) ? EVDB_OK : op_fail(err, EVDB_INVALID, "s3://%s/%s%s: the name is too long", s->o.bucket, s->o.prefix, r->name);
    sigv4_hash(r->body ? r->body : "", r->body ? r->body_size : 0, m->hash);
    if (rc == EVDB_OK) rc = ask(s, r, m, reply, err);
    free(m);
    return rc;
}

void s3_reply_free(s3_reply *reply)
{
    free(reply->text);
    reply->text = NULL;
}
