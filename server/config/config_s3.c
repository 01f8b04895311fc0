/* config_s3.c - settings of an S3 server, together. */
#include "config/config.h"
#include "config/setting.h"
#include "config/url.h"
#include <stdlib.h>
#include <string.h>

#define AT(name) (&settings[CONFIG_AT_##name])
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool only(const char *text, const char *letters) { return text[strspn(text, letters)] == 0; }

static evdb_status check_endpoint(const config *c, evdb_error *err)
{
    url at;
    if (!url_read(c->s3_endpoint, &at) || *at.rest)
        return setting_fail(AT(s3_endpoint), c, err, "s3_endpoint must be https://HOST or https://HOST:PORT, not '%s'", c->s3_endpoint);
    if (at.open && !at.loopback && !c->allow_plaintext)
        return setting_fail(AT(s3_endpoint), c, err, "s3_endpoint %s: plain HTTP shows backups to the network: set allow_plaintext as well",
                            c->s3_endpoint);
    if (!at.open && !c->s3_path_style && strchr(c->s3_bucket, '.'))
        return setting_fail(AT(s3_bucket), c, err, "s3_bucket '%s' has a dot: no certificate covers it as a server's name; set s3_path_style",
                            c->s3_bucket);
    return EVDB_OK;
}

static evdb_status check_names(const config *c, evdb_error *err)
{
    if (strlen(c->s3_bucket) < 3 || !only(c->s3_bucket, LETTERS ".-_") || strstr(c->s3_bucket, ".."))
        return setting_fail(AT(s3_bucket), c, err, "s3_bucket: '%s' is no name of a bucket", c->s3_bucket);
    if (!only(c->s3_prefix, LETTERS "._/-") || *c->s3_prefix == '/' || strstr(c->s3_prefix, "//") || strstr(c->s3_prefix, ".."))
        return setting_fail(AT(s3_prefix), c, err, "s3_prefix may have letters, digits and . _ - and '/' between, not '%s'", c->s3_prefix);
    if (!only(c->s3_region, LETTERS "-"))
        return setting_fail(AT(s3_region), c, err, "s3_region: '%s' is no name of a region", c->s3_region);
    if (!only(c->s3_access_key, LETTERS "+/=._-@:~"))
        return setting_fail(AT(s3_access_key), c, err, "s3_access_key has letters that no key has");
    return EVDB_OK;
}

evdb_status config_check_s3(const config *c, evdb_error *err)
{
    const struct { const setting *is; const char *value; bool needed; } parts[] = {
        { AT(s3_endpoint), c->s3_endpoint, true }, { AT(s3_bucket), c->s3_bucket, true },
        { AT(s3_access_key), c->s3_access_key, true }, { AT(s3_secret_key_file), c->s3_secret_key_file, true },
        { AT(s3_prefix), c->s3_prefix, false }, { AT(s3_session_token_file), c->s3_session_token_file, false },
        { AT(s3_ca_file), c->s3_ca_file, false },
    };
    const setting *given = NULL, *missing = NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (*parts[i].value && !given) given = parts[i].is;
        if (!*parts[i].value && parts[i].needed && !missing) missing = parts[i].is;
    }
    if (!given) return EVDB_OK;
    if (missing) return setting_fail(given, c, err, "%s is set, but %s is not: a bucket needs both", given->name, missing->name);
    evdb_status rc = check_names(c, err);
    return rc == EVDB_OK ? check_endpoint(c, err) : rc;
}
