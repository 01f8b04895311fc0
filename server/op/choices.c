/* choices.c - the library's enumerations as op_choice. Metrics and element types are named by the library alone. */
#include "op/choices.h"
#include <string.h>

static const char *metric_name(uint32_t value)
{
    return evdb_metric_name((evdb_metric)value);
}

static evdb_status metric_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_metric metric = 0;
    evdb_status rc = evdb_metric_parse(name, &metric, err);
    if (rc == EVDB_OK) *out = metric;
    return rc;
}

static const char *dtype_name(uint32_t value)
{
    return evdb_dtype_name((evdb_dtype)value);
}

static evdb_status dtype_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_dtype dtype = 0;
    evdb_status rc = evdb_dtype_parse(name, &dtype, err);
    if (rc == EVDB_OK) *out = dtype;
    return rc;
}

static const char *id_type_name(uint32_t value)
{
    static const char *const names[] = { [EVDB_ID_INTEGER] = "integer", [EVDB_ID_STRING] = "string" };
    return value < sizeof names / sizeof *names ? names[value] : NULL;
}

static evdb_status id_type_parse(const char *name, uint32_t *out, evdb_error *err)
{
    for (uint32_t i = 1; id_type_name(i); i++)
        if (strcmp(id_type_name(i), name) == 0) {
            *out = i;
            return EVDB_OK;
        }
    return op_fail(err, EVDB_INVALID, "unknown id type '%s': use integer or string", name);
}

static const char *change_name(uint32_t value)
{
    static const char *const names[] = { [EVDB_CHANGE_PUT] = "put", [EVDB_CHANGE_UPDATE] = "update",
                                         [EVDB_CHANGE_DELETE] = "delete" };
    return value < sizeof names / sizeof *names ? names[value] : NULL;
}

static const char *compression_name(uint32_t value) { return evdb_compression_state_name((evdb_compression_state)value); }

static const char *codec_stage_name(uint32_t value)
{
    static const char *const names[] = { [EVDB_STAGE_TRANSFORM] = "transform", [EVDB_STAGE_QUANTISER] = "quantiser",
                                         [EVDB_STAGE_BYTES] = "bytes" };
    return value < sizeof names / sizeof *names ? names[value] : NULL;
}

static const char *lost_name(uint32_t value)
{
    static const char *const names[] = { [EVDB_LOST_METADATA] = "metadata", [EVDB_LOST_VECTOR] = "vector", [EVDB_LOST_BOTH] = "both" };
    return value < sizeof names / sizeof *names ? names[value] : NULL;
}

static const char *index_name(uint32_t value) { return evdb_index_state_name((evdb_index_state)value); }

/* Kinds of writes up to one of them. */
static const char *write_up_to(uint32_t value, uint32_t last)
{
    static const char *const names[] = { [EVDB_INSERT] = "insert", [EVDB_UPSERT] = "upsert", [EVDB_UPDATE] = "update",
                                         [EVDB_DELETE] = "delete" };
    return value <= last ? names[value] : NULL;
}

static const char *write_name(uint32_t value) { return write_up_to(value, EVDB_DELETE); }
static const char *put_name(uint32_t value) { return write_up_to(value, EVDB_UPSERT); }

static evdb_status write_parse(const char *name, uint32_t *out, evdb_error *err)
{
    for (uint32_t i = EVDB_INSERT; write_name(i); i++)
        if (strcmp(write_name(i), name) == 0) {
            *out = i;
            return EVDB_OK;
        }
    return op_fail(err, EVDB_INVALID, "unknown mode '%.40s': use insert, upsert, update or delete", name);
}

static evdb_status put_parse(const char *name, uint32_t *out, evdb_error *err)
{
    if (write_parse(name, out, NULL) == EVDB_OK && put_name(*out)) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "unknown mode '%.40s': use insert or upsert", name);
}

static const char *format_name(uint32_t value)
{
    return evdb_format_name((evdb_format)value);
}

static evdb_status format_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_format format = 0;
    evdb_status rc = evdb_format_parse(name, &format, err);
    if (rc == EVDB_OK) *out = format;
    return rc;
}

static const char *client_name(uint32_t value) { return evdb_client_method_name((evdb_client_method)value); }

static evdb_status client_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_client_method method = 0;
    evdb_status rc = evdb_client_method_parse(name, &method, err);
    if (rc == EVDB_OK) *out = method;
    return rc;
}

const op_choice choice_client = { client_name, client_parse };
const op_choice choice_metric = { metric_name, metric_parse };
const op_choice choice_dtype = { dtype_name, dtype_parse };
const op_choice choice_id_type = { id_type_name, id_type_parse };
const op_choice choice_change = { change_name, NULL }; /* only in replies */
const op_choice choice_write = { write_name, write_parse };
const op_choice choice_put = { put_name, put_parse };
const op_choice choice_format = { format_name, format_parse };
const op_choice choice_lost = { lost_name, NULL }; /* only in replies */
const op_choice choice_compression = { compression_name, NULL }; /* only in replies */
const op_choice choice_codec_stage = { codec_stage_name, NULL }; /* only in replies */
const op_choice choice_index = { index_name, NULL }; /* only in replies */
