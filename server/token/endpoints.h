/* endpoints.h - what is at which path of the OAuth port. */
#ifndef TOKEN_ENDPOINTS_H
#define TOKEN_ENDPOINTS_H
#include "proto/proto.h"

void token_handle(const service *s, const http_request *request, http_response *response);
void authorize_handle(const service *s, const http_request *request, http_response *response);
void revoke_handle(const service *s, const http_request *request, http_response *response);
void introspect_handle(const service *s, const http_request *request, http_response *response);
void register_handle(const service *s, const http_request *request, http_response *response);

#endif
