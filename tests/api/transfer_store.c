/* transfer_store.c - implements transfer_store.h. */
#include "transfer_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static evdb *db;

int transfer_open(void **state)
{
    (void)state;
    return evdb_open(":memory:", NULL, &db, NULL) != EVDB_OK;
}

int transfer_close(void **state)
{
    (void)state;
    evdb_close(db);
    return 0;
}

evdb *transfer_database(void) { return db; }

evdb_store *transfer_store(evdb_metric metric)
{
    static unsigned made;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    char name[32];
    snprintf(name, sizeof(name), "s%u", made++);
    options.metric = metric;
    return transfer_store_with(name, &options);
}

evdb_store *transfer_store_with(const char *name, const evdb_store_options *options)
{
    evdb_store *store = NULL;
    evdb_error err;
    if (evdb_store_create(db, name, options, &store, &err) != EVDB_OK) fail_msg("%s", err.message);
    return store;
}

uint64_t transfer_count(evdb_store *store)
{
    uint64_t count = 0;
    assert_int_equal(evdb_store_count(store, &count, NULL), EVDB_OK);
    return count;
}

void transfer_put(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata)
{
    evdb_error err;
    if (evdb_record_upsert(store, id, vector, dim, metadata, NULL, &err) != EVDB_OK) fail_msg("%s", err.message);
}

evdb_import_options transfer_options(evdb_format format)
{
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    options.format = format;
    return options;
}

evdb_status transfer_text(evdb_store *store, const char *text, const evdb_import_options *options,
                          evdb_import_report *report, evdb_error *err)
{
    memory_source memory = memory_from_text(text);
    evdb_source source = memory_reading(&memory);
    return evdb_import(store, &source, options, report, err);
}

memory_sink transfer_export(evdb_store *store, evdb_format format, memory_sink *companion)
{
    memory_sink memory = memory_to();
    evdb_sink sink = memory_writing(&memory), names;
    evdb_export_options options = EVDB_EXPORT_OPTIONS;
    evdb_error err;
    uint64_t count = 0;
    options.format = format;
    if (companion) {
        *companion = memory_to();
        names = memory_writing(companion);
        options.companion = &names;
    }
    if (evdb_export(store, &sink, &options, &count, &err) != EVDB_OK) fail_msg("%s", err.message);
    assert_int_equal(count, transfer_count(store));
    return memory;
}
