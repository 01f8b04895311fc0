/* refusal.c - implements http/refusal.h. */
#include "http/refusal.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PROBLEM(title, number, code, detail)                                                                           \
    "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" #number ",\"detail\":\"" detail                    \
    "\",\"code\":\"" code "\"}"

const refusal refusal_target = { 400, NULL,
    PROBLEM("bad request", 400, "INVALID", "the path is malformed: it starts with '/', a % is followed by two hexadecimal "
            "digits, and neither %00 nor %2F is taken") };
const refusal refusal_framing = { 400, NULL,
    PROBLEM("bad request", 400, "INVALID", "the length of the body is unclear: send either Content-Length or "
            "Transfer-Encoding: chunked") };
const refusal refusal_twice = { 400, NULL,
    PROBLEM("bad request", 400, "INVALID", "Host, Authorization, Content-Type, Content-Encoding, Content-Length, "
            "Transfer-Encoding or a header of MCP is given twice") };
const refusal refusal_name = { 400, NULL,
    PROBLEM("bad request", 400, "INVALID", "a header's name has a blank in it or behind it") };
const refusal refusal_plain = { 400, NULL,
    PROBLEM("bad request", 400, "INVALID", "this port speaks TLS: use https") };
const refusal refusal_coding = { 415, NULL,
    PROBLEM("unsupported media type", 415, "UNSUPPORTED", "the body must be sent as it is, without Content-Encoding") };
const refusal refusal_body = { 413, NULL,
    PROBLEM("content too large", 413, "LIMIT", "the body is larger than this server takes") };
const refusal refusal_head = { 431, NULL,
    PROBLEM("request header fields too large", 431, "LIMIT", "the head of the request is larger than this server takes") };
const refusal refusal_answer = { 500, NULL,
    PROBLEM("internal error", 500, "INTERNAL", "the answer could not be sent") };
const refusal refusal_busy = { 503, "1",
    PROBLEM("busy, try again", 503, "BUSY", "too many requests are waiting") };
const refusal refusal_memory = { 503, "1",
    PROBLEM("out of memory", 503, "NO_MEMORY", "there is no memory for the body of the request") };
const refusal refusal_stopping = { 503, "1",
    PROBLEM("busy, try again", 503, "BUSY", "the server is stopping") };

void refusal_write(const refusal *r, int fd)
{
    char head[256];
    int length = snprintf(head, sizeof head, "HTTP/1.1 %u \r\nContent-Type: application/problem+json\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n", r->status, strlen(r->body));
    struct iovec pieces[] = { { head, (size_t)length }, { (void *)(uintptr_t)r->body, strlen(r->body) } };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
    (void)!sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

enum MHD_Result refusal_send(const refusal *r, struct MHD_Connection *connection, bool close)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(r->body), (void *)(uintptr_t)r->body, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    bool ok = MHD_add_response_header(response, "Content-Type", "application/problem+json") == MHD_YES;
    if (r->retry_after) ok = ok && MHD_add_response_header(response, "Retry-After", r->retry_after) == MHD_YES;
    if (close) ok = ok && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    enum MHD_Result queued = ok ? MHD_queue_response(connection, r->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return queued;
}
