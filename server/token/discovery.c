/* discovery.c - implements the part of token/keyring.h that reads what an issuer says of itself. */
#include "op/op.h"
#include "token/claims.h"
#include "token/keyring.h"
#include <string.h>

#define WELL_KNOWN "/.well-known/openid-configuration"

void keyring_discovery_url(const char *issuer, char out[KEYRING_URL_MAX])
{
    size_t length = strlen(issuer);
    if (length && issuer[length - 1] == '/') length--;
    int n = snprintf(out, KEYRING_URL_MAX, "%.*s" WELL_KNOWN, (int)(length < KEYRING_URL_MAX ? length : KEYRING_URL_MAX), issuer);
    if (n < 0 || n >= KEYRING_URL_MAX) *out = 0;
}

/* Scheme and host alone: "https://HOST:PORT". */
static size_t origin_size(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

/* HTTPS, or what the issuer itself is, on its own host: who may name a host in the clear was told so by the settings. */
static bool may_be_asked(const char *issuer, const char *url)
{
    for (const char *c = url; *c; c++)
        if (*c <= 0x20 || *c > 0x7e) return false;
    size_t origin = origin_size(issuer);
    return strncmp(url, "https://", 8) == 0 || (origin_size(url) == origin && strncmp(url, issuer, origin) == 0);
}

evdb_status keyring_keys_url(const char *issuer, const char *text, size_t size, char out[KEYRING_URL_MAX], evdb_error *err)
{
    json_t *says = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *name = claims_text(says, "issuer"), *url = claims_text(says, "jwks_uri");
    evdb_status rc = EVDB_OK;
    if (!json_is_object(says)) rc = op_fail(err, EVDB_REMOTE, "its discovery document is no JSON object");
    else if (!name || strcmp(name, issuer) != 0)
        rc = op_fail(err, EVDB_REMOTE, "it says that it is '%.200s': the two must be the same to the letter", name ? name : "");
    else if (!url || strlen(url) >= KEYRING_URL_MAX || !may_be_asked(issuer, url))
        rc = op_fail(err, EVDB_REMOTE, "its jwks_uri is '%.200s', which is no https URL", url ? url : "");
    else memcpy(out, url, strlen(url) + 1);
    json_decref(says);
    return rc;
}
