/* audit_line.c - lines of the audit log: entry to text and back, and the chain through them. */
#include "audit_private.h"
#include "base/error.h"
#include "base/try.h"
#include "format/json_build.h"
#include "format/json_scan.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BEGINS "{\"number\":"
#define MAC ",\"mac\":\""
#define ENDS "\"}"
enum { HEX_BYTES = 2 * AUDIT_MAC_BYTES, TAIL_BYTES = sizeof(MAC) - 1 + HEX_BYTES + sizeof(ENDS) - 1 };

_Static_assert((int)AUDIT_MAC_BYTES == (int)CHAIN_MAC_BYTES && (int)AUDIT_KEY_BYTES == (int)CHAIN_KEY_BYTES,
               "system.db keeps what auth/chain.h makes");

static const char *outcome_name(int32_t outcome)
{
    return outcome == EVDB_AUDIT_BEGUN ? "BEGUN" : evdb_status_name((evdb_status)outcome);
}

static bool add_text(buf *out, const char *key, const char *value)
{
    return buf_text(out, key) && json_add_string(out, value, strlen(value));
}

static bool add_number(buf *out, const char *key, uint64_t value)
{
    return buf_text(out, key) && json_add_integer(out, (int64_t)value);
}

bool audit_line_write(const chain *c, const evdb_audit_entry *e, unsigned char mac[AUDIT_MAC_BYTES], buf *out)
{
    size_t from = out->size;
    unsigned char next[AUDIT_MAC_BYTES];
    char hex[HEX_BYTES + 1];
    if (!add_number(out, BEGINS, e->number) || !add_number(out, ",\"time_ms\":", (uint64_t)e->time_ms) ||
        !add_text(out, ",\"who\":", e->who) || !add_text(out, ",\"via\":", e->via) || !add_text(out, ",\"act\":", e->act) ||
        !add_text(out, ",\"target\":", e->target) || !add_number(out, ",\"of\":", e->of) || !add_number(out, ",\"count\":", e->count) ||
        !add_text(out, ",\"outcome\":", outcome_name(e->outcome)))
        return false;
    chain_mac(c, mac, out->at + from, out->size - from, next);
    sodium_bin2hex(hex, sizeof(hex), next, sizeof(next));
    memcpy(mac, next, sizeof(next));
    return buf_text(out, MAC) && buf_text(out, hex) && buf_text(out, ENDS "\n");
}

/* One spelling for each value: digits without zeros before them, and small letters. */
static bool read_digits(const char **at, const char *end, uint64_t *out)
{
    const char *from = *at;
    *out = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, (uint64_t)(**at - '0'), out)) return false;
    return *at > from && (*from != '0' || *at == from + 1);
}

static bool read_hex(const char *text, unsigned char out[AUDIT_MAC_BYTES])
{
    char again[HEX_BYTES + 1];
    size_t size;
    if (sodium_hex2bin(out, AUDIT_MAC_BYTES, text, HEX_BYTES, NULL, &size, NULL) != 0 || size != AUDIT_MAC_BYTES) return false;
    sodium_bin2hex(again, sizeof(again), out, AUDIT_MAC_BYTES);
    return memcmp(again, text, HEX_BYTES) == 0;
}

bool audit_line_shape(const audit_line *l, uint64_t *number, unsigned char mac[AUDIT_MAC_BYTES])
{
    const char *digits = l->at + sizeof(BEGINS) - 1, *end = l->at + l->size, *tail = end - TAIL_BYTES;
    return l->ended && l->size > sizeof(BEGINS) + TAIL_BYTES && memcmp(l->at, BEGINS, sizeof(BEGINS) - 1) == 0 &&
           read_digits(&digits, tail, number) && memcmp(tail, MAC, sizeof(MAC) - 1) == 0 && read_hex(tail + sizeof(MAC) - 1, mac) &&
           memcmp(end - sizeof(ENDS) + 1, ENDS, sizeof(ENDS) - 1) == 0;
}

