/* fuzz_jwt.c - any bytes as an access token, and as header and claims under a good signature: refused with a message, or what is read
 * is what is written again.
 *
 * Input: a token; or a header, a NUL, claims, which are signed here. */
#include "auth/jwt.h"
#include "platform/platform.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of RFC 8037, appendix A, so that the dictionary can name it. */
static const unsigned char seed[JWS_SEED_BYTES] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                                    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
static unsigned char public_key[JWS_PUBLIC_BYTES], secret_key[JWS_SECRET_BYTES];
static char name[JWS_KID_BYTES];

static void check(bool sound)
{
    if (!sound) abort();
}

static bool find_key(void *context, const char *kid, unsigned char out[JWS_PUBLIC_BYTES])
{
    (void)context;
    if (strcmp(kid, name) != 0) return false;
    memcpy(out, public_key, JWS_PUBLIC_BYTES);
    return true;
}

static bool same(const jwt_claims *a, const jwt_claims *b)
{
    return strcmp(a->issuer, b->issuer) == 0 && strcmp(a->subject, b->subject) == 0 && strcmp(a->client, b->client) == 0 &&
           strcmp(a->scope, b->scope) == 0 && strcmp(a->audience, b->audience) == 0 && memcmp(a->id, b->id, JWT_ID_BYTES) == 0 &&
           a->issued_ms == b->issued_ms && a->not_before_ms == b->not_before_ms && a->expires_ms == b->expires_ms && a->generation == b->generation &&
           memcmp(a->family, b->family, JWT_ID_BYTES) == 0;
}

static void read_token(const char *text, bool ours)
{
    char again[JWT_BYTES];
    jwt_claims claims, twice;
    evdb_error err;
    evdb_status rc = jwt_read(text, find_key, NULL, &claims, &err);
    check(rc == EVDB_OK || (rc == EVDB_DENIED && err.status == rc && memchr(err.message, 0, sizeof(err.message))));
    if (rc != EVDB_OK) return;
    check(ours && strcmp(claims.kid, name) == 0);
    rc = jwt_write(claims.kid, secret_key, &claims, again, &err);
    if (rc == EVDB_LIMIT) return; /* what it says may be longer in the one way that we write it */
    check(rc == EVDB_OK && jwt_read(again, find_key, NULL, &twice, &err) == EVDB_OK && same(&claims, &twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * JWT_BYTES];
    const uint8_t *nul = memchr(data, 0, size);
    if (!*name) {
        check(sodium_init() >= 0);
        jws_key(seed, public_key, secret_key);
        jws_kid(public_key, name);
    }
    if (nul) {
        size_t header = (size_t)(nul - data);
        if (!jws_sign(secret_key, (const char *)data, header, (const char *)nul + 1, size - header - 1, text, sizeof(text))) return 0;
    } else {
        if (size >= sizeof(text)) return 0;
        memcpy(text, data, size);
        text[size] = 0;
    }
    read_token(text, nul != NULL);
    return 0;
}
