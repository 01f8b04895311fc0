/* config_oidc.c - settings of issuers of tokens, ourselves and others. */
#include "config/config.h"
#include "config/setting.h"
#include "config/url.h"
#include <string.h>

#define AT(name) (&settings[CONFIG_AT_##name])

enum { HOST_MAX = 83 }; /* so that principals can be named after it (token/issuer.h) */

/* A server, and a path perhaps, in letters that a URL has; over TLS, or on loopback. */
static evdb_status check_url(const setting *is, const char *text, const char *danger, url *at, const config *c, evdb_error *err)
{
    if (!url_read(text, at) || (*at->rest && *at->rest != '/') || strpbrk(at->rest, "?#"))
        return setting_fail(is, c, err, "%s must be https://HOST, with a port or a path perhaps, not '%s'", is->name, text);
    for (const char *letter = at->rest; *letter; letter++)
        if (*letter <= ' ' || *letter > '~' || *letter == '"' || *letter == '\\')
            return setting_fail(is, c, err, "%s has letters in its path that no URL has", is->name);
    if (at->open && !at->loopback) return setting_fail(is, c, err, "%s %s: %s: it must be https", is->name, text, danger);
    return EVDB_OK;
}

static evdb_status check_theirs(const config *c, evdb_error *err)
{
    url at;
    evdb_status rc = check_url(AT(oidc_issuer), c->oidc_issuer, "over plain HTTP anybody on the way could make keys", &at, c, err);
    if (rc == EVDB_OK && at.authority > HOST_MAX)
        rc = setting_fail(AT(oidc_issuer), c, err, "oidc_issuer: the name of its host may have %d bytes", HOST_MAX);
    return rc;
}

evdb_status config_check_oidc(const config *c, evdb_error *err)
{
    url ours;
    evdb_status rc = EVDB_OK;
    if (*c->issuer) rc = check_url(AT(issuer), c->issuer, "over plain HTTP the network sees secrets and tokens", &ours, c, err);
    const char *plain = "over plain HTTP the network sees tokens";
    if (rc == EVDB_OK && *c->mcp_url) rc = check_url(AT(mcp_url), c->mcp_url, plain, &ours, c, err);
    if (rc == EVDB_OK && *c->rest_url) rc = check_url(AT(rest_url), c->rest_url, plain, &ours, c, err);
    if (rc != EVDB_OK) return rc;
    if (!*c->oidc_issuer) {
        if (*c->oidc_audience) return setting_fail(AT(oidc_audience), c, err, "oidc_audience is set, but oidc_issuer is not: a token needs both");
        return EVDB_OK;
    }
    if (!*c->oidc_audience)
        return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer is set, but oidc_audience is not: tokens for others would be good here");
    return check_theirs(c, err);
}
