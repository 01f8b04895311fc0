/* session.c - implements token/session.h. */
#include "token/session.h"
#include "op/op_clock.h"
#include "proto/address.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 32, MAC_BYTES = 32, HEAD_BYTES = 16 + SESSION_ID_BYTES, RAW_MAX = HEAD_BYTES + EVDB_USER_NAME_MAX + MAC_BYTES };
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct session_keys {
    unsigned char cookies[KEY_BYTES], forms[KEY_BYTES];
};

session_keys *session_keys_create(void)
{
    session_keys *k = sodium_malloc(sizeof *k); /* locked, and in no core file */
    if (!k) return NULL;
    randombytes_buf(k->cookies, sizeof k->cookies);
    randombytes_buf(k->forms, sizeof k->forms);
    return k;
}

void session_keys_free(session_keys *k) { sodium_free(k); }

/* Do clients come over TLS, be it one that ends before us? Then browsers keep the cookie for this host and for TLS alone. */
static bool is_secure(const service *s)
{
    char issuer[ADDRESS_BYTES];
    return strncmp(address_issuer(s, issuer), "https://", 8) == 0;
}

static const char *cookie_name(const service *s) { return is_secure(s) ? "__Host-evdb_session" : "evdb_session"; }

/* The value of a cookie of that name, up to its end; NULL when there is none. */
static const char *find_cookie(const http_request *request, const char *name, size_t *length)
{
    const char *at = http_header(request, "Cookie");
    size_t n = strlen(name);
    for (; at && *at; at += strcspn(at, ";"), at += *at == ';') {
        at += strspn(at, " ");
        if (strncmp(at, name, n) != 0 || at[n] != '=') continue;
        *length = strcspn(at + n + 1, "; ");
        return at + n + 1;
    }
    return NULL;
}

static void mac_of(const unsigned char *key, const unsigned char *raw, size_t size, const char *about, unsigned char out[MAC_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, KEY_BYTES, MAC_BYTES);
    crypto_generichash_update(&state, raw, size);
    crypto_generichash_update(&state, (const unsigned char *)about, strlen(about));
    crypto_generichash_final(&state, out, MAC_BYTES);
}

static void put_number(unsigned char out[8], int64_t number)
{
    for (int i = 0; i < 8; i++) out[i] = (unsigned char)((uint64_t)number >> (8 * i));
}

static int64_t number_at(const unsigned char raw[8])
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number |= (uint64_t)raw[i] << (8 * i);
    return (int64_t)number;
}

/* As bytes, without the MAC. */
static size_t write_raw(const session *is, unsigned char raw[RAW_MAX])
{
    size_t length = strlen(is->user);
    put_number(raw, is->expires_ms);
    put_number(raw + 8, is->generation);
    memcpy(raw + 16, is->id, SESSION_ID_BYTES);
    memcpy(raw + HEAD_BYTES, is->user, length);
    return HEAD_BYTES + length;
}

bool session_read(const service *s, const http_request *request, session *out)
{
    unsigned char raw[RAW_MAX], mac[MAC_BYTES];
    size_t length = 0, size;
    const char *text = find_cookie(request, cookie_name(s), &length);
    if (!text || sodium_base642bin(raw, sizeof raw, text, length, NULL, &size, NULL, BASE64) || size < HEAD_BYTES + MAC_BYTES) return false;
    size -= MAC_BYTES;
    mac_of(s->sessions->cookies, raw, size, "", mac);
    if (sodium_memcmp(mac, raw + size, MAC_BYTES) != 0) return false;
    *out = (session){ .expires_ms = number_at(raw), .generation = number_at(raw + 8) };
    memcpy(out->id, raw + 16, SESSION_ID_BYTES);
    memcpy(out->user, raw + HEAD_BYTES, size - HEAD_BYTES);
    return out->expires_ms > op_now_ms();
}

static void send(const service *s, const char *value, int seconds, http_response *response)
{
    char header[HTTP_RESPONSE_HEADER_BYTES];
    bool secure = is_secure(s);
    snprintf(header, sizeof header, "%s=%s; Path=%s; Max-Age=%d; HttpOnly; SameSite=Strict%s", cookie_name(s), value,
             secure ? "/" : "/oauth/authorize", seconds, secure ? "; Secure" : "");
    http_header_add(response, "Set-Cookie", header);
}

void session_begin(const service *s, const evdb_user *user, session *out, http_response *response)
{
    unsigned char raw[RAW_MAX];
    char text[sodium_base64_ENCODED_LEN(RAW_MAX, BASE64)];
    *out = (session){ .expires_ms = op_now_ms() + SESSION_SECONDS * 1000, .generation = user ? user->generation : 0 };
    if (user) memcpy(out->user, user->name, sizeof out->user);
    randombytes_buf(out->id, sizeof out->id);
    size_t size = write_raw(out, raw);
    mac_of(s->sessions->cookies, raw, size, "", raw + size);
    sodium_bin2base64(text, sizeof text, raw, size + MAC_BYTES, BASE64);
    send(s, text, SESSION_SECONDS, response);
}

void session_end(const service *s, http_response *response) { send(s, "", 0, response); }

void session_form(const service *s, const session *is, const char *about, char out[SESSION_FORM_BYTES])
{
    unsigned char raw[RAW_MAX], mac[MAC_BYTES];
    mac_of(s->sessions->forms, raw, write_raw(is, raw), about, mac);
    sodium_bin2base64(out, SESSION_FORM_BYTES, mac, sizeof mac, BASE64);
}

bool session_form_fits(const service *s, const session *is, const char *about, const char *given)
{
    char right[SESSION_FORM_BYTES];
    session_form(s, is, about, right);
    return given && strlen(given) == sizeof right - 1 && sodium_memcmp(given, right, sizeof right - 1) == 0;
}
