/* audit.c - implements evdb/audit.h: appending and listing. Verifying is in audit_verify.c. */
#include <evdb/audit.h>
#include "audit_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "base/utf8.h"
#include <string.h>

enum { LIST_USUAL = 100 };

/* Cut between characters: half of one would be repaired into question marks. */
static void take_text(char *to, size_t room, const char *text)
{
    size_t length = text ? strnlen(text, room) : 0;
    if (length == room) {
        length--;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80) length--;
    }
    if (length) memcpy(to, text, length);
    to[length] = 0;
    utf8_repair(to);
}

static evdb_status take_act(const evdb_audit_act *given, evdb_audit_entry *e, evdb_error *err)
{
    evdb_audit_act a = EVDB_AUDIT_ACT;
    evdb_status rc;
    TRY(options_import(&a, sizeof(a), given, "evdb_audit_act", err));
    if (!a.who || !*a.who || !a.via || !*a.via || !a.act || !*a.act)
        TRY(error_set(err, EVDB_INVALID, "evdb_audit_act: who, via and act are needed"));
    if (a.outcome < EVDB_AUDIT_BEGUN || a.outcome > EVDB_REMOTE)
        TRY(error_set(err, EVDB_INVALID, "evdb_audit_act.outcome: %d is no status", (int)a.outcome));
    if (a.of > INT64_MAX || a.count > INT64_MAX) TRY(error_set(err, EVDB_INVALID, "evdb_audit_act: a number is too large"));
    *e = (evdb_audit_entry){ .of = a.of, .count = a.count ? a.count : 1, .outcome = a.outcome };
    take_text(e->who, sizeof(e->who), a.who);
    take_text(e->via, sizeof(e->via), a.via);
    take_text(e->act, sizeof(e->act), a.act);
    take_text(e->target, sizeof(e->target), a.target);
out:
    return rc;
}

evdb_status evdb_audit_append(evdb *db, const evdb_audit_act *act, uint64_t *number, evdb_error *err)
{
    evdb_audit_entry e;
    bool known;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(take_act(act, &e, err));
    if (db->dir) {
        TRY(audit_begin(db, true, &known, err));
        int64_t now = db->platform.clock_ms(db->platform.clock_context);
        e.time_ms = now > 0 ? now : 0;
        TRY(audit_file_append(db, &e, err));
    }
    if (number) *number = e.number;
out:
    return rc;
}

/* ---- listing ---- */

typedef struct listing {
    evdb_audit_query query;
    evdb_audit_entry *at;
    size_t count, capacity;
} listing;

static evdb_status take_query(evdb *db, const evdb_audit_query *given, evdb_audit_query *q, evdb_error *err)
{
    audit_head head;
    bool found;
    evdb_status rc;
    *q = (evdb_audit_query)EVDB_AUDIT_QUERY;
    TRY(options_import(q, sizeof(*q), given, "evdb_audit_query", err));
    if (q->limit > EVDB_AUDIT_LIST_MAX || q->newest > 1)
        TRY(error_set(err, EVDB_INVALID, "evdb_audit_query: a list has at most %u entries, and newest is 0 or 1", EVDB_AUDIT_LIST_MAX));
    if (!q->limit) q->limit = LIST_USUAL;
    if (!db->dir || !q->newest) goto out;
    TRY(audit_head_read(db->system, &head, &found, err));
    if (head.number > q->limit && head.number - q->limit > q->after) q->after = head.number - q->limit;
out:
    return rc;
}

static evdb_status add(listing *l, const evdb_allocator *mem, const audit_line *line, evdb_error *err)
{
    bool entry;
    if (l->count == l->capacity) {
        size_t more = l->capacity ? l->capacity * 2 : 16;
        evdb_audit_entry *grown = mem_resize(mem, l->at, more, sizeof(*grown));
        if (!grown) return error_no_memory(err, more * sizeof(*grown), "a list of entries");
        l->at = grown;
        l->capacity = more;
    }
    evdb_status rc = audit_line_read(line, mem, &l->at[l->count], &entry, err);
    if (rc == EVDB_OK && entry) l->count++;
    return rc;
}

static evdb_status read_log(evdb *db, listing *l, evdb_error *err)
{
    audit_reader r;
    audit_line line;
    uint64_t number;
    unsigned char mac[AUDIT_MAC_BYTES];
    bool more = true;
    evdb_status rc;
    TRY(audit_reader_open(db, &r, err));
    while (l->count < l->query.limit) {
        TRY(audit_reader_next(&r, &line, &more, err));
        if (!more) break;
        if (audit_line_shape(&line, &number, mac) && number > l->query.after) TRY(add(l, r.mem, &line, err));
    }
out:
    audit_reader_close(&r);
    return rc;
}

evdb_status evdb_audit_list(evdb *db, const evdb_audit_query *query, evdb_audit_entry **out, size_t *count, evdb_error *err)
{
    listing l = { .at = NULL };
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(take_query(db, query, &l.query, err));
    if (db->dir) TRY(read_log(db, &l, err));
    evdb_audit_entry *list = mem_owned(&db->platform.mem, l.count * sizeof(*list) + 1);
    if (!list) TRY(error_no_memory(err, l.count * sizeof(*list), "a list of entries"));
    if (l.count) memcpy(list, l.at, l.count * sizeof(*list));
    *out = list;
    *count = l.count;
out:
    mem_free(&db->platform.mem, l.at);
    return rc;
}

void evdb_audit_list_free(evdb_audit_entry *list) { mem_owned_free(list); }
