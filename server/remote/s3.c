/* s3.c - implements remote/s3.h: the bucket, and all that is done to it but uploads. */
#include "remote/s3.h"
#include "op/op.h"
#include "remote/s3_list.h"
#include "remote/s3_private.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAGES_MAX = 1000 }; /* of a list: a million objects */

static evdb_status no_memory(const s3 *s, evdb_error *err)
{
    return op_fail(err, EVDB_NO_MEMORY, "out of memory asking the bucket '%s'", s->o.bucket);
}

/* ---- objects ---- */

evdb_status s3_head(s3 *s, const char *name, s3_reply *reply, evdb_error *err)
{
    const s3_request r = { .what = "find", .method = "HEAD", .name = name };
    evdb_status rc = s3_ask(s, &r, reply, err);
    return rc == EVDB_REMOTE && reply->status == 404 ? s3_fail(s, &r, reply, EVDB_NOT_FOUND, err) : rc;
}

static evdb_status find(void *context, const char *name, op_object *out, evdb_error *err)
{
    s3_reply reply;
    evdb_status rc = s3_head(context, name, &reply, err);
    if (rc == EVDB_OK) {
        *out = (op_object){ .size = reply.length };
        snprintf(out->name, sizeof out->name, "%s", name);
        memcpy(out->tag, reply.etag, sizeof out->tag);
    }
    s3_reply_free(&reply);
    return rc;
}

static evdb_status read_range(void *context, const op_object *object, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    s3 *s = context;
    char range[64];
    s3_request r = { .what = "read", .method = "GET", .name = object->name, .into = buffer, .room = count, .headers = { { "range", range } } };
    s3_reply reply;
    if (!count) return EVDB_OK;
    snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)at, (unsigned long long)(at + count - 1));
    if (*object->tag) r.headers[1] = (sigv4_header){ "if-match", object->tag };
    evdb_status rc = s3_ask(s, &r, &reply, err);
    bool missing = reply.status == 404 && (strcmp(reply.code, "NoSuchKey") == 0 || !*reply.code);
    if (rc == EVDB_REMOTE && missing) rc = s3_fail(s, &r, &reply, EVDB_NOT_FOUND, err);
    else if (rc == EVDB_REMOTE && (reply.status == 412 || reply.status == 416))
        rc = op_fail(err, EVDB_BUSY, "s3://%s/%s%s was replaced while it was being read", s->o.bucket, s->o.prefix, object->name);
    else if (rc == EVDB_OK && reply.status != 206 && (at || count != object->size))
        rc = op_fail(err, EVDB_REMOTE, "%s does not answer with the range of s3://%s/%s%s that was asked for", s->o.endpoint, s->o.bucket,
                     s->o.prefix, object->name);
    s3_reply_free(&reply);
    return rc;
}

static evdb_status remove_object(void *context, const char *name, evdb_error *err)
{
    const s3_request r = { .what = "delete", .method = "DELETE", .name = name };
    s3_reply reply;
    evdb_status rc = s3_ask(context, &r, &reply, err);
    if (rc == EVDB_REMOTE && reply.status == 404 && strcmp(reply.code, "NoSuchBucket") != 0) rc = EVDB_OK;
    s3_reply_free(&reply);
    return rc;
}

/* ---- lists ---- */

static bool list_query(const s3 *s, const char *token, char *out, size_t room)
{
    char prefix[3 * S3_KEY_MAX + 1], after[3 * S3_TOKEN_MAX + 1];
    if (!sigv4_encode(s->o.prefix, false, prefix, sizeof prefix) || !sigv4_encode(token, false, after, sizeof after)) return false;
    int n = snprintf(out, room, "%s%s%sdelimiter=%%2F&encoding-type=url&list-type=2&prefix=%s", *token ? "continuation-token=" : "", after,
                     *token ? "&" : "", prefix);
    return n > 0 && (size_t)n < room;
}

