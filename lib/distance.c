/* distance.c - implements evdb/distance.h. */
#include <evdb/distance.h>
#include "base/error.h"
#include "kernel/metric.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct named { const char *name; int value; } named;

/* The first name of a value is the one it is shown by. */
static const named metrics[] = { { "cosine", EVDB_COSINE }, { "euclidean", EVDB_EUCLIDEAN }, { "l2", EVDB_EUCLIDEAN },
                                 { "manhattan", EVDB_MANHATTAN }, { "l1", EVDB_MANHATTAN }, { "ip", EVDB_IP },
                                 { "dot", EVDB_IP }, { "hamming", EVDB_HAMMING }, { "custom", EVDB_CUSTOM }, { NULL, 0 } };
static const named dtypes[] = { { "f32", EVDB_F32 }, { "f16", EVDB_F16 }, { "i8", EVDB_I8 }, { "bit", EVDB_BIT },
                                { NULL, 0 } };

static const char *name_of(const named *list, int value)
{
    while (list->name && list->value != value) list++;
    return list->name;
}

static bool value_of(const named *list, const char *name, int *out)
{
    while (list->name && (!name || strcmp(list->name, name) != 0)) list++;
    *out = list->value;
    return list->name != NULL;
}

const char *evdb_metric_name(evdb_metric metric) { return name_of(metrics, (int)metric); }
const char *evdb_dtype_name(evdb_dtype dtype) { return name_of(dtypes, (int)dtype); }

evdb_status evdb_metric_parse(const char *name, evdb_metric *out, evdb_error *err)
{
    int value;
    if (!value_of(metrics, name, &value))
        return error_set(err, EVDB_INVALID, "there is no metric '%.40s': cosine, euclidean (l2), manhattan (l1), ip "
                         "(dot), hamming and custom are", name ? name : "");
    *out = (evdb_metric)value;
    return EVDB_OK;
}

evdb_status evdb_dtype_parse(const char *name, evdb_dtype *out, evdb_error *err)
{
    int value;
    if (!value_of(dtypes, name, &value))
        return error_set(err, EVDB_INVALID, "there is no element type '%.40s': f32, f16, i8 and bit are",
                         name ? name : "");
    *out = (evdb_dtype)value;
    return EVDB_OK;
}

/* Any alignment. */
static bool all_zero(const float *v, uint32_t dim)
{
    for (uint32_t i = 0; i < dim; i++) {
        float x;
        memcpy(&x, (const char *)v + i * sizeof(x), sizeof(x));
        if (x != 0) return false;
    }
    return true;
}

static evdb_status check(const kernel *k, evdb_metric metric, const float *v, uint32_t dim, const char *what,
                         uint64_t item, evdb_error *err)
{
    if (!k->finite_f32(v, dim))
        return error_item(err, item, EVDB_INVALID, "the %s has an element that is not finite", what);
    if (metric == EVDB_COSINE && all_zero(v, dim))
        return error_item(err, item, EVDB_INVALID,
                          "the %s is all zeros: it has no direction, which the cosine metric needs", what);
    return EVDB_OK;
}

static evdb_status check_shape(evdb_metric metric, uint32_t dim, evdb_error *err)
{
    if (!evdb_metric_name(metric)) return error_set(err, EVDB_INVALID, "there is no metric %d", (int)metric);
    if (metric == EVDB_CUSTOM) return error_set(err, EVDB_UNSUPPORTED, "distances of a custom metric are its function's: call that");
    if (dim == 0 || dim > EVDB_DIM_MAX)
        return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, dim);
    return EVDB_OK;
}

typedef struct against {
    const kernel *kernel;
    evdb_metric metric;
    const float *query;
    float inverse;
    uint32_t dim;
} against;

static float distance_to(const against *a, const float *v)
{
    float inverse = a->metric == EVDB_COSINE ? metric_inverse_norm(v, a->dim) : 0, distance;
    metric_distances(a->kernel, a->metric, a->query, a->inverse, v, a->dim, 1, a->dim, &inverse, &distance);
    return distance;
}

static evdb_status check_distance(const against *a, const float *v, uint64_t item, evdb_error *err)
{
    evdb_status rc = check(a->kernel, a->metric, v, a->dim, "vector", item, err);
    if (rc == EVDB_OK && a->metric != EVDB_COSINE && !isfinite(distance_to(a, v)))
        rc = error_item(err, item, EVDB_INVALID, "the distance is beyond what a float holds");
    return rc;
}

static evdb_status prepare(evdb_metric metric, const float *query, uint32_t dim, against *out, evdb_error *err)
{
    evdb_status rc = check_shape(metric, dim, err);
    *out = (against){ .kernel = kernel_best(), .metric = metric, .query = query, .dim = dim };
    if (rc != EVDB_OK) return rc;
    if (!query) return error_set(err, EVDB_INVALID, "the query is missing");
    rc = check(out->kernel, metric, query, dim, "query", EVDB_NO_ITEM, err);
    if (rc == EVDB_OK && metric == EVDB_COSINE) out->inverse = metric_inverse_norm(query, dim);
    return rc;
}

evdb_status evdb_distance(evdb_metric metric, const float *a, const float *b, uint32_t dim, float *out, evdb_error *err)
{
    against from;
    evdb_status rc = prepare(metric, a, dim, &from, err);
    if (rc == EVDB_OK && !b) rc = error_set(err, EVDB_INVALID, "the vector is missing");
    if (rc == EVDB_OK) rc = check_distance(&from, b, EVDB_NO_ITEM, err);
    if (rc == EVDB_OK) *out = distance_to(&from, b);
    return rc;
}

static const float *vector_at(const float *vectors, size_t stride, size_t i)
{
    return (const float *)(const void *)((const char *)vectors + i * stride);
}

/* Checks all before it writes any; the second pass costs less than a caller's undoing would. */
evdb_status evdb_distance_batch(evdb_metric metric, const float *query, const float *vectors, size_t count,
                                size_t stride, uint32_t dim, float *out, evdb_error *err)
{
    against from;
    evdb_status rc = prepare(metric, query, dim, &from, err);
    if (rc != EVDB_OK) return rc;
    if (count && !vectors) return error_set(err, EVDB_INVALID, "the vectors are missing");
    if (!stride) stride = dim * sizeof(float);
    for (size_t i = 0; i < count; i++) {
        rc = check_distance(&from, vector_at(vectors, stride, i), i, err);
        if (rc != EVDB_OK) return rc;
    }
    for (size_t i = 0; i < count; i++) out[i] = distance_to(&from, vector_at(vectors, stride, i));
    return EVDB_OK;
}

float evdb_distance_score(evdb_metric metric, float distance)
{
    switch (metric) {
    case EVDB_COSINE: return 1 - distance;
    case EVDB_IP: case EVDB_CUSTOM: return -distance;
    case EVDB_EUCLIDEAN: case EVDB_MANHATTAN: case EVDB_HAMMING: break;
    }
    return 1 / (1 + distance);
}
