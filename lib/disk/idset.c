/* idset.c - implements disk/idset.h with a private temporary SQLite database. */
#include "disk/idset.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/sql.h"

struct idset {
    sql db;
    sqlite3_stmt *insert;
};

evdb_status idset_create(const platform *p, idset **out, evdb_error *err)
{
    idset *s = mem_zero(&p->mem, sizeof(*s));
    evdb_status rc;
    if (!s) return error_no_memory(err, sizeof(*s), "a set of ids");
    s->db = (sql){ .platform = p, .name = "temporary set of ids" };
    /* an empty name is a temporary file, kept in the page cache until it outgrows it */
    int opened = sqlite3_open_v2("", &s->db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (opened != SQLITE_OK) TRY(sql_failed(&s->db, opened, "open", err));
    sqlite3_extended_result_codes(s->db.handle, 1);
    TRY(sql_exec(&s->db, "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                         "CREATE TABLE ids(id PRIMARY KEY NOT NULL) WITHOUT ROWID; BEGIN", err));
    TRY(sql_prepare(&s->db, "INSERT OR IGNORE INTO ids VALUES(?1)", &s->insert, err));
    *out = s;
    s = NULL;
out:
    idset_free(s);
    return rc;
}

evdb_status idset_add(idset *s, const evdb_id *id, bool *added, evdb_error *err)
{
    if (id->text) sqlite3_bind_text64(s->insert, 1, id->text, id->length, SQLITE_STATIC, SQLITE_UTF8);
    else sqlite3_bind_int64(s->insert, 1, id->number);
    evdb_status rc = sql_run(&s->db, s->insert, err);
    if (rc == EVDB_OK) *added = sqlite3_changes(s->db.handle) == 1;
    return rc;
}

void idset_free(idset *s)
{
    if (!s) return;
    sqlite3_finalize(s->insert);
    const evdb_allocator *mem = &s->db.platform->mem;
    sql_close(&s->db);
    mem_free(mem, s);
}
