/* alloc_transfer.c - implements alloc_transfer.h. */
#include "alloc_transfer.h"
#include "foreign_files.h"
#include "memory_io.h"
#include <stdio.h>

evdb_status alloc_import(alloc_scene *s, evdb_error *err)
{
    memory_source file = memory_from_text("{\"id\": \"x\", \"vector\": [1,2,3,4,5], \"metadata\": {\"a\": 1}}\n"
                                          "{\"id\": \"y\", \"vector\": [1,2,3,4,6]}\n");
    evdb_source source = memory_reading(&file);
    evdb_import_options o = EVDB_IMPORT_OPTIONS;
    evdb_import_report report = { 0 };
    o.format = EVDB_FORMAT_JSONL;
    o.kind = EVDB_UPSERT; /* the first batch may be in when the second fails */
    o.batch = 1;
    evdb_status rc = evdb_import(s->store, &source, &o, &report, err);
    return rc == EVDB_OK ? alloc_expect(report.written == 2, err) : rc;
}

/* A record is there already, another one is missing. */
evdb_status alloc_resume(alloc_scene *s, evdb_error *err)
{
    memory_source file = memory_from_text("{\"id\": \"p\", \"vector\": [1,2,3,4,5]}\n{\"id\": \"q\", \"vector\": [1,2,3,4,6]}\n");
    evdb_source source = memory_reading(&file);
    evdb_import_options o = EVDB_IMPORT_OPTIONS;
    evdb_import_report report = { 0 };
    static const float vector[ALLOC_DIM] = { 1, 2, 3, 4, 5 };
    evdb_status rc = evdb_record_upsert(s->store, (evdb_id){ .text = "p" }, vector, ALLOC_DIM, NULL, NULL, err);
    if (rc != EVDB_OK) return rc;
    o.format = EVDB_FORMAT_JSONL;
    o.resume = 1;
    rc = evdb_import(s->store, &source, &o, &report, err);
    return rc == EVDB_OK ? alloc_expect(report.written + report.present == 2 && report.present, err) : rc;
}

/* A table of a file beside the database's own. */
static evdb_status open_table(alloc_scene *s, const char *name, evdb_foreign **out, evdb_error *err)
{
    evdb_foreign_options o = EVDB_FOREIGN_OPTIONS;
    char path[512];
    snprintf(path, sizeof(path), "%s/v.db", s->dir);
    if (!foreign_sqlite_vec(path)) return alloc_expect(false, err);
    o.kind = EVDB_FOREIGN_SQLITE_VEC;
    o.name = name;
    o.column = "v";
    return evdb_foreign_open(s->db, path, &o, out, err);
}

static evdb_status open_chroma(alloc_scene *s, evdb_foreign **out, evdb_error *err)
{
    evdb_foreign_options o = EVDB_FOREIGN_OPTIONS;
    char path[512];
    snprintf(path, sizeof(path), "%s/chroma", s->dir);
    if (!foreign_chroma(path)) return alloc_expect(false, err);
    o.kind = EVDB_FOREIGN_CHROMA;
    return evdb_foreign_open(s->db, path, &o, out, err);
}

evdb_status alloc_foreign(alloc_scene *s, evdb_error *err)
{
    evdb_import_options how = EVDB_IMPORT_OPTIONS;
    evdb_store_options made = EVDB_STORE_OPTIONS;
    evdb_import_report report = { 0 };
    evdb_foreign_info info = EVDB_FOREIGN_INFO;
    evdb_foreign *from = NULL;
    evdb_store *store = NULL;
    how.kind = EVDB_UPSERT; /* the first batch may be in when the second fails */
    how.batch = 7;
    evdb_status rc = open_chroma(s, &from, err);
    evdb_foreign_close(from);
    from = NULL;
    if (rc == EVDB_OK) rc = open_table(s, "plain", &from, err);
    evdb_foreign_close(from);
    from = NULL;
    if (rc == EVDB_OK) rc = open_table(s, "docs", &from, err);
    if (rc == EVDB_OK) rc = evdb_foreign_describe(from, &info, err);
    if (rc == EVDB_OK) rc = alloc_expect(info.records == FOREIGN_RECORDS, err);
    if (rc == EVDB_OK && evdb_store_open(s->db, "docs", &store, err) != EVDB_OK)
        rc = err->status == EVDB_NOT_FOUND ? evdb_store_create(s->db, "docs", &made, &store, err) : err->status;
    if (rc == EVDB_OK) rc = evdb_foreign_import(store, from, &how, &report, err);
    if (rc == EVDB_OK) rc = alloc_expect(report.written == FOREIGN_RECORDS, err);
    evdb_store_close(store);
    evdb_foreign_close(from);
    return rc;
}

evdb_status alloc_export(alloc_scene *s, evdb_error *err)
{
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    evdb_export_options o = EVDB_EXPORT_OPTIONS;
    uint64_t count = 0;
    o.format = EVDB_FORMAT_JSON;
    evdb_status rc = evdb_export(s->store, &sink, &o, &count, err);
    memory_sink_free(&file);
    return rc == EVDB_OK ? alloc_expect(count == ALLOC_RECORDS, err) : rc;
}
