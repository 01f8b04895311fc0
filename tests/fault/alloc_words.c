/* alloc_words.c - implements alloc_words.h. */
#include "alloc_words.h"

static evdb_status parse(evdb_error *err)
{
    uint32_t scopes, grants;
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_client_method method;
    evdb_metric metric;
    evdb_dtype dtype;
    evdb_format format;
    evdb_foreign_kind kind;
    evdb_status rc = evdb_auth_scopes_parse("read write", &scopes, err);
    if (rc == EVDB_OK) rc = evdb_auth_grants_parse("client_credentials", &grants, err);
    if (rc == EVDB_OK) rc = evdb_auth_scopes_split("read write:docs", &scopes, stores, err);
    if (rc == EVDB_OK) rc = evdb_client_method_parse("none", &method, err);
    if (rc == EVDB_OK) rc = evdb_metric_parse("cosine", &metric, err);
    if (rc == EVDB_OK) rc = evdb_dtype_parse("f16", &dtype, err);
    if (rc == EVDB_OK) rc = evdb_format_parse("jsonl", &format, err);
    return rc == EVDB_OK ? evdb_foreign_kind_parse("chroma", &kind, err) : rc;
}

evdb_status alloc_words(alloc_scene *s, evdb_error *err)
{
    static const float vectors[2][2] = { { 1, 2 }, { 3, 4 } };
    static const char array[] = "[1, 2.5]";
    float out[2];
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    uint64_t bytes;
    uint32_t dim;
    size_t count, used;
    (void)s;
    evdb_status rc = parse(err);
    if (rc == EVDB_OK) rc = evdb_distance(EVDB_EUCLIDEAN, vectors[0], vectors[1], 2, out, err);
    if (rc == EVDB_OK) rc = evdb_distance_batch(EVDB_EUCLIDEAN, vectors[0], vectors[0], 2, 0, 2, out, err);
    if (rc == EVDB_OK) rc = evdb_number_read_array(array, sizeof(array) - 1, out, 2, &count, &used, err);
    if (rc == EVDB_OK) rc = evdb_index_estimate(2, 100, 0, &bytes, err);
    if (rc == EVDB_OK) rc = alloc_expect(evdb_codec_sealed(array, sizeof(array), spec, &dim, err) != EVDB_OK, err);
    return rc == EVDB_OK ? alloc_expect(count == 2 && bytes > 0, err) : rc;
}
