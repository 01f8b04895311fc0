/* compressed_rows.c - implements compressed_rows.h. */
#include "compressed_rows.h"
#include "expect.h"
#include <math.h>
#include <string.h>

float rows[ROWS][DIM];

evdb_store *store_with(scratch *t, const char *name, const char *codec, evdb_metric metric)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.codec = codec;
    o.metric = metric;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

void put(evdb_store *store, int64_t from, size_t count)
{
    evdb_batch b = EVDB_BATCH;
    int64_t ids[ROWS];
    for (size_t i = 0; i < count; i++) ids[i] = from + (int64_t)i;
    b.kind = EVDB_UPSERT;
    b.count = count;
    b.numbers = ids;
    b.vectors = rows[from];
    b.dim = DIM;
    ok(evdb_batch_write(store, &b, NULL, &why));
}

/* Every record, as it was written but for what the codec may round. */
void all_there(evdb_store *store, double relative)
{
    for (int i = 0; i < ROWS; i++) {
        evdb_record *r;
        ok(evdb_record_get(store, num(i), &r, &why));
        double off = 0, all = 0;
        for (int j = 0; j < DIM; j++) off += pow(r->vector[j] - rows[i][j], 2), all += pow(rows[i][j], 2);
        assert_true(sqrt(off) <= relative * sqrt(all));
        evdb_record_free(r);
    }
}

void sound(scratch *t)
{
    evdb_verify_report report;
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

evdb_compression compression(evdb_store *store)
{
    evdb_compression c = EVDB_COMPRESSION;
    ok(evdb_store_get_compression(store, &c, &why));
    assert_string_equal(c.problem, "");
    return c;
}
