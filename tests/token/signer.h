/* signer.h - keys whose owner signs: what a client, or an issuer, has and evdb has not. */
#ifndef TESTS_TOKEN_SIGNER_H
#define TESTS_TOKEN_SIGNER_H
#include <stddef.h>

typedef struct signer signer;

/* algorithm: "ES256", "RS256" or "EdDSA". bits: of an RSA key. */
signer *signer_make(const char *algorithm, unsigned bits);
void signer_free(signer *s);
/* The public key as JWK; kid NULL = none; more = further members, such as ",\"use\":\"enc\"". Until the next call with this signer. */
const char *signer_jwk(signer *s, const char *kid, const char *more);
/* A token of these two JSON texts, or of whatever they are. To be freed. */
char *signer_token(signer *s, const char *header, const char *claims);
/* The raw signature of bytes; out has 512 bytes. */
size_t signer_sign(signer *s, const void *bytes, size_t size, unsigned char *out);
/* Base64url without padding; to be freed. */
char *signer_base64url(const void *bytes, size_t size);

#endif
