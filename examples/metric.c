/* metric.c - a metric of the program's own: kilometres over the earth, from latitude and longitude. */
#include <evdb.h>
#include <math.h>
#include <stdio.h>

static const struct {
    const char *id;
    float place[2];
} towns[] = {
    { "Bergen", { 60.39f, 5.32f } },    { "Suva", { -18.14f, 178.44f } },   { "Apia", { -13.83f, -171.77f } },
    { "Nairobi", { -1.29f, 36.82f } },  { "Auckland", { -36.85f, 174.76f } }, { "Honolulu", { 21.31f, -157.86f } },
};

/* By the haversine formula. It keeps nothing and reads nothing but its arguments, so that any number of threads may call it. */
static float kilometres(const float *a, const float *b, uint32_t dim, void *context)
{
    const double degree = acos(-1) / 180, diameter = *(const double *)context;
    (void)dim; /* 2, as the store says */
    double up = sin((double)(b[0] - a[0]) * degree / 2), along = sin((double)(b[1] - a[1]) * degree / 2);
    double h = up * up + cos((double)a[0] * degree) * cos((double)b[0] * degree) * along * along;
    return (float)(diameter * asin(sqrt(h < 1 ? h : 1)));
}

int main(void)
{
    static double diameter = 2 * 6371.0; /* outlives the database */
    evdb *db = NULL;
    evdb_store *store = NULL;
    evdb_result *result = NULL;
    evdb_error err;
    evdb_status rc;
    evdb_metric_options metric = EVDB_METRIC_OPTIONS;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    metric.distance = kilometres;
    metric.context = &diameter;
    metric.flags = EVDB_METRIC_GRAPH; /* symmetric, and the same for the same places */
    options.dim = 2;
    options.metric_name = "kilometres";

    if ((rc = evdb_open(":memory:", NULL, &db, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_metric_register(db, "kilometres", &metric, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_store_create(db, "towns", &options, &store, &err)) != EVDB_OK) goto out;
    for (size_t i = 0; i < sizeof(towns) / sizeof(*towns); i++) {
        rc = evdb_record_insert(store, (evdb_id){ .text = towns[i].id }, towns[i].place, 2, NULL, NULL, &err);
        if (rc != EVDB_OK) goto out;
    }
    /* The date line lies between them: numbers far apart, and places close together. */
    if ((rc = evdb_search_range(store, (float[]){ -14.3f, -178.1f }, 2, 3000, NULL, &result, &err)) != EVDB_OK) goto out;
    for (size_t i = 0; i < result->count; i++) printf("%-9s %4.0f km\n", result->ids[i].text, (double)result->distances[i]);
out:
    if (rc != EVDB_OK) fprintf(stderr, "metric: %s: %s\n", evdb_status_name(rc), err.message);
    evdb_result_free(result);
    evdb_store_close(store);
    evdb_close(db);
    return rc != EVDB_OK;
}
