/* audit.h - who did what to a database: an append-only log whose entries are chained by a keyed hash.
 *
 * The log is the file audit.log in the database's directory, one JSON object a line, so that any tool can read it. The operations of
 * `evdb` and evdbd write to it what administers the database; a program that uses this library decides by itself what belongs into it.
 *
 * Each entry ends with a MAC (BLAKE2b, 256 bits, under a key of this database's own) of itself and of the MAC before it, and system.db
 * keeps how far the log has come: number, size and MAC of its last entry. So evdb_audit_verify() finds every byte of the log that was
 * changed, and every entry that was taken out, moved, put in, put behind the last one or cut off the end, the whole file and one replaced
 * by an older copy included. What it cannot find:
 *  - what somebody does who can read system.db: the key is in it, so he can write another log and another head. In a directory of mode
 *    0700 that is its owner and root.
 *  - an older copy of the whole directory, system.db and all.
 * Against both, keep evdb_audit_report.head somewhere else now and then, and hand it in as `anchor`: the log must still have that entry.
 *
 * An entry is on the disk, and counted in system.db, when evdb_audit_append() returns. Whatever a crash or a power failure leaves of one
 * that was not acknowledged, a part of its line or all of it, is no finding; the next append removes the part, or counts the whole. On a
 * full disk there is room for about a hundred entries, which audit.log-reserve keeps. The log is never cut or rotated by evdb: it grows by about
 * 200 bytes an entry. Who moves it away does what verifying is there to find, and should begin with a new anchor.
 *
 * Several threads and processes may append; their entries take turns. Secrets and vectors are no part of any entry: do not put them there.
 *
 * A database in memory has no audit log: appending succeeds and keeps nothing. Beside the errors named below, all functions answer
 * EVDB_FORKED, EVDB_CORRUPT (system.db), EVDB_IO, EVDB_FULL and EVDB_NO_MEMORY. */
#ifndef EVDB_AUDIT_H
#define EVDB_AUDIT_H
#include <evdb/database.h>
EVDB_BEGIN

#define EVDB_AUDIT_WHO_MAX 136u    /* bytes of each; what is longer is cut, and bytes that are no UTF-8 become '?' */
#define EVDB_AUDIT_VIA_MAX 31u
#define EVDB_AUDIT_ACT_MAX 63u
#define EVDB_AUDIT_TARGET_MAX 255u
#define EVDB_AUDIT_LIST_MAX 10000u /* entries of one list */
#define EVDB_AUDIT_HEAD_BYTES 96u  /* room for a head as text, with NUL */

/* In the place of an evdb_status: the act is about to begin. Its outcome is an entry of its own, or was never learnt. */
#define EVDB_AUDIT_BEGUN (-1)

typedef struct evdb_audit_act {
    size_t size;        /* EVDB_AUDIT_ACT sets it */
    const char *who;    /* a client's id, "local:UID" for a user of the machine */
    const char *via;    /* the way it came: "rest", "mcp", "cli" */
    const char *act;    /* an operation's name */
    const char *target; /* what it was done to: a store, a client; NULL = "" */
    uint64_t of;        /* number of the entry with EVDB_AUDIT_BEGUN that this is the outcome of; 0 = none */
    uint64_t count;     /* how many acts this stands for; 0 = 1 */
    int32_t outcome;    /* an evdb_status, or EVDB_AUDIT_BEGUN */
    uint32_t reserved;
} evdb_audit_act;
#define EVDB_AUDIT_ACT { .size = sizeof(evdb_audit_act) }

/* Appends an entry. *number (may be NULL) becomes its number, 1, 2 and so on. EVDB_INVALID when who, via or act is missing, or the outcome
 * is no status. It never repairs a log that was tampered with: it goes on behind, and what was found stays to be found. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_audit_append(evdb *db, const evdb_audit_act *act, uint64_t *number, evdb_error *err);

typedef struct evdb_audit_entry {
    uint64_t number, of, count;
    int64_t time_ms; /* Unix time */
    int32_t outcome;
    char who[EVDB_AUDIT_WHO_MAX + 1], via[EVDB_AUDIT_VIA_MAX + 1], act[EVDB_AUDIT_ACT_MAX + 1], target[EVDB_AUDIT_TARGET_MAX + 1];
} evdb_audit_entry;

typedef struct evdb_audit_query {
    size_t size;    /* EVDB_AUDIT_QUERY sets it */
    uint64_t after; /* entries of higher numbers */
    uint32_t limit; /* at most so many, up to EVDB_AUDIT_LIST_MAX; 0 = 100 */
    uint32_t newest; /* 1 = the last `limit` of them, else the first */
} evdb_audit_query;
#define EVDB_AUDIT_QUERY { .size = sizeof(evdb_audit_query) }

/* Entries as they stand in the log; *out is freed with evdb_audit_list_free(). It reads and does not verify: what cannot be read as an
 * entry is left out. EVDB_INVALID for a limit out of bounds. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_audit_list(evdb *db, const evdb_audit_query *query, evdb_audit_entry **out, size_t *count,
                                                     evdb_error *err);
EVDB_API void evdb_audit_list_free(evdb_audit_entry *list);

typedef struct evdb_audit_report {
    size_t size;       /* in: sizeof(*this) as the caller compiled it */
    uint64_t entries;  /* that are in the log and sound */
    uint64_t problems; /* found; 0 = nothing was tampered with */
    char head[EVDB_AUDIT_HEAD_BYTES]; /* "NUMBER:MAC" of the last entry, to be kept as an anchor; "" while there is none */
} evdb_audit_report;
#define EVDB_AUDIT_REPORT { .size = sizeof(evdb_audit_report) }

/* Reads the whole log and checks the chain. Each problem is one sentence handed to problem() (may be NULL). Finding problems is a
 * success: look at the report. anchor is a head of before, or NULL; EVDB_INVALID when it is none. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_audit_verify(evdb *db, const char *anchor, void (*problem)(void *context, const char *text),
                                                       void *context, evdb_audit_report *out, evdb_error *err);

EVDB_END
#endif
