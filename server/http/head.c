/* head.c - implements http/head.h. */
#include "http/head.h"
#include "http/form.h"
#include "http/http.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Past scheme and authority of "http://host/path"; proxies send targets like that. */
static char *skip_origin(char *target)
{
    if (strncasecmp(target, "http://", 7) != 0) return target;
    return target + 7 + strcspn(target + 7, "/?");
}

/* In place. A decoded slash would make a segment that the sender did not write, a zero byte would cut the string. */
static bool decode_path(char *path)
{
    char *out = path;
    for (const char *p = path; *p; p++) {
        int byte = (unsigned char)*p;
        if (byte <= ' ' || byte == 0x7f || byte == '#') return false;
        if (byte == '%') {
            byte = form_escape(p);
            if (byte <= 0 || byte == '/') return false;
            p += 2;
        }
        *out++ = (char)byte;
    }
    *out = 0;
    return true;
}

const refusal *head_target(char *target, const char **path, const char **query)
{
    char *start = skip_origin(target);
    char *mark = strchr(start, '?');
    *query = "";
    if (mark) {
        *mark = 0;
        *query = mark + 1;
    }
    if (start != target && !*start) {
        *path = "/";
        return NULL;
    }
    *path = start;
    return *start == '/' && decode_path(start) ? NULL : &refusal_target;
}

enum { HOST, AUTHORIZATION, TYPE, LENGTH, ENCODING, CODING, KEY, OTHER_KEY, MCP_VERSION, MCP_METHOD, MCP_NAME, SINGLES };

typedef struct singles {
    const char *value[SINGLES];
    bool twice, blank;
} singles;

static enum MHD_Result see(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    static const char *const names[SINGLES] = { "Host", "Authorization", "Content-Type", "Content-Length", "Transfer-Encoding",
                                                "Content-Encoding", "X-API-Key", "api-key", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name" };
    singles *s = context;
    (void)kind;
    s->blank = s->blank || name[strcspn(name, " \t")];
    for (int i = 0; i < SINGLES; i++) {
        if (strcasecmp(name, names[i]) != 0) continue;
        s->twice = s->twice || s->value[i];
        s->value[i] = value ? value : "";
    }
    return MHD_YES;
}

const refusal *head_read(struct MHD_Connection *connection, head *out)
{
    singles s = { .twice = false };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, see, &s);
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (size && size->header_size > HTTP_HEADERS_MAX) return &refusal_head;
    if (s.blank) return &refusal_name;
    if (s.twice) return &refusal_twice;
    if (s.value[CODING] && strcasecmp(s.value[CODING], "identity") != 0) return &refusal_coding;
    if (s.value[ENCODING] && (s.value[LENGTH] || strcasecmp(s.value[ENCODING], "chunked") != 0)) return &refusal_framing;
    out->length = 0;
    if (s.value[LENGTH]) {
        errno = 0;
        /* libmicrohttpd has refused what is not a number */
        unsigned long long length = strtoull(s.value[LENGTH], NULL, 10);
        if (errno || length > SIZE_MAX) return &refusal_body;
        out->length = (size_t)length;
    }
    out->expects = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect") != NULL;
    return NULL;
}
