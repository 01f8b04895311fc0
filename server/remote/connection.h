/* connection.h - what every connection to another server is told: how it is checked, and how long it may take. */
#ifndef REMOTE_CONNECTION_H
#define REMOTE_CONNECTION_H
#include <curl/curl.h>
#include <stdbool.h>

/* TLS 1.2 at least, with its certificate checked by those of ca_file ("" = the system's); no redirects; HTTP in the clear only where the
 * URL says so. Over in left_ms, all in all. false when memory ran out, or the URL is none. */
bool connection_set_up(CURL *c, const char *url, const char *ca_file, long left_ms);

#endif
