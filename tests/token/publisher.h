/* publisher.h - an OpenID Connect issuer that is a function: what it publishes, and whether it answers. */
#ifndef TESTS_TOKEN_PUBLISHER_H
#define TESTS_TOKEN_PUBLISHER_H
#include "token/issuer.h"
#include "token/signer.h"

#define URL "https://id.example:8443/realm"
#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"1\"}"
#define TIMES "\"exp\":1800000060"

/* Its keys from now on, as JWKs with commas between; "" = none are there. Nobody has asked, and nothing was said. */
void publisher_publish(const char *jwks);
/* A publisher that is shut lets everybody wait. */
void publisher_shut(bool shut);
void publisher_wait_until_asked(void);
/* How often its keys were asked for. */
unsigned publisher_asked(void);
/* What the log was told; waits for it, and for `part` in it. */
void publisher_wait_for_word(const char *part);
/* An issuer that asks it, with audience "evdb", at the time 1800000000. */
issuer_options publisher_issuer(void);
/* What becomes of a token signed now. */
evdb_status publisher_identify(issuer *i, signer *s, const char *header, const char *claims, evdb_principal *out);
/* An issuer that knows keys. */
issuer *publisher_open(const issuer_options *options, signer *key);

#endif
