/* s3_upload.c - a new object, in one request or, where it is larger than a part, in many.
 *
 * Parts are kept in memory until the server has them, so each can be sent again. The object appears with the last request; an upload
 * that does not get there is aborted, or, where even that fails, left to the bucket's own rules. */
#include "op/op.h"
#include "remote/s3_private.h"
#include "remote/xml.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 10000, /* by S3's rules */
    ID_MAX = 1024,     /* bytes of an upload's id */
    ENTRY_MAX = 1024   /* bytes of a part in the list of parts */
};

typedef struct upload {
    s3 *s;
    const char *name;
    char mark[S3_UPLOAD_MARK];
    unsigned char *part;
    size_t used;
    uint64_t size;        /* of parts that were sent */
    unsigned parts;
    char id[ID_MAX + 1];  /* encoded; "" = nothing was sent yet */
    char *list;           /* of parts, for the last request */
    size_t list_size, list_room;
} upload;

static bool note_id(void *context, const char *path, const char *text)
{
    upload *u = context;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") != 0) return true;
    return *text && sigv4_encode(text, false, u->id, sizeof u->id);
}

static evdb_status begin(upload *u, evdb_error *err)
{
    const s3_request r = { .what = "begin to write", .method = "POST", .name = u->name, .query = "uploads=", .body = "",
                           .headers = { { S3_MARK_HEADER, u->mark } } };
    s3_reply reply;
    evdb_status rc = s3_ask(u->s, &r, &reply, err);
    if (rc == EVDB_OK && (!xml_read(reply.text, reply.size, note_id, u) || !*u->id))
        rc = op_fail(err, EVDB_REMOTE, "cannot write s3://%s/%s%s: %s answers with no id of an upload", u->s->o.bucket, u->s->o.prefix, u->name,
                     u->s->o.endpoint);
    s3_reply_free(&reply);
    return rc;
}

static evdb_status list_more(upload *u, const char *text, evdb_error *err)
{
    size_t size = strlen(text);
    if (u->list_size + size >= u->list_room) {
        size_t room = 2 * (u->list_size + size) + 4096;
        char *list = realloc(u->list, room);
        if (!list) return op_fail(err, EVDB_NO_MEMORY, "out of memory writing a backup");
        u->list = list;
        u->list_room = room;
    }
    memcpy(u->list + u->list_size, text, size + 1);
    u->list_size += size;
    return EVDB_OK;
}

/* The tag comes from outside; in XML it must be a text. */
static evdb_status list_part(upload *u, const char *tag, evdb_error *err)
{
    char entry[ENTRY_MAX];
    size_t at = (size_t)snprintf(entry, sizeof entry, "<Part><PartNumber>%u</PartNumber><ETag>", u->parts);
    for (; *tag && at + 64 < sizeof entry; tag++) {
        unsigned char c = (unsigned char)*tag;
        bool bare = c > ' ' && c <= '~' && !strchr("<>&\"'", c);
        at += (size_t)(bare ? snprintf(entry + at, sizeof entry - at, "%c", c) : snprintf(entry + at, sizeof entry - at, "&#%u;", c));
    }
    snprintf(entry + at, sizeof entry - at, "</ETag></Part>");
    return list_more(u, entry, err);
}

static evdb_status send_part(upload *u, evdb_error *err)
{
    char query[ID_MAX + 64];
    const s3_request r = { .what = "write", .method = "PUT", .name = u->name, .query = query, .body = u->part, .body_size = u->used };
    s3_reply reply;
    evdb_status rc = EVDB_OK;
    if (u->parts == PARTS_MAX)
        return op_fail(err, EVDB_LIMIT, "cannot write s3://%s/%s%s: it has more than %d parts; raise s3_part_bytes", u->s->o.bucket,
                       u->s->o.prefix, u->name, PARTS_MAX);
    if (!*u->id) rc = begin(u, err);
    if (rc == EVDB_OK && !u->parts) rc = list_more(u, "<CompleteMultipartUpload>", err);
    if (rc != EVDB_OK) return rc;
    u->parts++;
    snprintf(query, sizeof query, "partNumber=%u&uploadId=%s", u->parts, u->id);
    rc = s3_ask(u->s, &r, &reply, err);
    if (rc == EVDB_OK) rc = list_part(u, reply.etag, err);
    s3_reply_free(&reply);
    u->size += u->used;
    u->used = 0;
    return rc;
}

