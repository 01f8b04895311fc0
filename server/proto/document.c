/* document.c - document_admitted() and document_send(): what a server says of itself to everybody, as JSON. */
#include "proto/document.h"
#include <stdlib.h>
#include <string.h>

bool document_admitted(const http_request *request, http_response *response)
{
    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) return true;
    problem_status(response, 405, "method not allowed", "this document is read with GET");
    http_header_add(response, "Allow", "GET, HEAD");
    return false;
}

void document_send(http_response *response, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text) http_body_take(response, "application/json", text, strlen(text));
    else response->status = 500;
    http_header_add(response, "Cache-Control", "public, max-age=300");
    http_header_add(response, "Access-Control-Allow-Origin", "*"); /* there is nothing in it that a page may not know */
}
