/* assertion.c - implements token/assertion.h. */
#include "token/assertion.h"
#include "op/op.h"
#include "token/claims.h"
#include <string.h>

const char *assertion_client(const jose_token *token)
{
    const char *issuer = claims_text(token->claims, "iss"), *subject = claims_text(token->claims, "sub");
    return issuer && subject && strcmp(issuer, subject) == 0 ? subject : NULL;
}

static evdb_status check_signature(const jose_token *token, const assertion_terms *terms, evdb_error *err)
{
    jose_keys *keys;
    evdb_error why;
    if (jose_keys_parse(terms->jwks, strlen(terms->jwks), JOSE_EVERY_KEY, &keys, &why) != EVDB_OK)
        return op_fail(err, why.status == EVDB_INVALID ? EVDB_DENIED : why.status, "the keys that the client is registered with: %s", why.message);
    evdb_status rc = jose_verify(token, keys, &why);
    jose_keys_free(keys);
    if (rc != EVDB_DENIED && rc != EVDB_NOT_FOUND) return rc == EVDB_OK ? rc : op_fail(err, rc, "%s", why.message);
    /* As of a client that there is not: nobody learns from an error which there are. */
    return op_fail(err, EVDB_DENIED, ASSERTION_UNKNOWN);
}

static bool is_for_us(const jose_token *token, const assertion_terms *terms)
{
    for (const char *const *audience = terms->audiences; *audience; audience++)
        if (claims_audience_has(token->claims, *audience)) return true;
    return false;
}

static evdb_status check_times(const jose_token *token, const assertion_terms *terms, const replay *seen, int64_t *expires_ms, evdb_error *err)
{
    claims_times times;
    evdb_status rc = claims_read_times(token->claims, terms->now_ms, &times, err);
    if (rc != EVDB_OK) return rc;
    /* Clients are there that say an hour. Those who say since when end early; who does not must mean what is short. */
    int64_t most = times.issued ? times.issued + ASSERTION_LIFETIME_MAX_MS : times.expires;
    *expires_ms = times.expires < most ? times.expires : most;
    if (*expires_ms + CLAIMS_SKEW_MS <= terms->now_ms)
        return op_fail(err, EVDB_DENIED, "the token was issued more than %d minutes ago", ASSERTION_LIFETIME_MAX_MS / 60000);
    if (*expires_ms > terms->now_ms + ASSERTION_LIFETIME_MAX_MS + CLAIMS_SKEW_MS)
        return op_fail(err, EVDB_DENIED, "the token's exp is more than %d minutes ahead, and there is no iat", ASSERTION_LIFETIME_MAX_MS / 60000);
    /* In whole seconds, as most clients say it. */
    if (times.issued && times.issued / 1000 < replay_began(seen) / 1000)
        return op_fail(err, EVDB_DENIED, "the token was issued before this server was started: it may have been used already");
    return EVDB_OK;
}

evdb_status assertion_check(const jose_token *token, const assertion_terms *terms, replay *seen, evdb_error *err)
{
    const char *client = assertion_client(token), *id = claims_text(token->claims, "jti");
    int64_t expires_ms;
    if (!client || strcmp(client, terms->client) != 0) return op_fail(err, EVDB_DENIED, "the token's iss and sub are not the client's id");
    evdb_status rc = check_signature(token, terms, err);
    if (rc != EVDB_OK) return rc;
    if (!is_for_us(token, terms))
        return op_fail(err, EVDB_DENIED, "the token's aud is neither this server's issuer nor its token endpoint");
    rc = check_times(token, terms, seen, &expires_ms, err);
    if (rc != EVDB_OK) return rc;
    if (!id || strlen(id) > ASSERTION_ID_MAX) return op_fail(err, EVDB_DENIED, "the token has no jti of at most %d bytes", ASSERTION_ID_MAX);
    return replay_note(seen, client, id, expires_ms + CLAIMS_SKEW_MS, terms->now_ms, err);
}
