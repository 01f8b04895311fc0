/* client_auth.c - implements token/client_auth.h: client_secret_basic, client_secret_post, private_key_jwt, none. */
#include "token/client_auth.h"
#include "token/assertion.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static void wipe(char *text)
{
    if (text) sodium_memzero(text, strlen(text));
    free(text);
}

void client_auth_free(client_auth *a)
{
    wipe(a->secret);
    wipe(a->assertion);
    free(a->client), free(a->assertion_type);
    *a = (client_auth){ .client = NULL };
}

/* ---- what a request says ---- */

/* client_secret_basic: both halves are form-encoded before they are joined (RFC 6749, 2.3.1). */
static bool read_basic(const char *header, client_auth *a)
{
    size_t size = strlen(header), length;
    char *plain = malloc(size + 16), *form = malloc(2 * size + 32);
    bool good = plain && form && sodium_base642bin((unsigned char *)plain, size, header, size, " ", &length, NULL,
                                                   sodium_base64_VARIANT_ORIGINAL) == 0;
    if (good) {
        plain[length] = 0;
        char *colon = strchr(plain, ':');
        good = colon && strlen(plain) == length && !strpbrk(plain, "&=");
        if (good) {
            *colon = 0;
            snprintf(form, 2 * size + 32, "client=%s&secret=%s", plain, colon + 1);
            a->client = http_parameter(form, "client", NULL);
            a->secret = http_parameter(form, "secret", NULL);
            good = a->client && a->secret;
            sodium_memzero(form, strlen(form));
        }
        sodium_memzero(plain, length);
    }
    free(plain), free(form);
    return good;
}

/* The client of the header, beside whom the form may name the same again. */
static const char *take_basic(const char *header, client_auth *a, const char **why)
{
    char *named = a->client;
    const char *code = NULL;
    a->client = NULL;
    if (!read_basic(header, a)) *why = "the Authorization header is malformed", code = "invalid_client";
    else if (named && strcmp(named, a->client) != 0)
        *why = "client_id is not the client of the Authorization header", code = "invalid_request";
    free(named);
    return code;
}

const char *client_auth_read(const http_request *request, client_auth *out, const char **why)
{
    static const char *const names[] = { "client_id", "client_secret", "client_assertion_type", "client_assertion" };
    char *values[4];
    bool repeated = false;
    for (size_t i = 0; i < 4; i++) {
        bool twice = false;
        values[i] = http_parameter(request->body, names[i], &twice);
        repeated |= twice;
    }
    *out = (client_auth){ .client = values[0], .secret = values[1], .assertion_type = values[2], .assertion = values[3] };
    const char *header = http_header(request, "Authorization"), *basic = header && strncasecmp(header, "Basic ", 6) == 0 ? header + 6 : NULL;
    *why = NULL;
    if (repeated) *why = "a parameter is given twice";
    else if ((basic != NULL) + (out->secret != NULL) + (out->assertion != NULL) > 1)
        *why = "the client shows who it is in more than one way: the Authorization header, client_secret and client_assertion exclude each other";
    else if (!out->assertion != !out->assertion_type) *why = "client_assertion and client_assertion_type belong together";
    if (*why) return "invalid_request";
    if (basic) return take_basic(basic, out, why);
    if (out->assertion && strcmp(out->assertion_type, ASSERTION_TYPE) != 0) *why = "client_assertion_type must be " ASSERTION_TYPE;
    else if (!out->client && !out->assertion) *why = "client_id or client_secret is missing";
    return *why ? "invalid_client" : NULL;
}

/* ---- whether it is so ---- */

