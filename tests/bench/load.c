/* load.c - implements bench/load.h. */
#include "bench/load.h"
#include "bench/data.h"
#include "bench/measure.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wbe");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) measure_die(path, "cannot be written");
}

static void write_script(const load_request *r, const char *folder, char script[DATA_PATH_MAX])
{
    char text[8192], body[DATA_PATH_MAX];
    snprintf(body, sizeof body, "%s/body", folder);
    snprintf(script, DATA_PATH_MAX, "%s/wrk.lua", folder);
    write_file(body, r->body, r->size);
    int length = snprintf(text, sizeof text, "local f = io.open('%s', 'rb'); wrk.body = f:read('*a'); f:close()\n"
                          "wrk.method = 'POST'\nwrk.headers['Content-Type'] = '%s'\n", body, r->type);
    if (r->token) length += snprintf(text + length, sizeof text - (size_t)length, "wrk.headers['Authorization'] = 'Bearer %s'\n", r->token);
    write_file(script, text, (size_t)length);
}

/* "87.00us", "2.12ms", "1.00s" in microseconds. */
static double microseconds(const char *text)
{
    char *unit;
    double value = strtod(text, &unit);
    return *unit == 'u' ? value : *unit == 'm' ? value * 1e3 : value * 1e6;
}

load_result load_run(const load_request *r, const char *folder, unsigned connections, unsigned seconds)
{
    char script[DATA_PATH_MAX], command[2 * DATA_PATH_MAX], line[512], word[64];
    load_result out = { 0 };
    write_script(r, folder, script);
    snprintf(command, sizeof command, "wrk -t1 -c%u -d%us --latency -s '%s' 'http://127.0.0.1:%u%s'", connections, seconds, script,
             r->port, r->path);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, " 50%% %63s", word) == 1) out.median = microseconds(word);
        if (sscanf(line, " 99%% %63s", word) == 1) out.late = microseconds(word);
        if (strstr(line, "Non-2xx") || strstr(line, "Socket errors")) measure_die(r->path, line);
        sscanf(line, "Requests/sec: %lf", &out.rate);
    }
    if (!f || pclose(f) != 0 || out.rate <= 0) measure_die("wrk", "did not run (tests/install-deps bench)");
    return out;
}

char *load_once(const load_request *r, size_t *size)
{
    enum { REPLY_MAX = 1 << 20 };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(r->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char head[8192], *reply = malloc(REPLY_MAX + 1);
    size_t got = 0;
    ssize_t n;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\n"
                          "%s%s%sContent-Length: %zu\r\n\r\n", r->path, r->type, r->token ? "Authorization: Bearer " : "",
                          r->token ? r->token : "", r->token ? "\r\n" : "", r->size);
    if (!reply || s < 0 || connect(s, (struct sockaddr *)&at, sizeof at) != 0 || send(s, head, (size_t)length, 0) != length ||
        send(s, r->body, r->size, 0) != (ssize_t)r->size)
        measure_die(r->path, "cannot be asked");
    while (got < REPLY_MAX && (n = recv(s, reply + got, REPLY_MAX - got, 0)) > 0) got += (size_t)n;
    close(s);
    reply[got] = 0;
    char *body = strstr(reply, "\r\n\r\n");
    if (strncmp(reply, "HTTP/1.1 200", 12) != 0 || !body) measure_die(r->path, reply);
    *size = got - (size_t)(body + 4 - reply);
    memmove(reply, body + 4, *size);
    return reply;
}
