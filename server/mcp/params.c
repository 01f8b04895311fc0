/* params.c - implements mcp/params.h. A cursor is base64 of a mark and a name: it holds good when that name is gone. */
#include "mcp/params.h"
#include "mcp/envelope.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MARK ">"
enum { CURSOR_BYTES = 512, BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

const char *params_text(const mcp_message *m, const json_t *object, const char *key)
{
    return mcp_text(m, json_object_get(object, key));
}

static const json_t *cursor_of(const mcp_message *m)
{
    const json_t *cursor = json_object_get(m->params, "cursor");
    return json_is_null(cursor) ? NULL : cursor;
}

bool params_first_page(const mcp_message *m, mcp_reply *reply)
{
    if (!cursor_of(m)) return true;
    envelope_error(m, reply, MCP_INVALID_PARAMS, "there is no such 'cursor': all of this list is on one page");
    return false;
}

bool params_page(const mcp_message *m, mcp_reply *reply, char *after, size_t room)
{
    char bytes[CURSOR_BYTES + 1];
    size_t size = 0;
    const char *cursor = params_text(m, m->params, "cursor"), *end = NULL;
    *after = 0;
    if (!cursor_of(m)) return true;
    bool good = cursor && sodium_base642bin((unsigned char *)bytes, CURSOR_BYTES, cursor, strlen(cursor), NULL, &size, &end, BASE64) == 0 && !*end;
    bytes[good ? size : 0] = 0;
    good = good && strlen(bytes) == size && size > strlen(MARK) && strncmp(bytes, MARK, strlen(MARK)) == 0 && size - strlen(MARK) < room;
    if (good) snprintf(after, room, "%s", bytes + strlen(MARK));
    else envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.cursor' must be a 'nextCursor' of this list");
    return good;
}

void params_next_page(op_out *o, const char *last)
{
    char bytes[CURSOR_BYTES], cursor[sodium_base64_ENCODED_LEN(sizeof bytes, BASE64)];
    int length = snprintf(bytes, sizeof bytes, "%s%s", MARK, last);
    op_out_text(o, "nextCursor", sodium_bin2base64(cursor, sizeof cursor, (unsigned char *)bytes, (size_t)length, BASE64));
}
