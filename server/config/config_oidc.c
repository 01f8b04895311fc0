/* config_oidc.c - settings of an issuer of tokens, together. */
#include "config/config.h"
#include "config/setting.h"
#include "config/url.h"
#include <string.h>

#define AT(name) (&settings[CONFIG_AT_##name])

enum { HOST_MAX = 83 }; /* so that principals can be named after it (token/issuer.h) */

static evdb_status check_issuer(const config *c, evdb_error *err)
{
    url at;
    if (!url_read(c->oidc_issuer, &at) || (*at.rest && *at.rest != '/') || strpbrk(at.rest, "?#"))
        return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer must be https://HOST, with a port or a path perhaps, not '%s'", c->oidc_issuer);
    for (const char *letter = at.rest; *letter; letter++)
        if (*letter <= ' ' || *letter > '~')
            return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer has letters in its path that no URL has");
    if (at.authority > HOST_MAX)
        return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer: the name of its host may have %d bytes", HOST_MAX);
    if (at.open && !at.loopback)
        return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer %s: over plain HTTP anybody on the way could make keys: it must be https", c->oidc_issuer);
    return EVDB_OK;
}

evdb_status config_check_oidc(const config *c, evdb_error *err)
{
    if (!*c->oidc_issuer) {
        if (*c->oidc_audience) return setting_fail(AT(oidc_audience), c, err, "oidc_audience is set, but oidc_issuer is not: a token needs both");
        return EVDB_OK;
    }
    if (!*c->oidc_audience)
        return setting_fail(AT(oidc_issuer), c, err, "oidc_issuer is set, but oidc_audience is not: tokens for others would be good here");
    return check_issuer(c, err);
}
