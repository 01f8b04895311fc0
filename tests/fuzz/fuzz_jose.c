/* fuzz_jose.c - any bytes as a token of others and as the keys that it is checked with.
 *
 * Input: a line, then keys as JSON. The line is a token, or, behind "s", a header, a tab and claims, which are signed with the Ed25519 key of
 * the seed 00..00. What is accepted must not be with another signature. */
#include "token/assertion.h"
#include "token/claims.h"
#include "token/jose_private.h"
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound) abort();
}

static char *encoded(const char *text, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *out = malloc(room);
    check(out != NULL);
    return sodium_bin2base64(out, room, (const unsigned char *)text, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static char *sign(const char *line)
{
    const unsigned char seed[crypto_sign_SEEDBYTES] = { 0 };
    unsigned char public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
    const char *tab = strchr(line, '\t'), *claims = tab ? tab + 1 : "{}";
    char *head = encoded(line, tab ? (size_t)(tab - line) : strlen(line)), *body = encoded(claims, strlen(claims));
    size_t room = strlen(head) + strlen(body) + 128;
    char *token = malloc(room);
    check(token != NULL && crypto_sign_seed_keypair(public, secret, seed) == 0);
    size_t used = (size_t)snprintf(token, room, "%s.%s", head, body);
    crypto_sign_detached(signature, NULL, (unsigned char *)token, used, secret);
    char *last = encoded((char *)signature, sizeof signature);
    snprintf(token + used, room - used, ".%s", last);
    free(head), free(body), free(last);
    return token;
}

static void look_at_claims(const jose_token *t, const char *jwks)
{
    static const char *const audiences[] = { "i", "e", NULL };
    const assertion_terms terms = { .client = "c", .jwks = jwks, .audiences = audiences, .now_ms = 1000000 };
    claims_times times;
    evdb_error err;
    replay *seen;
    check(replay_open(1000, &seen, &err) == EVDB_OK);
    if (assertion_check(t, &terms, seen, &err) == EVDB_OK) {
        check(strcmp(assertion_client(t), "c") == 0 && claims_text(t->claims, "jti") != NULL && replay_clients(seen) == 1);
        check(assertion_check(t, &terms, seen, &err) == EVDB_DENIED);
    }
    if (claims_read_times(t->claims, 1000000, &times, &err) == EVDB_OK) check(times.expires + CLAIMS_SKEW_MS > 1000000);
    replay_close(seen);
}

static void look(const char *text, const char *jwks)
{
    jose_token t;
    evdb_error err;
    evdb_status rc = jose_read(text, &t, &err);
    check(rc == EVDB_OK || rc == EVDB_DENIED);
    if (rc != EVDB_OK) return;
    for (int reading = JOSE_EVERY_KEY; reading <= JOSE_USABLE_KEYS; reading++) {
        jose_keys *keys;
        rc = jose_keys_parse(jwks, strlen(jwks), (jose_reading)reading, &keys, &err);
        check((rc == EVDB_OK) == (keys != NULL) && (rc == EVDB_OK || rc == EVDB_INVALID));
        if (!keys) continue;
        check(jose_keys_count(keys) > 0 && jose_keys_count(keys) <= JOSE_KEYS_MAX);
        if (jose_verify(&t, keys, &err) == EVDB_OK) {
            t.signature[0] ^= 1;
            check(jose_verify(&t, keys, &err) == EVDB_DENIED);
            t.signature[0] ^= 1;
        }
        jose_keys_free(keys);
    }
    look_at_claims(&t, jwks);
    jose_token_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    check(text != NULL && sodium_init() >= 0);
    if (size) memcpy(text, data, size);
    text[size] = 0;
    char *end = strchr(text, '\n');
    if (end) *end = 0;
    char *token = *text == 's' ? sign(text + 1) : text;
    look(token, end ? end + 1 : "");
    if (token != text) free(token);
    free(text);
    return 0;
}
