/* url.h - the URL of another server, as a setting has it. */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H
#include <stdbool.h>
#include <stddef.h>

enum { URL_AUTHORITY_MAX = 400 };

typedef struct url {
    bool open;         /* http://, without TLS */
    bool loopback;
    size_t authority;  /* bytes of HOST[:PORT] */
    const char *rest;  /* of the text, behind it: "" or from '/', '?' or '#' on */
} url;

/* http:// or https://, a name or an address (IPv6 in brackets), a port perhaps; false for anything else. */
bool url_read(const char *text, url *out);

#endif
