/* fuzz_http.c - any bytes as a request: target, headers and body through the path that a worker takes, to an answer that
 * must make sense.
 *
 * Input: "METHOD TARGET\n", lines "Name: value\n", an empty line, the body. Only requests to /oauth and those with an
 * Authorization header meet a server with OAuth. {secret}, {token} and {refresh} stand for good ones of its client `c`; `p` is a public
 * client that may ask for codes. */
#include "http/head.h"
#include "served.h"
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 8, ALL_SCOPES = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN,
       ALL_GRANTS = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN };

typedef struct input {
    char *method, *target, *headers[HEADERS], *body; /* a header: its name, NUL, its value */
    size_t body_size;
} input;

/* In place of the one that asks libmicrohttpd. */
const char *http_header(const http_request *request, const char *name)
{
    const input *in = request->connection;
    for (size_t i = 0; i < HEADERS && in->headers[i]; i++)
        if (strcasecmp(in->headers[i], name) == 0) return in->headers[i] + strlen(in->headers[i]) + 1;
    return NULL;
}

/* libmicrohttpd's, for head_read(). */
int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIterator each, void *context)
{
    const input *in = (const void *)connection;
    int i = 0;
    while (i < HEADERS && in->headers[i]) {
        const char *name = in->headers[i++];
        if (each && each(context, kind, name, name + strlen(name) + 1) != MHD_YES) break;
    }
    return i;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key)
{
    (void)kind;
    return http_header(&(http_request){ .connection = connection }, key);
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection, enum MHD_ConnectionInfoType type, ...)
{
    static union MHD_ConnectionInfo size;
    const input *in = (const void *)connection;
    check(type == MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size.header_size = 0;
    for (int i = 0; i < HEADERS && in->headers[i]; i++) size.header_size += strlen(in->headers[i]);
    return &size;
}

/* ---- two services that last as long as nothing changes them ---- */

static struct {
    service open, closed;
    char secret[EVDB_SECRET_BYTES];
    evdb_token token;
} world;

static void open_clients(void)
{
    const char *const id = "c";
    evdb_client_options public = EVDB_CLIENT_OPTIONS;
    public.method = EVDB_CLIENT_PUBLIC;
    public.grants = EVDB_GRANT_AUTHORIZATION_CODE;
    public.redirect_uris = "http://127.0.0.1/cb";
    world.closed = world.open;
    world.closed.oauth_enabled = true;
    world.closed.token_lifetime_ms = world.closed.refresh_lifetime_ms = 60000;
    check(evdb_open(":memory:", NULL, &world.closed.db, NULL) == EVDB_OK);
    check(evdb_auth_client_add(world.closed.db, id, NULL, ALL_SCOPES, ALL_GRANTS, world.secret, NULL) == EVDB_OK);
    check(evdb_auth_client_register(world.closed.db, "p", &public, NULL, NULL) == EVDB_OK);
    check(evdb_auth_token_issue(world.closed.db, id, world.secret, NULL, &world.token, NULL) == EVDB_OK);
}

/* ---- from bytes to a request ---- */

enum { MARKS = 3, FILLED_MAX = 4 };
static const struct { const char *text, *value; } marks[MARKS] = {
    { "{secret}", world.secret }, { "{token}", world.token.access }, { "{refresh}", world.token.refresh }
};

/* Which mark begins here; MARKS when none does. */
static size_t mark_at(const uint8_t *data, size_t left)
{
    size_t m = 0;
    while (m < MARKS && (left < strlen(marks[m].text) || memcmp(data, marks[m].text, strlen(marks[m].text)) != 0)) m++;
    return m;
}

/* A copy of the bytes with the first marks filled in, and a NUL behind it. */
static char *fill_in(const uint8_t *data, size_t size, size_t *out_size)
{
    size_t used = 0, filled = 0;
    char *text = malloc(size + FILLED_MAX * EVDB_TOKEN_BYTES + 1);
    check(text != NULL);
    for (size_t i = 0; i < size;) {
        size_t m = filled < FILLED_MAX ? mark_at(data + i, size - i) : MARKS;
        if (m == MARKS) {
            text[used++] = (char)data[i++];
            continue;
        }
        memcpy(text + used, marks[m].value, strlen(marks[m].value));
        used += strlen(marks[m].value);
        i += strlen(marks[m].text);
        filled++;
    }
    text[used] = 0;
    *out_size = used;
    return text;
}

/* The line at *at, which moves behind it; NULL when there is no whole one. libmicrohttpd lets no NUL through either. */
static char *take_line(char **at, const char *end)
{
    char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop || memchr(line, 0, (size_t)(stop - line))) return NULL;
    *stop = 0;
    *at = stop + 1;
    return line;
}

static bool take_apart(char *text, size_t size, input *in)
{
    const char *end = text + size;
    char *line = take_line(&text, end), *space = line ? strchr(line, ' ') : NULL;
    if (!space) return false;
    *space = 0;
    in->method = line;
    in->target = space + 1;
    for (size_t i = 0; (line = take_line(&text, end)) != NULL && *line; i++) {
        char *colon = strstr(line, ": ");
        if (!colon || i == HEADERS) return false;
        *colon = 0;
        memmove(colon + 1, colon + 2, strlen(colon + 2) + 1);
        in->headers[i] = line;
    }
    in->body = text;
    in->body_size = (size_t)(end - text);
    return line != NULL;
}

/* What is refused there never comes to a worker; here it does, for what a worker does may not rest on that alone. */
static void check_head(input *in)
{
    head framed;
    const refusal *no = head_read((void *)in, &framed);
    check(no || !framed.length || http_header(&(http_request){ .connection = in }, "Content-Length"));
}

static void serve(input *in)
{
    http_request request = { .method = in->method, .body = in->body, .body_size = in->body_size, .port = SERVED_PORT, .peer = "127.0.0.1",
                             .connection = in };
    http_response response = { 0 };
    check_head(in);
    if (head_target(in->target, &request.path, &request.query)) return;
    bool tokens = http_header(&request, "Authorization") || strncmp(request.path, "/oauth", 6) == 0;
    service_handle(tokens ? &world.closed : &world.open, &request, &response);
    served_check(&response);
    if (!tokens) served_restore(&world.open, &request, &response);
    http_response_free(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = { .method = NULL };
    if (!world.open.db) {
        served_open(&world.open);
        open_clients();
    }
    char *text = fill_in(data, size, &size);
    if (take_apart(text, size, &in)) serve(&in);
    free(text);
    return 0;
}
