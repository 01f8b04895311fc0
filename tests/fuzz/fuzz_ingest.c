/* fuzz_ingest.c - any bytes as packed vectors, in the body of a request and as base64 within JSON: both are answered alike, and what is
 * written is read back bit by bit.
 *
 * Input: a byte whose lowest four bits choose the operation among those that take a body, and whether the store is empty before; a byte
 * of arguments: elements of a vector in the lowest three bits, then whether ids stand before them, whether ids are counted from one
 * that is given, and whether existing ids are replaced; the bytes. */
#include "op/op.h"
#include "op/op_slices.h"
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIM_BITS = 7, PACKED_IDS = 8, FIRST_ID = 16, REPLACE = 32, SAYS_DIM = 64, OP_BITS = 7, FILLED = 8, DIM = 2, FIRST = 40 };

static void check(bool sound)
{
    if (!sound) abort();
}

/* One that takes vectors out of a body, and which argument that is. Measuring codecs on them takes seconds. */
static const op *chosen(uint8_t choice, const op_field **field)
{
    const op *taking[OP_BITS + 1];
    size_t count = 0;
    for (size_t i = 0; ops[i] && count <= OP_BITS; i++)
        if (op_takes_body(ops[i]) && strcmp(ops[i]->name, "benchmark_compression") != 0) taking[count++] = ops[i];
    const op *o = taking[choice % count];
    for (*field = o->args; !((*field)->flags & OP_BODY); ++*field) continue;
    return o;
}

static bool load(const op *o) { return strcmp(o->name, "load_vectors") == 0; }

static evdb *open_database(bool filled)
{
    static const float rows[2][DIM] = { { 1, 2 }, { -3, 4 } };
    evdb *db;
    evdb_store *store;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.metric = EVDB_EUCLIDEAN;
    check(evdb_open(":memory:", NULL, &db, NULL) == EVDB_OK);
    check(evdb_store_create(db, "s", &options, &store, NULL) == EVDB_OK);
    for (int i = 0; filled && i < 2; i++)
        check(evdb_record_insert(store, (evdb_id){ .number = i }, rows[i], DIM, NULL, NULL, NULL) == EVDB_OK);
    evdb_store_close(store);
    return db;
}

static json_t *arguments(const op *o, uint8_t flags)
{
    json_t *args = op_field_find(o, "store") ? json_pack("{ss}", "store", "s") : json_pack("{ss}", "codec", "i8");
    check(args != NULL);
    if (!load(o)) return args;
    if (flags & SAYS_DIM) check(json_object_set_new(args, "dim", json_integer(1 + (flags & DIM_BITS))) == 0);
    if (flags & PACKED_IDS) check(json_object_set_new(args, "packed_ids", json_true()) == 0);
    if (flags & FIRST_ID) check(json_object_set_new(args, "first_id", json_integer(FIRST)) == 0);
    if (flags & REPLACE) check(json_object_set_new(args, "mode", json_string("upsert")) == 0);
    return args;
}

typedef struct answer {
    evdb *db;
    evdb_status status;
    op_out reply;
} answer;

static answer ask(const op *o, const json_t *args, const op_slices *slices, bool filled)
{
    answer a = { .db = open_database(filled), .reply = OP_OUT };
    evdb_error err;
    op_call call = { .db = a.db };
    a.status = op_run(o, &call, args, slices, &a.reply, &err);
    check(a.status == EVDB_OK || (err.status == a.status && *err.message && memchr(err.message, 0, sizeof(err.message))));
    check(a.status != EVDB_INTERNAL && a.status != EVDB_CORRUPT && a.status != EVDB_IO);
    return a;
}

static void forget(answer *a)
{
    op_out_free(&a->reply);
    evdb_close(a->db);
}

static int64_t number_of(const answer *a, const char *name)
{
    json_t *reply = json_loadb(a->reply.text, a->reply.size, 0, NULL);
    check(json_is_object(reply));
    int64_t n = json_integer_value(json_object_get(reply, name));
    json_decref(reply);
    return n;
}

/* The last vector of the body is that of the last id, unless an id stands there twice. */
static void check_written(const answer *a, uint8_t flags, bool filled, const uint8_t *body, size_t size)
{
    evdb_store *store;
    evdb_record *record;
    size_t count = (size_t)number_of(a, "written"), row = size / count;
    int64_t id = (int64_t)count - 1 + (flags & FIRST_ID ? FIRST : 0);
    check(count && size % count == 0);
    size_t dim = (row - (flags & PACKED_IDS ? sizeof(int64_t) : 0)) / sizeof(float);
    if (flags & PACKED_IDS) memcpy(&id, body + (count - 1) * sizeof(id), sizeof(id));
    check(!filled || dim == DIM);
    check(evdb_store_open(a->db, "s", &store, NULL) == EVDB_OK);
    check(evdb_record_get(store, (evdb_id){ .number = id }, &record, NULL) == EVDB_OK);
    check(record->dim == dim && memcmp(record->vector, body + size - dim * sizeof(float), dim * sizeof(float)) == 0);
    for (size_t i = 0; i < dim; i++) check(isfinite(record->vector[i]));
    evdb_record_free(record);
    evdb_store_close(store);
}

static json_t *base64_of(const uint8_t *body, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    check(text != NULL);
    sodium_bin2base64(text, room, body, size, sodium_base64_VARIANT_ORIGINAL);
    json_t *json = json_string(text);
    check(json != NULL);
    free(text);
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const op_field *field;
    if (size < 3) return 0;
    const op *o = chosen(data[0] & OP_BITS, &field);
    uint8_t flags = data[1];
    bool filled = data[0] & FILLED;
    const uint8_t *body = data + 2;
    json_t *args = arguments(o, flags);
    op_slices slices = { .body = body, .body_size = size - 2 };
    answer raw = ask(o, args, &slices, filled);
    check(json_object_set_new(args, field->name, base64_of(body, size - 2)) == 0);
    answer text = ask(o, args, NULL, filled);
    check(raw.status == text.status);
    if (raw.status == EVDB_OK && load(o)) {
        check(raw.reply.size == text.reply.size && memcmp(raw.reply.text, text.reply.text, raw.reply.size) == 0);
        check_written(&raw, flags, filled, body, size - 2);
    }
    forget(&raw);
    forget(&text);
    json_decref(args);
    return 0;
}