/* One page; *more says whether there is another one, from `page`'s token on. */
static evdb_status list_page(s3 *s, s3_page *page, evdb_error *err)
{
    char query[3 * (S3_KEY_MAX + S3_TOKEN_MAX) + 256];
    const s3_request r = { .what = "list", .method = "GET", .query = query };
    s3_reply reply;
    if (!list_query(s, page->token, query, sizeof query))
        return op_fail(err, EVDB_REMOTE, "cannot list s3://%s/%s: the token of the next page is too long", s->o.bucket, s->o.prefix);
    *page->token = 0;
    evdb_status rc = s3_ask(s, &r, &reply, err);
    if (rc == EVDB_OK) rc = s3_page_read(page, reply.text, reply.size, err);
    if (rc == EVDB_REMOTE && reply.status / 100 == 2)
        rc = op_fail(err, rc, "cannot list s3://%s/%s: %s answers with no list that makes sense", s->o.bucket, s->o.prefix, s->o.endpoint);
    s3_reply_free(&reply);
    return rc;
}

static evdb_status list(void *context, evdb_status (*each)(void *to, const op_object *object, evdb_error *err), void *to, evdb_error *err)
{
    s3 *s = context;
    s3_page *page = calloc(1, sizeof *page);
    evdb_status rc = EVDB_OK;
    if (!page) return no_memory(s, err);
    page->prefix = s->o.prefix;
    page->each = each;
    page->to = to;
    page->more = true;
    for (unsigned i = 0; rc == EVDB_OK && page->more; i++)
        rc = i < PAGES_MAX ? list_page(s, page, err)
                           : op_fail(err, EVDB_LIMIT, "s3://%s/%s has more than %d pages of objects", s->o.bucket, s->o.prefix, PAGES_MAX);
    free(page);
    return rc;
}

/* ---- the bucket ---- */

/* Settings were checked: "http://HOST[:PORT]", with TLS or without. */
static bool take_endpoint(s3 *s)
{
    const char *e = s->o.endpoint, *host = strstr(e, "://");
    if (!host || (size_t)(host - e) >= sizeof s->scheme) return false;
    memcpy(s->scheme, e, (size_t)(host - e));
    host += 3;
    /* As a client says it: without the port that the scheme has anyway. */
    const char *usual = strcmp(s->scheme, "https") == 0 ? ":443" : ":80";
    size_t length = strcspn(host, "/"), port = strlen(usual);
    if (length > port && strncmp(host + length - port, usual, port) == 0) length -= port;
    int n = s->o.path_style ? snprintf(s->host, sizeof s->host, "%.*s", (int)length, host)
                            : snprintf(s->host, sizeof s->host, "%s.%.*s", s->o.bucket, (int)length, host);
    int m = s->o.path_style ? snprintf(s->root, sizeof s->root, "/%s", s->o.bucket) : 0;
    return n > 0 && (size_t)n < sizeof s->host && (size_t)m < sizeof s->root;
}

evdb_status s3_open(const s3_options *options, s3 **out, evdb_error *err)
{
    pthread_condattr_t attributes;
    s3 *s = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? calloc(1, sizeof *s) : NULL;
    if (!s) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the bucket '%s'", options->bucket);
    s->o = *options;
    s->bucket = (op_bucket){ .context = s, .list = list, .find = find, .read = read_range, .write = s3_upload, .remove = remove_object };
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->stopping, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_init(&s->stopped, false);
    *out = s;
    if (take_endpoint(s)) return EVDB_OK;
    s3_close(s);
    return op_fail(err, EVDB_INVALID, "s3_endpoint: '%s' is too long, or no URL", options->endpoint);
}

const op_bucket *s3_bucket(const s3 *s) { return &s->bucket; }

void s3_stop(s3 *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopped, true);
    pthread_cond_broadcast(&s->stopping);
    pthread_mutex_unlock(&s->lock);
}

void s3_close(s3 *s)
{
    if (!s) return;
    while (s->idle_count) curl_easy_cleanup(s->idle[--s->idle_count]);
    pthread_cond_destroy(&s->stopping);
    pthread_mutex_destroy(&s->lock);
    free(s);
    curl_global_cleanup();
}
