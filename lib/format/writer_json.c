/* writer_json.c - JSON and JSON Lines, and companions: records without vectors. One record a line in all of them. */
#include "format/json_build.h"
#include "format/number.h"
#include "format/writer.h"
#include <evdb/store.h>
#include <string.h>

enum { PIECE = 64 }; /* floats converted at a time */

static void put_string(output *o, const char *text, size_t length)
{
    if (!json_add_string(&o->bytes, text, length)) o->no_memory = true;
}

static void put_number(output *o, int64_t number)
{
    if (!json_add_integer(&o->bytes, number)) o->no_memory = true;
}

static void put_vector(output *o, const float *vector, uint32_t dim)
{
    char text[PIECE * (NUMBER_TEXT_MAX + 1)];
    output_add(o, "[", 1);
    for (uint32_t i = 0; i < dim;) {
        uint32_t stop = dim - i > PIECE ? i + PIECE : dim;
        size_t used = 0;
        for (; i < stop; i++) {
            if (i) text[used++] = ',';
            used += number_from_float(vector[i], text + used);
        }
        output_add(o, text, used);
    }
    output_add(o, "]", 1);
}

/* Where records usually expire it is said that one does not: whoever reads it into such a store must know. */
static void put_expiry(output *o, const evdb_record *record, bool usual)
{
    if (record->expires_ms || usual) output_text(o, ",\"expires_ms\":");
    if (record->expires_ms) put_number(o, record->expires_ms);
    else if (usual) output_text(o, "null");
}

static void put_author(output *o, const evdb_record *record)
{
    if (record->author) {
        output_text(o, ",\"author\":");
        put_string(o, record->author, strlen(record->author));
    }
    if (!record->written_ms) return;
    output_text(o, ",\"written_ms\":");
    put_number(o, record->written_ms);
}

static void put_record(writer *w, const evdb_record *record, bool vector)
{
    output *o = &w->out;
    output_text(o, "{\"id\":");
    if (record->id.text) put_string(o, record->id.text, record->id.length);
    else put_number(o, record->id.number);
    if (vector) {
        output_text(o, ",\"vector\":");
        put_vector(o, record->vector, record->dim);
    }
    output_text(o, ",\"metadata\":");
    output_add(o, record->metadata, record->metadata_length);
    put_expiry(o, record, w->store->ttl_ms != 0);
    put_author(o, record);
    output_add(o, "}", 1);
}

static evdb_status jsonl_row(writer *w, const evdb_record *record, evdb_error *err)
{
    (void)err;
    put_record(w, record, w->type == &writer_jsonl);
    output_add(&w->out, "\n", 1);
    return EVDB_OK;
}

const writer_type writer_jsonl = { .row = jsonl_row };
const writer_type writer_companion = { .row = jsonl_row };

static void put_member(output *o, const char *name, const char *value)
{
    output_text(o, name);
    put_string(o, value, strlen(value));
}

static evdb_status json_begin(writer *w, evdb_error *err)
{
    output *o = &w->out;
    (void)err;
    put_member(o, "{\"store\":{\"name\":", w->store->name);
    output_text(o, ",\"dim\":");
    put_number(o, w->store->dim);
    put_member(o, ",\"metric\":", evdb_metric_name(w->store->metric));
    if (w->store->metric_name) put_member(o, ",\"metric_name\":", w->store->metric_name);
    put_member(o, ",\"dtype\":", evdb_dtype_name(w->store->dtype));
    if (w->store->codec) put_member(o, ",\"codec\":", w->store->codec);
    if (w->store->ttl_ms) {
        output_text(o, ",\"ttl_ms\":");
        put_number(o, w->store->ttl_ms);
    }
    if (w->store->id_type != EVDB_ID_UNDECIDED)
        put_member(o, ",\"id_type\":", w->store->id_type == EVDB_ID_STRING ? "string" : "integer");
    output_text(o, "},\"vectors\":[");
    return EVDB_OK;
}

static evdb_status json_row(writer *w, const evdb_record *record, evdb_error *err)
{
    (void)err;
    output_text(&w->out, w->written ? ",\n" : "\n");
    put_record(w, record, true);
    return EVDB_OK;
}

static evdb_status json_end(writer *w, evdb_error *err)
{
    (void)err;
    output_text(&w->out, "\n]}\n");
    return EVDB_OK;
}

const writer_type writer_json = { json_begin, json_row, json_end };
