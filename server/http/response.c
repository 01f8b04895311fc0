/* response.c - filling in an http_response. */
#include "http/http.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void http_body_free(http_response *response)
{
    free(response->body);
    if (response->from_file) close(response->file);
    response->body = NULL;
    response->body_size = 0;
    response->from_file = false;
}

void http_body_take(http_response *response, const char *type, char *bytes, size_t size)
{
    http_body_free(response);
    response->type = type;
    response->body = bytes;
    response->body_size = size;
}

void http_body_file(http_response *response, const char *type, int file, size_t size)
{
    http_body_free(response);
    response->type = type;
    response->from_file = true;
    response->file = file;
    response->body_size = size;
}

bool http_body_copy(http_response *response, const char *type, const void *bytes, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy) return false;
    memcpy(copy, bytes, size);
    http_body_take(response, type, copy, size);
    return true;
}

void http_header_add(http_response *response, const char *name, const char *value)
{
    size_t length = strlen(value);
    /* Half a header would say something else: one that does not fit is not sent. */
    if (response->header_count == HTTP_RESPONSE_HEADERS || length >= sizeof response->headers->value) return;
    response->headers[response->header_count].name = name;
    memcpy(response->headers[response->header_count].value, value, length + 1);
    response->header_count++;
}

void http_redirect_take(http_response *response, int status, char *url)
{
    free(response->location);
    response->location = url;
    response->status = status;
}

void http_response_free(http_response *response)
{
    http_body_free(response);
    free(response->location);
    response->location = NULL;
}
