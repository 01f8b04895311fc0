/* foreign.c - implements evdb/foreign.h, but for evdb_foreign_import() in transfer.c. */
#include <evdb/foreign.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "foreign/sqlite_vec.h"
#include <string.h>

static const char *const kinds[] = { [EVDB_FOREIGN_SQLITE_VEC] = "sqlite-vec", [EVDB_FOREIGN_CHROMA] = "chroma" };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

const char *evdb_foreign_kind_name(evdb_foreign_kind kind) { return (unsigned)kind < KINDS ? kinds[kind] : NULL; }

evdb_status evdb_foreign_kind_parse(const char *name, evdb_foreign_kind *out, evdb_error *err)
{
    if (!name) return error_set(err, EVDB_INVALID, "the name of the kind is NULL");
    for (unsigned i = 1; i < KINDS; i++)
        if (strcmp(kinds[i], name) == 0) {
            *out = (evdb_foreign_kind)i;
            return EVDB_OK;
        }
    return error_set(err, EVDB_INVALID, "kind '%.40s' is not sqlite-vec or chroma", name);
}

static evdb_status open_sqlite_vec(const platform *p, const char *path, const evdb_foreign_options *o, evdb_foreign **out, evdb_error *err)
{
    foreign_db *db;
    const source_type *type;
    char name[SOURCE_NAME_MAX + 1];
    evdb_status rc = foreign_db_open(p, path, &db, err);
    if (rc != EVDB_OK) return rc;
    rc = sqlite_vec_find(db, path, o->name, name, &type, err);
    if (rc == EVDB_OK) return source_open(p, type, path, db, name, o->column, out, err);
    foreign_db_close(db);
    return rc;
}


static evdb_status open_chroma(const platform *p, const char *path, const evdb_foreign_options *o, evdb_foreign **out, evdb_error *err)
{
    foreign_db *db;
    buf file;
    evdb_status rc;
    if (o->column) return error_set(err, EVDB_INVALID, "a Chroma collection has no column %.80s: its vectors are the only ones", o->column);
    buf_init(&file, &p->mem);
    if (!buf_text(&file, path) || !buf_text(&file, "/chroma.sqlite3") || !buf_terminate(&file))
        TRY(error_no_memory(err, strlen(path), "a path"));
    TRY(foreign_db_open(p, file.at, &db, err));
    rc = source_open(p, &source_chroma, path, db, o->name, NULL, out, err);
out:
    buf_free(&file);
    return rc;
}

evdb_status evdb_foreign_open(evdb *db, const char *path, const evdb_foreign_options *options, evdb_foreign **out, evdb_error *err)
{
    evdb_foreign_options o = EVDB_FOREIGN_OPTIONS;
    evdb_status rc = options_import(&o, sizeof(o), options, "evdb_foreign_options", err);
    if (rc != EVDB_OK) return rc;
    if (!db || !path) return error_set(err, EVDB_INVALID, "foreign: %s is NULL", db ? "the path" : "the database");
    TRY(db_usable(db, err));
    switch (o.kind) {
    case EVDB_FOREIGN_SQLITE_VEC: return open_sqlite_vec(&db->platform, path, &o, out, err);
    case EVDB_FOREIGN_CHROMA: return open_chroma(&db->platform, path, &o, out, err);
    }
    rc = error_set(err, EVDB_INVALID, "foreign: the kind is not set");
out:
    return rc;
}

void evdb_foreign_close(evdb_foreign *foreign) { source_close(foreign); }

evdb_status evdb_foreign_describe(const evdb_foreign *foreign, evdb_foreign_info *out, evdb_error *err)
{
    if (!foreign || !out) return error_set(err, EVDB_INVALID, "foreign: %s is NULL", foreign ? "the description" : "the source");
    return options_export(out, &foreign->info, sizeof(foreign->info), "evdb_foreign_info", err);
}
