/* token.c - implements auth/token.h. */
#include "auth/token.h"
#include <sodium.h>
#include <string.h>

enum {
    VERSION = 1,
    NONCE_BYTES = 8,
    HEAD_BYTES = 2 + 8 + 8 + NONCE_BYTES,
    MAC_BYTES = 32,
    RAW_MAX = HEAD_BYTES + EVDB_CLIENT_ID_MAX + MAC_BYTES
};
static const char prefix[] = "evdb1.";

void token_random(const platform *p, char out[EVDB_SECRET_BYTES])
{
    unsigned char bytes[SECRET_RANDOM_BYTES];
    p->random(p->random_context, bytes, sizeof(bytes));
    sodium_bin2base64(out, EVDB_SECRET_BYTES, bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
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
    secret_mac(s, SECRET_FOR_ACCESS, raw, (size_t)(at - raw), at);
    memcpy(out, prefix, sizeof(prefix) - 1);
    sodium_bin2base64(out + sizeof(prefix) - 1, EVDB_TOKEN_BYTES - sizeof(prefix) + 1, raw, (size_t)(at - raw) + MAC_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool token_read(const secrets *s, const char *token, token_claims *out)
{
    unsigned char raw[RAW_MAX], mac[MAC_BYTES];
    size_t size;
    if (strncmp(token, prefix, sizeof(prefix) - 1) != 0) return false;
    token += sizeof(prefix) - 1;
    if (sodium_base642bin(raw, sizeof(raw), token, strlen(token), NULL, &size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING))
        return false;
    if (size <= HEAD_BYTES + MAC_BYTES || raw[0] != VERSION) return false;
    size -= MAC_BYTES;
    secret_mac(s, SECRET_FOR_ACCESS, raw, size, mac);
    if (sodium_memcmp(mac, raw + size, MAC_BYTES) != 0) return false;
    *out = (token_claims){ .scopes = raw[1], .expires_ms = get64(raw + 2), .generation = get64(raw + 10) };
    memcpy(out->client, raw + HEAD_BYTES, size - HEAD_BYTES);
    return true;
}
