/* call_progress.c - implements mcp/call_progress.h.
 *
 * A number only grows: where records are looked at in one phase and written in the next, the second counts on from the first. */
#include "mcp/call_progress.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    TELL_MS = 100, /* between notifications, and before the first: who is answered sooner needs none */
    ASK_MS = 10,   /* between questions whether the client is still there, which may be a system call */
    TEXT_BYTES = 128
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *verb(const call_progress *p)
{
    return p->call->verb ? p->call->verb : p->phase == EVDB_PHASE_CHECK ? "checking" : "writing";
}

/* Of both phases, once the first has told how many there are; 0 = not known. */
static uint64_t total_of(const call_progress *p, uint64_t count)
{
    uint64_t total = p->call->total ? p->base + p->call->total : 2 * p->base;
    return total >= count ? total : 0;
}

static void put_text(const call_progress *p, op_out *o, uint64_t total)
{
    char text[TEXT_BYTES];
    const char *what = p->call->counted ? p->call->counted : "records";
    if (total) snprintf(text, sizeof text, "%s: %" PRIu64 " of %" PRIu64 " %s", verb(p), p->last, total - p->base, what);
    else snprintf(text, sizeof text, "%s: %" PRIu64 " %s", verb(p), p->last, what);
    op_out_text(o, "message", text);
}

static void tell(call_progress *p, uint64_t count)
{
    op_out o = OP_OUT;
    uint64_t total = total_of(p, count);
    op_out_open(&o, NULL, '{');
    op_out_text(&o, "jsonrpc", "2.0");
    op_out_text(&o, "method", "notifications/progress");
    op_out_open(&o, "params", '{');
    if (json_is_integer(p->token)) op_out_integer(&o, "progressToken", json_integer_value(p->token));
    else op_out_bytes(&o, "progressToken", json_string_value(p->token), json_string_length(p->token));
    op_out_integer(&o, "progress", (int64_t)count);
    if (total) op_out_integer(&o, "total", (int64_t)total);
    put_text(p, &o, total);
    op_out_close(&o, '}');
    op_out_close(&o, '}');
    /* One that cannot be written or sent is left out: the reply tells the end. */
    if (op_out_done(&o, NULL) == EVDB_OK) (void)p->channel->send(p->channel->context, o.text, o.size);
    op_out_free(&o);
    p->told = count;
}

static int step(void *context, evdb_transfer_phase phase, uint64_t records)
{
    call_progress *p = context;
    int64_t now = now_ms();
    if (phase != p->phase) {
        p->base += p->last;
        p->phase = phase;
    }
    p->last = records;
    if (now >= p->ask_ms && !p->cancelled) {
        p->cancelled = p->channel->cancelled(p->channel->context);
        p->ask_ms = now + ASK_MS;
    }
    if (p->token && !p->cancelled && now >= p->tell_ms && p->base + records > p->told) {
        tell(p, p->base + records);
        p->tell_ms = now + TELL_MS;
    }
    return p->cancelled;
}

void call_progress_begin(call_progress *p, const mcp_message *m, const mcp_channel *channel, op_call *call)
{
    const json_t *token = json_object_get(m->meta, "progressToken");
    bool good = json_is_integer(token) || mcp_text(m, token);
    *p = (call_progress){ .call = call, .channel = channel, .token = good ? token : NULL, .tell_ms = now_ms() + TELL_MS };
    if (!channel) return;
    call->progress = step;
    call->progress_context = p;
}
