/* rows_salvage_choose.c - the part of rows_salvage_private.h that decides which records can be loaded.
 *
 * Each id has one fate: it is whole, something of it is lost, or it was deleted and what is left of it is of the past. */
#include "base/error.h"
#include "base/try.h"
#include "disk/rows_salvage_private.h"
#include <string.h>

/* ?1: whether what was deleted or replaced may look as if it were there. Kinds of changes: 1 put, 2 update, 3 delete. */
static const char *const steps[] = {
    "CREATE INDEX r_id ON r(id, version)",
    "CREATE INDEX v_slot ON v(slot, sequence)",
    "CREATE INDEX v_id ON v(id, sequence)",
    "CREATE INDEX c_id ON c(id, sequence)",
    "CREATE TABLE l(id PRIMARY KEY NOT NULL, sequence INTEGER, kind INTEGER) WITHOUT ROWID",
    "INSERT INTO l SELECT id, max(sequence), kind FROM c WHERE id<>x'' GROUP BY id",
    "CREATE TABLE b(id, version INTEGER, slot INTEGER, at INTEGER, vat INTEGER, vsequence INTEGER, codec INTEGER, fate INTEGER)",
    "INSERT INTO b SELECT n.id, n.version, n.slot, n.at, v.at, v.sequence, v.codec, 0"
    " FROM (SELECT id, max(version) AS version, slot, at FROM r GROUP BY id) n LEFT JOIN v ON v.rowid=("
    "  SELECT w.rowid FROM v w WHERE w.slot=n.slot AND w.id=n.id AND w.sequence<=n.version"
    "  ORDER BY w.sequence DESC, w.codec=0 OR w.codec IN (SELECT id FROM k) DESC LIMIT 1)",
    "CREATE INDEX b_slot ON b(slot, version)",
    /* a later change is known than the newest version that was found */
    "UPDATE b SET fate=CASE WHEN l.kind=3 THEN -1 WHEN l.kind=2 AND b.vat IS NOT NULL THEN 1"
    " WHEN EXISTS(SELECT 1 FROM v WHERE v.id=b.id AND v.sequence=l.sequence) THEN 1 ELSE 3 END"
    " FROM l WHERE l.id=b.id AND l.sequence>b.version",
    /* none is known, and its slot has been freed or belongs to another one */
    "UPDATE b SET fate=-1 WHERE ?1 AND fate=0 AND id NOT IN (SELECT id FROM l) AND (slot IN (SELECT slot FROM f) OR EXISTS("
    "SELECT 1 FROM b x WHERE x.slot=b.slot AND x.version>b.version AND x.fate=0))",
    "UPDATE b SET fate=2 WHERE fate=0 AND (vat IS NULL OR (codec<>0 AND codec NOT IN (SELECT id FROM k)))",
    /* another vector was put later than the one that was found, or, where it may be an old one, nobody can say that none was */
    "UPDATE b SET fate=2 WHERE fate=0 AND vsequence<version AND (EXISTS("
    "SELECT 1 FROM c WHERE c.id=b.id AND c.kind=1 AND c.sequence>b.vsequence AND c.sequence<=b.version) OR (?1 AND ("
    "SELECT count(*) FROM c WHERE c.sequence>b.vsequence AND c.sequence<=b.version)<"
    "b.version-max(b.vsequence, (SELECT ifnull(min(sequence)-1, 0) FROM c))))",
    /* vectors without a record */
    "INSERT INTO b(id, fate) SELECT n.id, CASE WHEN l.sequence IS NULL OR l.kind=2 OR n.sequence>=l.sequence THEN 1 ELSE 3 END"
    " FROM (SELECT id, max(sequence) AS sequence, slot FROM v GROUP BY id) n LEFT JOIN l ON l.id=n.id"
    " WHERE NOT EXISTS(SELECT 1 FROM r WHERE r.id=n.id) AND NOT (l.sequence IS NULL AND ?1 AND n.slot IN (SELECT slot FROM f))"
    " AND NOT (l.sequence IS NOT NULL AND l.kind=3 AND l.sequence>=n.sequence)",
    /* records of which there is nothing but the change */
    "INSERT INTO b(id, fate) SELECT id, 3 FROM l WHERE kind<>3 AND NOT EXISTS(SELECT 1 FROM r WHERE r.id=l.id)"
    " AND NOT EXISTS(SELECT 1 FROM v WHERE v.id=l.id)",
};

