/* token.c - implements auth/token.h. */
#include "auth/token.h"
#include "auth/base64url.h"
#include <sodium.h>
#include <string.h>

enum {
    VERSION = 1,
    NONCE_BYTES = 8,
    HEAD_BYTES = 2 + 8 + 8 + NONCE_BYTES,
    MAC_BYTES = 32,
    RAW_MAX = HEAD_BYTES + 2 * (EVDB_CLIENT_ID_MAX + 1) + EVDB_STORE_SCOPES_BYTES + MAC_BYTES
};
static const char prefix[] = "evdb1.";

void token_random(const platform *p, char out[EVDB_SECRET_BYTES])
{
    unsigned char bytes[SECRET_RANDOM_BYTES];
    p->random(p->random_context, bytes, sizeof(bytes));
    base64url_write(bytes, sizeof(bytes), out);
    sodium_memzero(bytes, sizeof(bytes));
}

static unsigned char *put64(unsigned char *at, int64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (unsigned char)((uint64_t)value >> shift);
    return at;
}

static unsigned char *put_text(unsigned char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

/* A text up to a zero or the end, with a zero behind it; *more: there was one in the bytes. False when it is longer than fits. */
static bool get_text(const unsigned char **at, const unsigned char *end, char *out, size_t room, bool *more)
{
    const unsigned char *zero = memchr(*at, 0, (size_t)(end - *at));
    size_t length = (size_t)((zero ? zero : end) - *at);
    if (length >= room) return false;
    memcpy(out, *at, length);
    out[length] = 0;
    *more = zero != NULL;
    *at += length + *more;
    return true;
}

static int64_t get64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

void token_write(const platform *p, const secrets *s, const token_claims *claims, char out[EVDB_TOKEN_BYTES])
{
    unsigned char raw[RAW_MAX], *at = raw;
    *at++ = VERSION;
    *at++ = (unsigned char)claims->scopes;
    at = put64(at, claims->expires_ms);
    at = put64(at, claims->generation);
    p->random(p->random_context, at, NONCE_BYTES);
    at += NONCE_BYTES;
    at = put_text(at, claims->client);
    if (*claims->stores || *claims->subject) {
        *at++ = 0;
        at = put_text(at, claims->stores);
    }
    if (*claims->subject) {
        *at++ = 0;
        at = put_text(at, claims->subject);
    }
    secret_mac(s, SECRET_FOR_ACCESS, raw, (size_t)(at - raw), at);
    memcpy(out, prefix, sizeof(prefix) - 1);
    base64url_write(raw, (size_t)(at - raw) + MAC_BYTES, out + sizeof(prefix) - 1);
    sodium_memzero(raw, sizeof(raw));
}

bool token_is_opaque(const char *token) { return strncmp(token, prefix, sizeof(prefix) - 1) == 0; }

bool token_read(const secrets *s, const char *token, token_claims *out)
{
    unsigned char raw[RAW_MAX], mac[MAC_BYTES];
    if (!token_is_opaque(token)) return false;
    const char *letters = token + sizeof(prefix) - 1;
    size_t size;
    if (!base64url_read(letters, strlen(letters), raw, sizeof(raw), &size) || size <= HEAD_BYTES + MAC_BYTES || raw[0] != VERSION) return false;
    size -= MAC_BYTES;
    secret_mac(s, SECRET_FOR_ACCESS, raw, size, mac);
    bool right = sodium_memcmp(mac, raw + size, MAC_BYTES) == 0;
    sodium_memzero(mac, sizeof(mac)); /* of a forged token it is what was missing */
    if (!right) return false;
    token_claims read = { .scopes = raw[1], .expires_ms = get64(raw + 2), .generation = get64(raw + 10) };
    const unsigned char *at = raw + HEAD_BYTES, *end = raw + size;
    bool more;
    if (!get_text(&at, end, read.client, sizeof(read.client), &more) || !*read.client) return false;
    if (more && !get_text(&at, end, read.stores, sizeof(read.stores), &more)) return false;
    if (more && !get_text(&at, end, read.subject, sizeof(read.subject), &more)) return false;
    if (more) return false;
    memcpy(read.id, end, sizeof(read.id));
    *out = read;
    return true;
}
