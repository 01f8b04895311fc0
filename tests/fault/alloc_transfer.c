/* alloc_transfer.c - implements alloc_transfer.h. */
#include "alloc_transfer.h"
#include "memory_io.h"

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
