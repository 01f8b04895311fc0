/* address.h - what this server's endpoints are called by those who ask them: the issuer of tokens, and the resources they are for. */
#ifndef PROTO_ADDRESS_H
#define PROTO_ADDRESS_H
#include "proto/proto.h"

enum { ADDRESS_BYTES = 384, ADDRESS_AUDIENCE_BYTES = 4 * ADDRESS_BYTES };

/* The setting `issuer`, else the address and the OAuth port. Never what a request names as its host: tokens carry it. Without '/' at its
 * end unless it was set so. */
const char *address_issuer(const service *s, char space[ADDRESS_BYTES]);
/* The URL of something below the issuer: path begins with '/'. */
const char *address_below_issuer(const service *s, const char *path, char space[ADDRESS_BYTES]);

/* Is the request one to MCP, or to REST? */
bool address_is_mcp(const service *s, const http_request *request);
/* The URL of MCP (mcp) or REST: the setting, else by the host that the request names, where that is one of ours, and the port. */
const char *address_resource(const service *s, const http_request *request, bool mcp, char space[ADDRESS_BYTES]);
/* Where the document is that says who gives tokens for the endpoint of the request (RFC 9728, 3.1). */
const char *address_metadata(const service *s, const http_request *request, char space[ADDRESS_BYTES]);
/* What tokens for the endpoint of the request may be for, separated by spaces. */
const char *address_audience(const service *s, const http_request *request, char space[ADDRESS_AUDIENCE_BYTES]);
/* May a token be asked for with this as its resource (RFC 8707)? */
bool address_is_resource(const service *s, const char *uri);

#endif
