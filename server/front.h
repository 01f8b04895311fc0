/* front.h - the front door: every request that reaches a worker passes here. */
#ifndef FRONT_H
#define FRONT_H
#include "http/http.h"

/* Hands the request to the protocols (context: their service) and tells the log what became of it: at level debug, or as a
 * warning when the server is at fault. Query, body and headers, which hold secrets, are not told. */
http_handler front_handle;

#endif
