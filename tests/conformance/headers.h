/* headers.h - the headers of the request that a fixture answers: the one thing that a message does not say, and a tool's argument may have to be in. */
#ifndef CONFORMANCE_HEADERS_H
#define CONFORMANCE_HEADERS_H
#include "http/http.h"

/* service_handle(), while which headers_say() knows of whom it is asked. */
void headers_handle(void *context, const http_request *request, http_response *response);
/* Does this header say this text? With NULL: is there no such header? */
bool headers_say(const char *name, const char *text);

#endif
