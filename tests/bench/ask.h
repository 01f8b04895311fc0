/* ask.h - one connection that is kept, and how long each answer on it took. */
#ifndef BENCH_ASK_H
#define BENCH_ASK_H
#include <stddef.h>
#include <stdint.h>

typedef struct ask_connection {
    int socket;
    const char *token;
} ask_connection;

ask_connection ask_open(uint16_t port, const char *token);
void ask_close(ask_connection *c);
/* Sends a request with these headers ("" = none, else each ends with \r\n) and a body of JSON ("" = none), and waits for the answer, whose body is valid until the next one. Seconds until all of
 * it was there, from when the first byte was sent. Ends the program when the status is not one of success. */
double ask(ask_connection *c, const char *method, const char *path, const char *headers, const char *body, const char **answer);
#endif
