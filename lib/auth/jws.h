/* jws.h - signed texts: compact JWS (RFC 7515) with Ed25519 (RFC 8032, RFC 8037), and nothing else.
 *
 * There is no algorithm to choose, so none can be chosen by whoever sends a text: what the header says is compared with the key
 * that was found, never asked. */
#ifndef EVDB_AUTH_JWS_H
#define EVDB_AUTH_JWS_H
#include <stdbool.h>
#include <stddef.h>

#define JWS_ALGORITHM "EdDSA"

enum { JWS_SEED_BYTES = 32, JWS_PUBLIC_BYTES = 32, JWS_SECRET_BYTES = 64, JWS_SIGNATURE_BYTES = 64, JWS_KID_BYTES = 44 };

/* The key pair of a seed. */
void jws_key(const unsigned char seed[JWS_SEED_BYTES], unsigned char public_key[JWS_PUBLIC_BYTES],
             unsigned char secret_key[JWS_SECRET_BYTES]);
/* The name of a public key: its thumbprint (RFC 7638), so that it names this key and no other. */
void jws_kid(const unsigned char public_key[JWS_PUBLIC_BYTES], char out[JWS_KID_BYTES]);

/* header.payload.signature, NUL-terminated; false when it does not fit into room. */
bool jws_sign(const unsigned char secret_key[JWS_SECRET_BYTES], const char *header, size_t header_size, const char *payload,
              size_t payload_size, char *out, size_t room);

/* The three parts of a text, as letters. */
typedef struct jws_parts {
    const char *header, *payload, *signature;
    size_t header_length, payload_length, signature_length;
} jws_parts;

/* Exactly three parts, none empty; says nothing of what they are. */
bool jws_split(const char *text, size_t length, jws_parts *out);
bool jws_signed_by(const jws_parts *parts, const unsigned char public_key[JWS_PUBLIC_BYTES]);

#endif
