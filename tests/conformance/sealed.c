/* sealed.c - implements sealed.h. */
#include "conformance/sealed.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES, STAMP = 8,
       BOUND_BYTES = 2 * EVDB_CLIENT_ID_MAX + 128 };
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];

void sealed_begin(void) { crypto_aead_xchacha20poly1305_ietf_keygen(key); }

/* What is authenticated without being there. No part can hold a newline but the last. */
static size_t bind_to(char out[BOUND_BYTES], const char *about, const evdb_principal *who)
{
    return (size_t)snprintf(out, BOUND_BYTES, "%.100s\n%s\n%s", about, who->client, who->subject);
}

/* nonce | encrypted (until | JSON) and tag, in base64 */
char *sealed_make(const json_t *state, const char *about, const evdb_principal *who, int64_t now)
{
    char bound[BOUND_BYTES], *json = json_dumps(state, JSON_COMPACT);
    size_t bound_size = bind_to(bound, about, who), size = json ? strlen(json) : 0, text_size = sodium_base64_encoded_len(NONCE + STAMP + size + TAG, BASE64);
    unsigned char *raw = malloc(NONCE + STAMP + size + TAG);
    char *text = malloc(text_size);
    if (json && raw && text) {
        uint64_t until = (uint64_t)now + SEALED_LIFETIME;
        randombytes_buf(raw, NONCE);
        for (int i = 0; i < STAMP; i++) raw[NONCE + i] = (unsigned char)(until >> 8 * i);
        memcpy(raw + NONCE + STAMP, json, size);
        crypto_aead_xchacha20poly1305_ietf_encrypt(raw + NONCE, NULL, raw + NONCE, STAMP + size, (unsigned char *)bound, bound_size, NULL, raw, key);
        sodium_bin2base64(text, text_size, raw, NONCE + STAMP + size + TAG, BASE64);
    } else {
        free(text);
        text = NULL;
    }
    free(raw);
    free(json);
    return text;
}

static json_t *read_opened(const unsigned char *opened, size_t size, int64_t now)
{
    uint64_t until = 0;
    for (int i = 0; i < STAMP; i++) until |= (uint64_t)opened[i] << 8 * i;
    return (uint64_t)now <= until ? json_loadb((const char *)opened + STAMP, size - STAMP, 0, NULL) : NULL;
}

json_t *sealed_open(const char *text, const char *about, const evdb_principal *who, int64_t now)
{
    char bound[BOUND_BYTES];
    size_t bound_size = bind_to(bound, about, who), length = strlen(text), size = 0;
    unsigned char *raw = malloc(length + 1);
    json_t *state = NULL;
    if (raw && sodium_base642bin(raw, length + 1, text, length, NULL, &size, NULL, BASE64) == 0 && size > NONCE + STAMP + TAG &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(raw + NONCE, NULL, NULL, raw + NONCE, size - NONCE, (unsigned char *)bound, bound_size, raw, key) == 0)
        state = read_opened(raw + NONCE, size - NONCE - TAG, now);
    free(raw);
    return state;
}