static evdb_status run(salvage *s, const char *text, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    evdb_status rc = sql_prepare(&s->scratch, text, &st, err);
    if (rc == EVDB_OK && sqlite3_bind_parameter_count(st)) sqlite3_bind_int(st, 1, s->doubt);
    if (rc == EVDB_OK) rc = sql_run(&s->scratch, st, err);
    sqlite3_finalize(st);
    return rc;
}

static evdb_status keep_last(salvage *s, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(sql_prepare(&s->scratch, "SELECT id FROM b WHERE fate=0 ORDER BY version DESC LIMIT 1", &st, err));
    TRY(sql_step(&s->scratch, st, &row, err));
    if (!row) goto out;
    s->found.last = rows_column_id(st, 0);
    if (!s->found.last.text) goto out;
    memcpy(s->last, s->found.last.text, s->found.last.length);
    s->found.last.text = s->last;
out:
    sqlite3_finalize(st);
    return rc;
}

/* How much there is, and how much there must have been. */
static evdb_status count(salvage *s, evdb_error *err)
{
    enum { KNOWN, FIRST, LAST, LIVE, VERSION, RECORDS, LOST, FACTS };
    static const char *const texts[FACTS] = {
        [KNOWN] = "SELECT count(*) FROM c", [FIRST] = "SELECT min(sequence) FROM c", [LAST] = "SELECT max(sequence) FROM c",
        [LIVE] = "SELECT live FROM c ORDER BY sequence DESC LIMIT 1", [VERSION] = "SELECT max(version) FROM b WHERE fate=0",
        [RECORDS] = "SELECT count(*) FROM b WHERE fate=0", [LOST] = "SELECT count(*) FROM b WHERE fate>0"
    };
    int64_t n[FACTS];
    evdb_status rc = EVDB_OK;
    for (int i = 0; i < FACTS; i++) TRY(sql_integer(&s->scratch, texts[i], &n[i], err));
    salvage_found *f = &s->found;
    f->sequence = (uint64_t)(n[LAST] > n[VERSION] ? n[LAST] : n[VERSION]);
    if (s->hinted && s->acknowledged > f->sequence) f->sequence = s->acknowledged;
    f->missing = f->sequence - (uint64_t)(n[KNOWN] ? n[FIRST] - 1 : 0) - (uint64_t)n[KNOWN];
    f->records = (uint64_t)n[RECORDS];
    f->lost = (uint64_t)n[LOST];
    bool counted = n[KNOWN] && (uint64_t)n[LAST] == f->sequence && (uint64_t)n[LIVE] > f->records + f->lost;
    f->nameless = counted ? (uint64_t)n[LIVE] - f->records - f->lost : 0;
out:
    return rc;
}

/* Vectors to come are written with the codec in force: where that one is lost, with another of its kind, or as elements until it is
 * made again. */
static evdb_status choose_codec(salvage *s, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    if (!s->found.coding.codec) return EVDB_OK;
    TRY(sql_prepare(&s->scratch, "SELECT id FROM k WHERE id=?2 OR (spec=?1 AND own=0) ORDER BY id=?2 DESC, id DESC LIMIT 1", &st, err));
    sqlite3_bind_text(st, 1, s->found.coding.wanted, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, s->found.coding.codec);
    TRY(sql_step(&s->scratch, st, &row, err));
    s->found.coding.codec = row ? (uint32_t)sqlite3_column_int64(st, 0) : 0;
out:
    sqlite3_finalize(st);
    return rc;
}

evdb_status salvage_choose(salvage *s, evdb_error *err)
{
    evdb_status rc;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) TRY(run(s, steps[i], err));
    TRY(count(s, err));
    TRY(choose_codec(s, err));
    TRY(keep_last(s, err));
out:
    return rc;
}
