/* headers.c - implements headers.h. A request is answered by the thread that its handler runs on. */
#include "conformance/headers.h"
#include "proto/mcp_headers.h"
#include "proto/proto.h"
#include <string.h>

static _Thread_local const http_request *current;

void headers_handle(void *context, const http_request *request, http_response *response)
{
    current = request;
    service_handle(context, request, response);
    current = NULL;
}

bool headers_say(const char *name, const char *text)
{
    const char *value = http_header(current, name);
    return value && text ? mcp_header_says(value, text, strlen(text)) : !value && !text;
}
