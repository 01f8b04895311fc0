/* audit_verify.c - the last part of evdb/audit.h: is the log what was written? */
#include "audit_private.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include <evdb/audit.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct verifying {
    evdb *db;
    audit_reader r;
    audit_head head;   /* as system.db has it */
    audit_head anchor; /* number 0 = none was given */
    audit_head sound;  /* the last entry that was found to be so */
    unsigned char said[AUDIT_MAC_BYTES]; /* of the line before, where that one is not sound */
    bool known, found, broken, reached, anchored;
    void (*problem)(void *context, const char *text);
    void *context;
    evdb_audit_report report;
} verifying;

__attribute__((format(printf, 2, 3))) static void note(verifying *v, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    v->report.problems++;
    if (v->problem) v->problem(v->context, text);
}

/* An entry that goes on behind the last sound one, or behind what the line before says of itself: then that one was changed, or
 * others before it, and is told of; this one is as it was written. */
static bool is_sound(verifying *v, const audit_line *l)
{
    return audit_line_follows(v->db->audit, l, v->sound.mac) || (v->broken && audit_line_follows(v->db->audit, l, v->said));
}

static void look(verifying *v, const audit_line *l)
{
    audit_head h = { 0 };
    if (!audit_line_shape(l, &h.number, h.mac)) {
        note(v, "audit.log: what begins at byte %llu is no entry", (unsigned long long)l->offset);
        return;
    }
    v->reached |= h.number == v->head.number && memcmp(h.mac, v->head.mac, sizeof(h.mac)) == 0;
    if (is_sound(v, l)) {
        v->anchored |= h.number == v->anchor.number && memcmp(h.mac, v->anchor.mac, sizeof(h.mac)) == 0;
        v->sound = h;
        v->broken = false;
        v->report.entries++;
        return;
    }
    note(v, "audit.log: entry %llu, at byte %llu, was changed, or is not what came behind entry %llu", (unsigned long long)h.number,
         (unsigned long long)l->offset, (unsigned long long)v->sound.number);
    memcpy(v->said, h.mac, sizeof(h.mac));
    v->broken = true;
}

static evdb_status walk(verifying *v, evdb_error *err)
{
    audit_line l;
    bool more;
    evdb_status rc;
    for (;;) {
        TRY(audit_reader_next(&v->r, &l, &more, err));
        bool behind = more && l.offset >= v->head.size;
        if (!more || (behind && !is_sound(v, &l) && audit_torn(&l, v->r.end))) break;
        look(v, &l);
    }
out:
    return rc;
}

/* Where the head is and where the file ends, of one moment. */
static evdb_status begin(verifying *v, evdb_error *err)
{
    evdb_status rc;
    TRY(audit_begin(v->db, false, &v->known, err));
    TRY(system_lock(v->db->system, err));
    rc = audit_head_read(v->db->system, &v->head, &v->found, err);
    if (rc == EVDB_OK) rc = audit_reader_open(v->db, &v->r, err);
    system_unlock(v->db->system);
out:
    return rc;
}

static evdb_status check(verifying *v, evdb_error *err)
{
    evdb_status rc;
    TRY(begin(v, err));
    if (!v->known) {
        if (v->r.end) note(v, "audit.log: there is a log, but system.db has no key of it: nothing of it can be checked");
        goto anchor;
    }
    if (!v->found) note(v, "audit.log: system.db does not say how far the log has come: entries may be missing at its end");
    TRY(walk(v, err));
    if (v->head.number && !v->reached)
        note(v, "audit.log: the last sound entry is %llu, but system.db knows of entry %llu: the end of the log is missing or changed",
             (unsigned long long)v->sound.number, (unsigned long long)v->head.number);
anchor:
    if (v->anchor.number && !v->anchored)
        note(v, "audit.log: has no sound entry %llu of the anchor's: the log was written anew, or replaced", (unsigned long long)v->anchor.number);
    if (v->sound.number) audit_head_text(&v->sound, v->report.head);
out:
    audit_reader_close(&v->r);
    return rc;
}

evdb_status evdb_audit_verify(evdb *db, const char *anchor, void (*problem)(void *context, const char *text), void *context,
                              evdb_audit_report *out, evdb_error *err)
{
    verifying v = { .db = db, .problem = problem, .context = context };
    evdb_status rc;
    TRY(db_usable(db, err));
    if (anchor && !audit_head_parse(anchor, &v.anchor))
        TRY(error_set(err, EVDB_INVALID, "the anchor '%.100s' is not of the form NUMBER:MAC", anchor));
    v.report.size = sizeof(v.report);
    if (db->dir) TRY(check(&v, err));
    TRY(options_export(out, &v.report, sizeof(v.report), "evdb_audit_report", err));
out:
    return rc;
}
