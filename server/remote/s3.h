/* s3.h - a bucket of S3, or of what speaks like it, as an op_bucket.
 *
 * A request is tried again when it fails in a way that may pass, until `timeout_ms` from its beginning are over; nothing waits longer.
 * Redirects are not followed. The files of secrets are read for each request, so that they may be replaced. */
#ifndef REMOTE_S3_H
#define REMOTE_S3_H
#include "op/op_bucket.h"
#include <stdbool.h>

typedef struct s3_options {
    const char *endpoint;  /* "https://HOST[:PORT]" */
    const char *region, *bucket;
    const char *prefix;    /* that names of objects begin with; "" = none */
    const char *access_key, *secret_key_file;
    const char *session_token_file; /* "" = none */
    const char *ca_file;   /* certificates to trust in the place of the system's; "" = these */
    bool path_style;       /* ENDPOINT/BUCKET/OBJECT, else BUCKET.ENDPOINT/OBJECT */
    int64_t timeout_ms;    /* of a request, with all its tries */
    int64_t part_bytes;    /* of a multipart upload; memory that each backup takes meanwhile */
} s3_options;

typedef struct s3 s3;

/* Connects to nothing yet. Options are borrowed. */
evdb_status s3_open(const s3_options *options, s3 **out, evdb_error *err);
const op_bucket *s3_bucket(const s3 *s);
/* Ends what is under way with an error, and all that comes: the server is stopping. NULL is fine. */
void s3_stop(s3 *s);
void s3_close(s3 *s); /* NULL is fine */

#endif
