/* rows_verify.c - rows_verify(): every invariant of rows.db. Their numbers are those of lib/README.md. */
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include <stdarg.h>
#include <stdio.h>

typedef struct check {
    rows_reader *reader;
    rows_vector_check_fn *check_vector;
    rows_problem_fn *problem;
    void *context;
    rows_tip tip;
    uint64_t records;
} check;

__attribute__((format(printf, 2, 3))) static void report(check *c, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->problem(c->context, text);
}

/* A page that cannot be read is a finding; running out of memory is not. */
static evdb_status finding(check *c, evdb_status rc, const evdb_error *why, evdb_error *err)
{
    if (rc == EVDB_CORRUPT || rc == EVDB_IO) {
        report(c, "%s", why->message);
        return EVDB_OK;
    }
    if (rc != EVDB_OK && err) *err = *why;
    return rc;
}

/* I1 */
static void structure(void *context, const char *text) { report(context, "structure: %s", text); }

/* I2, I3: each record's checksum, and its vector's: there, of the right size, written no later than the record. */
static evdb_status check_records(check *c, evdb_error *err)
{
    rows_record row;
    bool found;
    char shown[64];
    evdb_error why;
    uint64_t count = 0;
    evdb_status rc;
    TRY(rows_seek(c->reader, NULL, err));
    for (;;) {
        row.id = (evdb_id){ 0 };
        row.version = 0;
        rc = rows_step(c->reader, ROWS_VECTOR, &row, &found, &why);
        if (rc == EVDB_CORRUPT && row.version) { /* of this record alone: the walk goes on */
            report(c, "%s", why.message);
            count++;
            continue;
        }
        if (rc != EVDB_OK && err) *err = why;
        if (rc != EVDB_OK) goto out;
        if (!found) break;
        count++;
        c->records++;
        if (c->check_vector(c->context, c->reader, &row, &why) != EVDB_OK) report(c, "%s", why.message);
        if (row.version > c->tip.sequence)
            report(c, "record %s: version %llu is beyond the last change", id_show(&row.id, shown, sizeof(shown)),
                   (unsigned long long)row.version);
    }
    if (count != c->tip.live)
        report(c, "%llu records are there, the last change counts %llu", (unsigned long long)count,
               (unsigned long long)c->tip.live);
out:
    return rc;
}

/* A query of which each row is a violation; column 0 completes the sentence. */
static evdb_status check_none(check *c, const char *text, const char *sentence, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(sql_prepare(&c->reader->connection, text, &st, err));
    for (;;) {
        TRY(sql_step(&c->reader->connection, st, &row, err));
        if (!row) break;
        const char *which = (const char *)sqlite3_column_text(st, 0);
        report(c, "%s %s", sentence, which ? which : "?");
    }
out:
    sqlite3_finalize(st);
    return rc;
}

static const struct { const char *text, *sentence; } relations[] = {
    /* I4 */ { "SELECT slot FROM vectors v WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.id=v.id AND r.slot=v.slot)"
               " LIMIT 100", "a vector belongs to no record: slot" },
    /* I5 */ { "SELECT slot FROM free WHERE slot IN (SELECT slot FROM vectors) LIMIT 100",
               "a slot is free and in use:" },
    /* I9 */ { "SELECT slot FROM vectors WHERE codec<>0 AND codec NOT IN (SELECT id FROM codecs) LIMIT 100",
               "a vector is of a codec that is missing: slot" },
    /* I9 */ { "SELECT codec_id FROM store WHERE codec_id<>0 AND codec_id NOT IN (SELECT id FROM codecs)",
               "the store's codec is missing:" },
    /* I9 */ { "SELECT id FROM trash WHERE codec>0 AND codec NOT IN (SELECT id FROM codecs) LIMIT 100",
               "a vector in the trash is of a codec that is missing: record" },
    /* I6 */ { "SELECT a.sequence FROM changes a WHERE a.sequence < (SELECT max(sequence) FROM changes) AND NOT EXISTS"
               " (SELECT 1 FROM changes b WHERE b.sequence=a.sequence+1) LIMIT 100", "a change is missing after" },
};

evdb_status rows_verify(rows_reader *rd, rows_vector_check_fn *check_vector, rows_problem_fn *problem, void *context, uint64_t *records,
                        evdb_error *err)
{
    check c = { .reader = rd, .check_vector = check_vector, .problem = problem, .context = context };
    evdb_store_info *info;
    evdb_error why;
    evdb_status rc = rows_info(rd, &info, &why);
    if (rc != EVDB_OK) return finding(&c, rc, &why, err);
    mem_owned_free(info);
    rc = rows_tip_now(rd, &c.tip, &why);
    TRY(finding(&c, rc, &why, err));
    rc = sql_check(&rd->connection, structure, &c, &why);
    TRY(finding(&c, rc, &why, err));
    rc = check_records(&c, &why);
    TRY(finding(&c, rc, &why, err));
    for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++) {
        rc = check_none(&c, relations[i].text, relations[i].sentence, &why);
        TRY(finding(&c, rc, &why, err));
    }
    rc = rows_trash_verify(rd, problem, context, &why); /* I10 */
    TRY(finding(&c, rc, &why, err));
    *records = c.records;
out:
    return rc;
}
