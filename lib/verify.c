/* verify.c - implements evdb/verify.h. */
#include <evdb/verify.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/generation.h"
#include "engine/stored.h"
#include <stdio.h>
#include <string.h>

typedef struct verifying {
    evdb *db;
    const char *only; /* NULL = every store */
    const char *store; /* being looked at */
    void (*problem)(void *context, const char *store, const char *text);
    void *context;
    evdb_verify_report report;
    char *names; /* "uuid name\n" of all stores: they are opened after system.db was read */
    size_t size;
    engine *engine; /* of the store being looked at */
    stored_room room;
} verifying;

static void note(void *context, const char *text)
{
    verifying *v = context;
    v->report.problems++;
    if (v->problem) v->problem(v->context, v->store, text);
}

static evdb_status list(void *context, const char *uuid, const char *name, evdb_error *err)
{
    verifying *v = context;
    const evdb_allocator *mem = &v->db->platform.mem;
    if (v->only && (!name || strcmp(name, v->only) != 0)) return EVDB_OK;
    size_t more = strlen(uuid ? uuid : "") + strlen(name ? name : "") + 3;
    char *names = mem_resize(mem, v->names, v->size + more, 1);
    if (!names) return error_no_memory(err, v->size + more, "the list of stores");
    v->names = names;
    v->size += (size_t)snprintf(names + v->size, more, "%s %s\n", uuid ? uuid : "", name ? name : "");
    return EVDB_OK;
}

static evdb_status check_vector(void *context, rows_reader *rd, const rows_record *r, evdb_error *err)
{
    verifying *v = context;
    const float *vector;
    return stored_vector(v->engine, rd, &r->id, r->codec, r->vector, r->vector_bytes, atomic_load(&v->engine->dim), &v->room, &vector, err);
}

static evdb_status verify_store(verifying *v, const char *uuid, evdb_error *err)
{
    engine *e = NULL;
    rows_reader *rd = NULL;
    uint64_t records = 0;
    evdb_error why;
    evdb_status rc = engine_open(v->db, uuid, &e, &why);
    if (rc == EVDB_NOT_FOUND) /* dropped since the list was read */
        return v->only ? error_set(err, rc, "there is no store '%s'", v->only) : EVDB_OK;
    v->report.stores++;
    if (rc == EVDB_OK) rc = rows_read(e->rows, &rd, &why);
    if (rc == EVDB_OK) {
        v->engine = e;
        (void)engine_learn(e, rd, NULL); /* what cannot be read is a finding */
        rc = rows_verify(rd, check_vector, note, v, &records, &why);
        stored_room_free(e, &v->room);
    }
    rows_read_end(rd);
    if (rc == EVDB_OK) rc = generation_verify(e, note, v, &why);
    if (e) engine_release(e);
    v->report.records += records;
    if (rc == EVDB_NO_MEMORY) {
        if (err) *err = why;
        return rc;
    }
    if (rc != EVDB_OK) note(v, why.message); /* a store that cannot be opened is a finding */
    return EVDB_OK;
}

evdb_status evdb_verify(evdb *db, const char *name,
                        void (*problem)(void *context, const char *store, const char *text), void *context,
                        evdb_verify_report *out, evdb_error *err)
{
    verifying v = { .db = db, .only = name, .problem = problem, .context = context };
    evdb_error why;
    evdb_status rc;
    TRY(db_usable(db, err));
    if (!name) TRY(system_verify(db->system, note, &v, err)); /* v.store is NULL: it is of none */
    rc = system_stores(db->system, list, &v, &why);
    bool found = v.report.problems && (rc == EVDB_CORRUPT || rc == EVDB_IO);
    if (rc != EVDB_OK && !found) {
        if (err) *err = why;
        goto out;
    }
    rc = EVDB_OK; /* unreadable names were found above: go on with the others */
    if (name && !v.size) TRY(error_set(err, EVDB_NOT_FOUND, "there is no store '%s'", name));
    for (char *line = v.names, *end; line && line < v.names + v.size; line = end + 1) {
        end = strchr(line, '\n');
        *end = 0;
        char *space = strchr(line, ' ');
        *space = 0;
        v.store = space + 1;
        TRY(verify_store(&v, line, err));
    }
    *out = v.report;
out:
    mem_free(&db->platform.mem, v.names);
    return rc;
}
