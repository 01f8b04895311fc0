/* sigv4.c - implements remote/sigv4.h.
 *
 * Source: "AWS Signature Version 4 for API requests" and "Authenticating Requests: Using the Authorization Header" of Amazon S3's
 * reference, whose examples the tests repeat. */
#include "remote/sigv4.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST = crypto_hash_sha256_BYTES };
static const char service[] = "s3";

void sigv4_date(time_t when, char out[SIGV4_DATE])
{
    struct tm t;
    if (!gmtime_r(&when, &t) || !strftime(out, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &t)) *out = 0;
}

void sigv4_hash(const void *bytes, size_t size, char out[SIGV4_HASH])
{
    unsigned char digest[DIGEST];
    crypto_hash_sha256(digest, bytes, size);
    sodium_bin2hex(out, SIGV4_HASH, digest, sizeof digest);
}

static void add(crypto_hash_sha256_state *s, const char *text) { crypto_hash_sha256_update(s, (const unsigned char *)text, strlen(text)); }

static void hmac(const unsigned char *key, size_t size, const char *text, size_t length, unsigned char out[DIGEST])
{
    crypto_auth_hmacsha256_state s;
    crypto_auth_hmacsha256_init(&s, key, size);
    crypto_auth_hmacsha256_update(&s, (const unsigned char *)text, length);
    crypto_auth_hmacsha256_final(&s, out);
    sodium_memzero(&s, sizeof s);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const sigv4_header *)a)->name, ((const sigv4_header *)b)->name);
}

/* "host;x-amz-date" */
static bool name_headers(const sigv4_header *sorted, size_t count, char *out, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(out + at, room - at, "%s%s", i ? ";" : "", sorted[i].name);
        if (n < 0 || (size_t)n >= room - at) return false;
        at += (size_t)n;
    }
    return true;
}

/* The hash of the canonical request. */
static void hash_request(const sigv4_request *r, const sigv4_header *sorted, const char *names, char out[SIGV4_HASH])
{
    crypto_hash_sha256_state s;
    unsigned char digest[DIGEST];
    crypto_hash_sha256_init(&s);
    add(&s, r->method), add(&s, "\n");
    add(&s, r->path), add(&s, "\n");
    add(&s, r->query), add(&s, "\n");
    for (size_t i = 0; i < r->header_count; i++) add(&s, sorted[i].name), add(&s, ":"), add(&s, sorted[i].value), add(&s, "\n");
    add(&s, "\n");
    add(&s, names), add(&s, "\n");
    add(&s, r->hash);
    crypto_hash_sha256_final(&s, digest);
    sodium_bin2hex(out, SIGV4_HASH, digest, sizeof digest);
}

/* The key of one day, region and service. */
static void derive(const char *secret, const char *date, const char *region, unsigned char out[DIGEST])
{
    unsigned char key[DIGEST];
    char first[4 + SIGV4_SECRET_MAX + 1];
    int length = snprintf(first, sizeof first, "AWS4%s", secret);
    hmac((const unsigned char *)first, (size_t)length, date, 8, key);
    sodium_memzero(first, sizeof first);
    hmac(key, sizeof key, region, strlen(region), out);
    hmac(out, DIGEST, service, strlen(service), key);
    hmac(key, sizeof key, "aws4_request", strlen("aws4_request"), out);
    sodium_memzero(key, sizeof key);
}

bool sigv4_authorization(const sigv4_request *r, const char *access_key, const char *secret_key, char out[SIGV4_AUTHORIZATION])
{
    sigv4_header sorted[SIGV4_HEADERS_MAX];
    char names[512], hash[SIGV4_HASH], scope[128], text[320], signature[SIGV4_HASH];
    unsigned char key[DIGEST], mac[DIGEST];
    if (r->header_count > SIGV4_HEADERS_MAX || strlen(secret_key) > SIGV4_SECRET_MAX) return false;
    memcpy(sorted, r->headers, r->header_count * sizeof *sorted);
    qsort(sorted, r->header_count, sizeof *sorted, by_name);
    if (!name_headers(sorted, r->header_count, names, sizeof names)) return false;
    hash_request(r, sorted, names, hash);
    if ((size_t)snprintf(scope, sizeof scope, "%.8s/%s/%s/aws4_request", r->date, r->region, service) >= sizeof scope) return false;
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->date, scope, hash);
    derive(secret_key, r->date, r->region, key);
    hmac(key, sizeof key, text, strlen(text), mac);
    sodium_memzero(key, sizeof key);
    sodium_bin2hex(signature, sizeof signature, mac, sizeof mac);
    return (size_t)snprintf(out, SIGV4_AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", access_key, scope,
                            names, signature) < SIGV4_AUTHORIZATION;
}

bool sigv4_encode(const char *text, bool slashes, char *out, size_t room)
{
    static const char digits[] = "0123456789ABCDEF",
                      plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool bare = strchr(plain, c) || (slashes && c == '/');
        if (room < (bare ? 2u : 4u)) return false;
        if (!bare) {
            *out++ = '%';
            *out++ = digits[c >> 4];
        }
        *out++ = bare ? (char)c : digits[c & 15];
        room -= bare ? 1 : 3;
    }
    if (!room) return false;
    *out = 0;
    return true;
}
