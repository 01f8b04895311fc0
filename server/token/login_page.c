/* login_page.c - implements token/login_page.h. Everything that came from outside passes put(). */
#include "token/login_page.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f3f4f6;color:#111}"
    "main{max-width:24em;margin:12vh auto 0;padding:1.5em 2em;background:#fff;border:1px solid #d1d5db;border-radius:8px}"
    "h1{font-size:1.2em;margin:0 0 .8em}label{display:block;margin:.8em 0}"
    "input{display:block;box-sizing:border-box;width:100%;font:inherit;padding:.4em;border:1px solid #6b7280;border-radius:4px}"
    "button{font:inherit;padding:.4em 1.2em;margin:.8em .5em 0 0;border:1px solid #1d4ed8;border-radius:4px;background:#fff;color:#1d4ed8}"
    "button.main{background:#1d4ed8;color:#fff}.problem{color:#b91c1c}b,code{overflow-wrap:anywhere}";

static void put(FILE *to, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", to); break;
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '"': fputs("&quot;", to); break;
        case '\'': fputs("&#39;", to); break;
        default: fputc(*text, to);
        }
}

/* SCHEME://HOST[:PORT] of a redirect URI, or the scheme of one that is no web address, where it may stand in a header; else nothing is
 * allowed beyond ourselves, and the browser does not go on. */
static void origin_of(const char *redirect, char *out, size_t room)
{
    size_t length = strcspn(redirect, ":") + 1;
    bool web = strncmp(redirect, "http", 4) == 0 && strncmp(redirect + length, "//", 2) == 0;
    if (web) length += 2 + strcspn(redirect + length + 2, "/?#");
    *out = 0;
    if (length < room && strspn(redirect, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+:/[]") >= length)
        snprintf(out, room, " %.*s", (int)length, redirect);
}

/* form-action names where the answer to the form leads, for browsers hold redirects against it, too. */
static void protect(http_response *response, const char *redirect)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(sizeof hash, sodium_base64_VARIANT_ORIGINAL)], origin[256], policy[HTTP_RESPONSE_HEADER_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)style, sizeof style - 1);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    origin_of(redirect ? redirect : "", origin, sizeof origin);
    snprintf(policy, sizeof policy, "default-src 'none'; style-src 'sha256-%s'; form-action 'self'%s; frame-ancestors 'none'; base-uri 'none'",
             text, origin);
    http_header_add(response, "Content-Security-Policy", policy);
    http_header_add(response, "X-Frame-Options", "DENY");
    http_header_add(response, "X-Content-Type-Options", "nosniff");
    http_header_add(response, "Referrer-Policy", "no-referrer");
    http_header_add(response, "Cache-Control", "no-store");
    http_header_add(response, "Pragma", "no-cache");
}

typedef void write_fn(FILE *to, const login_page *p);

static void send_page(int status, const char *title, write_fn *rest, const login_page *p, http_response *response)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    response->status = 500;
    if (!to) return;
    fprintf(to, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
            "<title>%s</title><style>%s</style></head>\n<body><main><h1>%s</h1>\n", title, style, title);
    if (p->problem) fputs("<p class=\"problem\" role=\"alert\">", to), put(to, p->problem), fputs("</p>\n", to);
    rest(to, p);
    fputs("</main></body></html>\n", to);
    if (fclose(to) != 0) {
        free(text);
        return;
    }
    response->status = status;
    http_body_take(response, "text/html; charset=utf-8", text, size);
    protect(response, p->redirect);
}

static void begin_form(FILE *to, const login_page *p)
{
    fputs("<form method=\"post\"><input type=\"hidden\" name=\"form\" value=\"", to);
    put(to, p->form);
    fputs("\">\n", to);
}

static void write_login(FILE *to, const login_page *p)
{
    fputs("<p><b>", to), put(to, p->client), fputs("</b> wants to use this database for you.</p>\n", to);
    begin_form(to, p);
    fputs("<label>Name<input name=\"user\" autocomplete=\"username\" autocapitalize=\"none\" required autofocus></label>\n"
          "<label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\n"
          "<button class=\"main\" name=\"step\" value=\"login\">Log in</button>"
          "<button name=\"step\" value=\"cancel\" formnovalidate>Cancel</button></form>\n", to);
}

void login_page_ask(const login_page *p, http_response *response) { send_page(p->problem ? 401 : 200, "Log in to evdb", write_login, p, response); }

static void write_scope(FILE *to, const char *name, size_t length)
{
    static const struct { const char *name, *means; } all[] = {
        { "read", "read and search all stores" },
        { "write", "change and delete records of all stores, and create stores" },
        { "admin", "everything, including clients and users" },
    };
    const char *colon = memchr(name, ':', length);
    fputs("<li>", to);
    for (size_t i = 0; !colon && i < 3; i++)
        if (strlen(all[i].name) == length && memcmp(all[i].name, name, length) == 0) fputs(all[i].means, to);
    if (colon) fprintf(to, "%s stores named <code>%.*s</code>", *name == 'w' ? "change and read" : "read and search", (int)(name + length - colon - 1), colon + 1);
    fputs("</li>\n", to);
}

static void write_consent(FILE *to, const login_page *p)
{
    const char *host = strstr(p->redirect, "://");
    host = host ? host + 3 : p->redirect;
    fputs("<p><b>", to), put(to, p->client), fputs("</b> wants to do this for <b>", to), put(to, p->user), fputs("</b>:</p>\n<ul>\n", to);
    for (const char *at = p->scopes; *at; at += strcspn(at, " "), at += *at == ' ') write_scope(to, at, strcspn(at, " "));
    fputs("</ul>\n<p>The answer goes to <b>", to);
    for (size_t i = 0, length = strcspn(host, "/?#"); i < length; i++) put(to, (char[]){ host[i], 0 });
    fputs("</b>.</p>\n", to);
    begin_form(to, p);
    fputs("<button class=\"main\" name=\"step\" value=\"allow\">Allow</button><button name=\"step\" value=\"deny\">Deny</button>"
          "<button name=\"step\" value=\"leave\">Log in as somebody else</button></form>\n", to);
}

void login_page_consent(const login_page *p, http_response *response) { send_page(200, "Allow access?", write_consent, p, response); }

static void write_nothing(FILE *to, const login_page *p) { (void)to, (void)p; }

void login_page_refuse(int status, const char *problem, http_response *response)
{
    const login_page p = { .problem = problem };
    send_page(status, "This cannot be done", write_nothing, &p, response);
}