/* The client of that id, if it shows who it is in that way; else EVDB_DENIED. */
static evdb_status find(const service *s, const char *id, evdb_client_method method, evdb_client **out, evdb_error *err)
{
    evdb_error why;
    evdb_status rc = evdb_auth_client_find(s->db, id, out, &why);
    if (rc == EVDB_NOT_FOUND || rc == EVDB_INVALID) return op_fail(err, EVDB_DENIED, ASSERTION_UNKNOWN);
    if (rc != EVDB_OK) return op_fail(err, rc, "%s", why.message);
    if ((*out)->method == method) return EVDB_OK;
    evdb_auth_client_list_free(*out);
    return op_fail(err, EVDB_DENIED, ASSERTION_UNKNOWN);
}

enum { AUDIENCE_MAX = 512, LOOPBACK = 12, AUDIENCES = LOOPBACK + 1 };

/* Whom an assertion may be for: the URL that settings say, and the token endpoint below it; else this port on loopback. Not what the
 * request itself names as its host: then one for somebody else would be good here. */
typedef struct audiences {
    char texts[LOOPBACK][AUDIENCE_MAX];
    const char *list[AUDIENCES];
} audiences;

static void list_audiences(const service *s, audiences *out)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" }, *const schemes[] = { "http", "https" }, *const paths[] = { "", "/oauth/token" };
    size_t count = 0;
    *out = (audiences){ .list = { NULL } };
    for (size_t p = 0; p < 2; p++) {
        if (s->issuer) {
            size_t length = strlen(s->issuer);
            if (p && length && s->issuer[length - 1] == '/') length--;
            snprintf(out->texts[count++], AUDIENCE_MAX, "%.*s%s", (int)length, s->issuer, paths[p]);
        }
        for (size_t h = 0; !s->issuer && h < 3; h++)
            for (size_t i = 0; i < 2; i++) snprintf(out->texts[count++], AUDIENCE_MAX, "%s://%s:%u%s", schemes[i], hosts[h], s->oauth_port, paths[p]);
    }
    for (size_t i = 0; i < count; i++) out->list[i] = out->texts[i];
}

static evdb_status check_signed(const service *s, const jose_token *token, client_auth *a, evdb_error *err)
{
    const char *id = assertion_client(token);
    struct timespec now;
    audiences whom;
    evdb_client *client;
    if (!id || (a->client && strcmp(a->client, id) != 0))
        return op_fail(err, EVDB_DENIED, "the iss and sub of the client_assertion are not the client's id");
    evdb_status rc = find(s, id, EVDB_CLIENT_KEYS, &client, err);
    if (rc != EVDB_OK) return rc;
    list_audiences(s, &whom);
    clock_gettime(CLOCK_REALTIME, &now);
    const assertion_terms terms = { .client = id, .jwks = client->jwks, .audiences = whom.list,
                                    .now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 };
    rc = assertion_check(token, &terms, s->used, err);
    evdb_auth_client_list_free(client);
    if (rc != EVDB_OK || a->client) return rc;
    a->client = strdup(id);
    return a->client ? EVDB_OK : op_fail(err, EVDB_NO_MEMORY, "out of memory for the name of a client");
}

static evdb_status check_assertion(const service *s, client_auth *a, evdb_error *err)
{
    jose_token token;
    if (!s->used) return op_fail(err, EVDB_DENIED, "this server takes no assertions");
    evdb_status rc = jose_read(a->assertion, &token, err);
    if (rc != EVDB_OK) return rc;
    rc = check_signed(s, &token, a, err);
    jose_token_free(&token);
    return rc;
}

evdb_status client_auth_check(const service *s, client_auth *a, evdb_error *err)
{
    evdb_client *client;
    evdb_status rc = EVDB_OK;
    if (a->secret) return !s->dev && strcmp(a->secret, DEV_SECRET) == 0 ? op_fail(err, EVDB_DENIED, "that secret is published, and refused") : rc;
    if (a->assertion) rc = check_assertion(s, a, err);
    else if ((rc = find(s, a->client, EVDB_CLIENT_PUBLIC, &client, err)) == EVDB_OK) evdb_auth_client_list_free(client);
    a->known = rc == EVDB_OK;
    return rc;
}
