/* alloc_advise.c - implements alloc_advise.h. */
#include "alloc_advise.h"

static const char *const codecs[] = { "f32", "f16" };

/* The report must be whole: what one codec lacked memory for may not look like its own fault. */
static evdb_status judge(evdb_codec_report *report, evdb_error *err)
{
    bool right = report->count == 2 && report->codecs[0].recall_at_10 >= 1;
    for (uint32_t i = 0; right && i < report->count; i++) right = report->codecs[i].status == EVDB_OK;
    evdb_codec_report_free(report);
    return alloc_expect(right, err);
}

evdb_status alloc_benchmark(alloc_scene *s, evdb_error *err)
{
    float vectors[12 * 3];
    evdb_benchmark_options o = EVDB_BENCHMARK_OPTIONS;
    evdb_codec_report *report;
    evdb_allocator memory = alloc_memory(s);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) vectors[i] = (float)(i * i % 17);
    o.vectors = vectors;
    o.count = 12;
    o.dim = 3;
    o.sample = 11;
    o.codecs = codecs;
    o.codec_count = 2;
    o.allocator = &memory;
    evdb_status rc = evdb_codec_benchmark(&o, &report, err);
    return rc == EVDB_OK ? judge(report, err) : rc;
}

evdb_status alloc_advise(alloc_scene *s, evdb_error *err)
{
    evdb_advise_options o = EVDB_ADVISE_OPTIONS;
    evdb_codec_report *report;
    o.sample = ALLOC_RECORDS - 1;
    o.codecs = codecs;
    o.codec_count = 2;
    float *rows;
    size_t count;
    evdb_status rc = evdb_store_sample(s->store, 7, &rows, &count, err);
    if (rc != EVDB_OK) return rc;
    evdb_bytes_free(rows);
    rc = alloc_expect(count == 7, err);
    if (rc == EVDB_OK) rc = evdb_store_advise(s->store, &o, &report, err);
    return rc == EVDB_OK ? judge(report, err) : rc;
}
