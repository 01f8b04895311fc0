/* served.h - what fuzz targets of whole requests share: a service over a database in memory, and what any answer must be like. */
#ifndef TESTS_FUZZ_SERVED_H
#define TESTS_FUZZ_SERVED_H
#include "proto/proto.h"

enum { SERVED_PORT = 8080 };

/* Ends the process when a promise does not hold. */
void check(bool sound);

/* A service whose database has one store `s`, of one record. */
void served_open(service *s);
void served_check(const http_response *response);
/* Makes the database anew if this request may have changed it. */
void served_restore(service *s, const http_request *request, const http_response *response);

#endif