/* A full part waits for the byte behind it: what fits into one is sent in one request. */
static evdb_status take(void *context, const void *bytes, size_t count, evdb_error *err)
{
    upload *u = context;
    const char *from = bytes;
    size_t room = (size_t)u->s->o.part_bytes;
    while (count) {
        evdb_status rc = u->used == room ? send_part(u, err) : EVDB_OK;
        if (rc != EVDB_OK) return rc;
        size_t n = room - u->used < count ? room - u->used : count;
        memcpy(u->part + u->used, from, n);
        u->used += n;
        from += n;
        count -= n;
    }
    return EVDB_OK;
}

/* Is what has the name what was uploaded here? Then it was the answer alone that got lost. */
static bool is_ours(const upload *u, uint64_t size)
{
    s3_reply reply;
    evdb_error unheard;
    bool ours = s3_head(u->s, u->name, &reply, &unheard) == EVDB_OK && strcmp(reply.mark, u->mark) == 0 && reply.length == size;
    s3_reply_free(&reply);
    return ours;
}

/* Only where nothing has the name. Not every server knows how to tell: then looking beforehand has to do. */
static evdb_status publish(upload *u, s3_request *r, evdb_error *err)
{
    s3_reply reply;
    evdb_status rc = s3_ask(u->s, r, &reply, err);
    if (rc == EVDB_REMOTE && reply.status == 501) {
        s3_reply_free(&reply);
        for (size_t i = 0; i < 4 && r->headers[i].name; i++)
            if (strcmp(r->headers[i].name, "if-none-match") == 0) r->headers[i].name = NULL; /* the last one */
        rc = s3_ask(u->s, r, &reply, err);
    }
    bool taken = reply.status == 412 || strcmp(reply.code, "ConditionalRequestConflict") == 0;
    s3_reply_free(&reply);
    if (rc == EVDB_REMOTE && is_ours(u, u->size + u->used)) return EVDB_OK;
    if (rc == EVDB_REMOTE && taken)
        return op_fail(err, EVDB_EXISTS, "s3://%s/%s%s already exists", u->s->o.bucket, u->s->o.prefix, u->name);
    return rc;
}

static evdb_status finish(upload *u, evdb_error *err)
{
    char query[ID_MAX + 16];
    if (!*u->id) {
        s3_request r = { .what = "write", .method = "PUT", .name = u->name, .body = u->part, .body_size = u->used,
                         .headers = { { S3_MARK_HEADER, u->mark }, { "if-none-match", "*" } } };
        return publish(u, &r, err);
    }
    evdb_status rc = send_part(u, err);
    if (rc == EVDB_OK) rc = list_more(u, "</CompleteMultipartUpload>", err);
    if (rc != EVDB_OK) return rc;
    snprintf(query, sizeof query, "uploadId=%s", u->id);
    s3_request r = { .what = "write", .method = "POST", .name = u->name, .query = query, .body = u->list, .body_size = u->list_size,
                     .headers = { { "if-none-match", "*" } } };
    return publish(u, &r, err);
}

static void give_up(upload *u)
{
    char query[ID_MAX + 16];
    const s3_request r = { .what = "give up", .method = "DELETE", .name = u->name, .query = query, .last = true };
    s3_reply reply;
    evdb_error unheard;
    if (!*u->id) return;
    snprintf(query, sizeof query, "uploadId=%s", u->id);
    (void)s3_ask(u->s, &r, &reply, &unheard);
    s3_reply_free(&reply);
}

evdb_status s3_upload(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err), void *from,
                      evdb_error *err)
{
    s3 *s = context;
    unsigned char random[(S3_UPLOAD_MARK - 1) / 2];
    upload u = { .s = s, .name = name, .part = malloc((size_t)s->o.part_bytes) };
    const evdb_sink sink = { .context = &u, .write = take };
    if (!u.part) return op_fail(err, EVDB_NO_MEMORY, "out of memory: a part of a backup has %lld bytes", (long long)s->o.part_bytes);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(u.mark, sizeof u.mark, random, sizeof random);
    evdb_status rc = produce(from, &sink, err);
    if (rc == EVDB_OK) rc = finish(&u, err);
    if (rc != EVDB_OK) give_up(&u);
    free(u.list);
    free(u.part);
    return rc;
}
