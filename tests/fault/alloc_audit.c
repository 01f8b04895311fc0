/* alloc_audit.c - implements alloc_audit.h. */
#include "alloc_audit.h"
#include <string.h>

enum { ENTRIES = 40 }; /* a list of them grows while it is made */

static evdb_status append(evdb *db, evdb_error *err)
{
    evdb_audit_act act = EVDB_AUDIT_ACT;
    act.who = "admin";
    act.via = "test";
    act.act = "nothing";
    return evdb_audit_append(db, &act, NULL, err);
}

bool alloc_build_audit(evdb *db)
{
    for (int i = 0; i < ENTRIES; i++)
        if (append(db, NULL) != EVDB_OK) return false;
    return true;
}

evdb_status alloc_audit_append(alloc_scene *s, evdb_error *err)
{
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    evdb_status rc = append(s->db, err);
    if (rc == EVDB_OK) rc = evdb_audit_verify(s->db, NULL, NULL, NULL, &report, err);
    return rc == EVDB_OK ? alloc_expect(report.problems == 0 && report.entries > ENTRIES, err) : rc;
}

evdb_status alloc_audit_list(alloc_scene *s, evdb_error *err)
{
    evdb_audit_query query = EVDB_AUDIT_QUERY;
    evdb_audit_entry *list;
    size_t count;
    query.newest = 1;
    query.limit = ENTRIES;
    evdb_status rc = evdb_audit_list(s->db, &query, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == ENTRIES && strcmp(list[ENTRIES - 1].who, "admin") == 0, err);
    evdb_audit_list_free(list);
    return rc;
}

evdb_status alloc_audit_verify(alloc_scene *s, evdb_error *err)
{
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    evdb_status rc = evdb_audit_verify(s->db, NULL, NULL, NULL, &report, err);
    return rc == EVDB_OK ? alloc_expect(report.problems == 0 && report.entries == ENTRIES, err) : rc;
}