bool audit_line_follows(const chain *c, const audit_line *l, const unsigned char before[AUDIT_MAC_BYTES])
{
    unsigned char said[AUDIT_MAC_BYTES], right[AUDIT_MAC_BYTES];
    uint64_t number;
    if (!audit_line_shape(l, &number, said)) return false;
    chain_mac(c, before, l->at, l->size - TAIL_BYTES, right);
    bool same = sodium_memcmp(said, right, sizeof(said)) == 0;
    sodium_memzero(right, sizeof(right)); /* of a forged line it is what was missing */
    return same;
}

/* ---- reading ---- */

static bool take_key(json_scan *s, const char *key)
{
    json_span span;
    return scan_take(s, ',') && scan_string(s, &span) && scan_means(&span, key) && scan_take(s, ':');
}

static bool take_number(json_scan *s, const char *key, uint64_t *out) { return take_key(s, key) && read_digits(&s->at, s->end, out); }

static bool take_text(json_scan *s, const char *key, buf *space, char *out, size_t room)
{
    json_span span;
    space->size = 0;
    if (!take_key(s, key) || !scan_string(s, &span) || !scan_unescape(&span, space) || space->size >= room) return false;
    if (space->size) memcpy(out, space->at, space->size);
    out[space->size] = 0;
    return strlen(out) == space->size;
}

static bool outcome_parse(const char *name, int32_t *out)
{
    for (*out = EVDB_AUDIT_BEGUN; *out <= EVDB_REMOTE; (*out)++)
        if (strcmp(outcome_name(*out), name) == 0) return true;
    return false;
}

static bool read_entry(const audit_line *l, buf *space, evdb_audit_entry *e)
{
    json_scan s = { .at = l->at + sizeof(BEGINS) - 1, .end = l->at + l->size };
    unsigned char mac[AUDIT_MAC_BYTES];
    char outcome[32];
    uint64_t time;
    if (l->long_ || !audit_line_shape(l, &e->number, mac) || !read_digits(&s.at, s.end, &e->number)) return false;
    bool good = take_number(&s, "time_ms", &time) && take_text(&s, "who", space, e->who, sizeof(e->who)) &&
                take_text(&s, "via", space, e->via, sizeof(e->via)) && take_text(&s, "act", space, e->act, sizeof(e->act)) &&
                take_text(&s, "target", space, e->target, sizeof(e->target)) && take_number(&s, "of", &e->of) &&
                take_number(&s, "count", &e->count) && take_text(&s, "outcome", space, outcome, sizeof(outcome)) &&
                s.at == s.end - TAIL_BYTES && outcome_parse(outcome, &e->outcome);
    e->time_ms = good ? (int64_t)time : 0;
    return good;
}

evdb_status audit_line_read(const audit_line *l, const evdb_allocator *mem, evdb_audit_entry *out, bool *entry, evdb_error *err)
{
    buf space;
    buf_init(&space, mem);
    *out = (evdb_audit_entry){ 0 };
    bool room = buf_reserve(&space, AUDIT_LINE_MAX); /* so what follows cannot lack any */
    *entry = room && read_entry(l, &space, out);
    buf_free(&space);
    return room ? EVDB_OK : error_no_memory(err, AUDIT_LINE_MAX, "an entry");
}

/* ---- heads ---- */

void audit_head_text(const audit_head *head, char out[EVDB_AUDIT_HEAD_BYTES])
{
    int length = snprintf(out, EVDB_AUDIT_HEAD_BYTES, "%llu:", (unsigned long long)head->number);
    sodium_bin2hex(out + length, EVDB_AUDIT_HEAD_BYTES - (size_t)length, head->mac, sizeof(head->mac));
}

bool audit_head_parse(const char *text, audit_head *out)
{
    const char *at = text, *end = text + strlen(text);
    *out = (audit_head){ 0 };
    return read_digits(&at, end, &out->number) && out->number && *at == ':' && end - at == 1 + HEX_BYTES && read_hex(at + 1, out->mac);
}
