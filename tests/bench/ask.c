/* ask.c - implements bench/ask.h. */
#include "bench/ask.h"
#include "bench/measure.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 64 << 10, ANSWER_MAX = 1 << 20 };

ask_connection ask_open(uint16_t port, const char *token)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    ask_connection c = { .socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .token = token };
    int on = 1;
    if (c.socket < 0 || connect(c.socket, (struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        measure_die("evdbd", "cannot be connected to");
    return c;
}

void ask_close(ask_connection *c) { close(c->socket); }

/* Behind the head, once the whole answer is there. */
static const char *receive(int from, const char *path)
{
    static char answer[ANSWER_MAX + 1];
    size_t got = 0, whole = 0;
    const char *body = NULL;
    do {
        ssize_t n = got < ANSWER_MAX ? recv(from, answer + got, ANSWER_MAX - got, 0) : -1;
        if (n <= 0) measure_die(path, "is not answered");
        got += (size_t)n;
        answer[got] = 0;
        const char *end = body ? NULL : strstr(answer, "\r\n\r\n"), *length = end ? strcasestr(answer, "\r\nContent-Length:") : NULL;
        if (!end) continue;
        if (strncmp(answer, "HTTP/1.1 20", 11) != 0 || !length) measure_die(path, answer);
        body = end + 4;
        whole = (size_t)(body - answer) + strtoul(length + 17, NULL, 10);
    } while (!body || got < whole);
    return body;
}

double ask(ask_connection *c, const char *method, const char *path, const char *headers, const char *body, const char **answer)
{
    static char request[REQUEST_MAX];
    int length = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\n"
                          "Authorization: Bearer %s\r\n%s%sContent-Length: %zu\r\n\r\n%s", method, path, c->token,
                          headers, *body ? "Content-Type: application/json\r\n" : "", strlen(body), body);
    if (length >= REQUEST_MAX) measure_die(path, "is too long a request");
    double began = measure_wall();
    if (send(c->socket, request, (size_t)length, 0) != length) measure_die(path, "cannot be asked");
    *answer = receive(c->socket, path);
    return measure_wall() - began;
}
