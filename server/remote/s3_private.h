/* s3_private.h - one request to a bucket, for the files that implement s3.h. */
#ifndef REMOTE_S3_PRIVATE_H
#define REMOTE_S3_PRIVATE_H
#include "remote/s3.h"
#include "remote/sigv4.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    S3_KEY_MAX = 1024,         /* bytes of an object's name, by S3's rules */
    S3_TEXT_MAX = 4 << 20,     /* of an answer that is no object */
    S3_IDLE_MAX = 8,           /* connections kept */
    S3_UPLOAD_MARK = 33
};
#define S3_MARK_HEADER "x-amz-meta-evdb-upload" /* tells an upload of ours from another one of that name */

struct s3 {
    s3_options o;
    op_bucket bucket;
    char scheme[16], host[512]; /* host as in the header of that name */
    char root[128];             /* path of the bucket, without '/' at its end */
    pthread_mutex_t lock;
    pthread_cond_t stopping;
    atomic_bool stopped;
    CURL *idle[S3_IDLE_MAX];
    size_t idle_count;
};

typedef struct s3_request {
    const char *what;    /* for messages: "read", "list", ... */
    const char *method;
    const char *name;    /* of an object, without the prefix; NULL = the bucket */
    const char *query;   /* encoded, its parameters sorted, each with a '='; NULL = none */
    const void *body;    /* NULL = none */
    size_t body_size;
    sigv4_header headers[4]; /* besides those that every request has; ends with a NULL name */
    void *into;          /* where the body of a success goes, of exactly `room` bytes; NULL = it is text */
    size_t room;
    bool last;           /* cleaning up: one short try, even when the server is stopping */
} s3_request;

typedef struct s3_reply {
    long status;
    unsigned tries;
    char etag[129], mark[S3_UPLOAD_MARK];
    uint64_t length;         /* Content-Length */
    char *text;              /* of what is no object; "" at least, NUL-terminated */
    size_t size;
    char code[64], message[256]; /* of S3's error; "" = none */
} s3_reply;

/* EVDB_REMOTE unless the status is 2xx; the reply then tells more. Free it with s3_reply_free() in any case. */
evdb_status s3_ask(s3 *s, const s3_request *r, s3_reply *reply, evdb_error *err);
void s3_reply_free(s3_reply *reply);
/* The message of a request that failed, for a caller that knows a better status. */
evdb_status s3_fail(const s3 *s, const s3_request *r, const s3_reply *reply, evdb_status status, evdb_error *err);

/* op_bucket.write (s3_upload.c). */
evdb_status s3_upload(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err), void *from,
                      evdb_error *err);
/* HEAD of an object; the reply must be freed. */
evdb_status s3_head(s3 *s, const char *name, s3_reply *reply, evdb_error *err);

#endif
