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
    RAW_MAX = HEAD_BYTES + EVDB_CLIENT_ID_MAX + EVDB_STORE_SCOPES_BYTES + MAC_BYTES
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

static int64_t get64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

void token_write(const platform *p, const secrets *s, const token_claims *claims, char out[EVDB_TOKEN_BYTES])
{
    unsigned char raw[RAW_MAX], *at = raw;
    size_t length = strlen(claims->client);
    *at++ = VERSION;
    *at++ = (unsigned char)claims->scopes;
    at = put64(at, claims->expires_ms);
    at = put64(at, claims->generation);
    p->random(p->random_context, at, NONCE_BYTES);
    at += NONCE_BYTES;
    memcpy(at, claims->client, length);
    at += length;
    if (*claims->stores) {
        *at++ = 0;
        memcpy(at, claims->stores, strlen(claims->stores));
        at += strlen(claims->stores);
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
    const unsigned char *id = raw + HEAD_BYTES, *end = raw + size, *more = memchr(id, 0, (size_t)(end - id));
    size_t length = (size_t)((more ? more : end) - id), rest = more ? (size_t)(end - more) - 1 : 0;
    if (!right || !length || length > EVDB_CLIENT_ID_MAX || rest >= EVDB_STORE_SCOPES_BYTES || (more && memchr(more + 1, 0, rest))) return false;
    *out = (token_claims){ .scopes = raw[1], .expires_ms = get64(raw + 2), .generation = get64(raw + 10) };
    memcpy(out->client, id, length);
    if (more) memcpy(out->stores, more + 1, rest);
    memcpy(out->id, end, sizeof(out->id));
    return true;
}
