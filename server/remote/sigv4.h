/* sigv4.h - AWS Signature Version 4 of a request, as S3 and what is like it ask for it.
 *
 * Not libcurl's: what it signs of queries, paths and bodies differs from version to version. */
#ifndef REMOTE_SIGV4_H
#define REMOTE_SIGV4_H
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
    SIGV4_DATE = 17,           /* "20130524T000000Z" */
    SIGV4_HASH = 65,           /* SHA-256 in hexadecimal digits */
    SIGV4_HEADERS_MAX = 16,
    SIGV4_SECRET_MAX = 256,    /* bytes of a secret key */
    SIGV4_AUTHORIZATION = 1024
};

typedef struct sigv4_header {
    const char *name, *value; /* name in small letters; no blanks around value */
} sigv4_header;

typedef struct sigv4_request {
    const char *method, *path, *query; /* encoded; the query's parameters sorted, each with a '=' */
    const sigv4_header *headers;       /* all that are signed, in any order; SIGV4_HEADERS_MAX at most */
    size_t header_count;
    const char *date, *hash;           /* as in x-amz-date and x-amz-content-sha256 */
    const char *region;
} sigv4_request;

void sigv4_date(time_t when, char out[SIGV4_DATE]);
void sigv4_hash(const void *bytes, size_t size, char out[SIGV4_HASH]);
/* The value of the header Authorization; false when anything is too long. */
bool sigv4_authorization(const sigv4_request *r, const char *access_key, const char *secret_key, char out[SIGV4_AUTHORIZATION]);
/* All but letters, digits and -_.~ as %XX; '/' too unless `slashes`. false when it does not fit. */
bool sigv4_encode(const char *text, bool slashes, char *out, size_t room);

#endif
